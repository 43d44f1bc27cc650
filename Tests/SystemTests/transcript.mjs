// Types again what a document shows: the `console` blocks of one section, whose lines `# …` are commands, `> …` their
// further lines, and all others what they print. `…` stands for any lines.
//
//   transcript.mjs sections DOCUMENT              the titles of sections that have such blocks
//   transcript.mjs check DOCUMENT SECTION RUN…    RUN… -c TEXT is how a command is run
//   transcript.mjs write DOCUMENT SECTION RUN…    puts into the document what they print now
//
// Numbers, times, host names and the room between columns differ from run to run; everything else must be the same.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** @returns {{title: string, first: number, lines: string[]}[]} the console blocks, each with its section's title */
function blocksOf(text) {
  const blocks = [];
  let title = '', block;
  text.split('\n').forEach((line, index) => {
    if (block && line === '```') block = undefined;
    else if (block) block.lines.push(line);
    else if (line.startsWith('## ')) title = line.slice(3);
    else if (line === '```console') blocks.push(block = { title, first: index + 1, lines: [] });
  });
  return blocks;
}

/** @returns {{typed: string[], shown: string[]}[]} the commands of a block */
function commandsOf(lines) {
  const commands = [];
  for (const line of lines) {
    const last = commands.at(-1);
    if (line.startsWith('# ')) commands.push({ typed: [line], shown: [] });
    else if (/^> ?/.test(line) && last?.shown.length === 0) last.typed.push(line);
    else if (last) last.shown.push(line);
    else throw new Error(`output without a command: ${line}`);
  }
  return commands;
}

// A machine made for tests may have no cgroup controllers; limits are tested on one that has.
const OF_THE_MACHINE = /limits\.\w+ is not enforced: the cgroup controller \w+ is not there/;

function run(command, words) {
  const text = command.typed.map((line) => line.replace(/^[#>] ?/, '')).join('\n');
  const { stdout, stderr, error } = spawnSync(words[0], [...words.slice(1), '-c', `exec 2>&1\n${text}`], { encoding: 'utf8' });
  if (error) throw error;
  const lines = (stdout + stderr).split('\n').map((line) => line.trimEnd()).filter((line) => !OF_THE_MACHINE.test(line));
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

/** What stays the same of a line whenever and wherever it is printed. */
function essence(line) {
  return line
    .replace(/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z]+/g, 'TIME')
    .replace(/\b[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \S+/g, 'TIME HOST')
    .replace(/[\d.]+(ms|us|min|s|h|d|K|M|G)\b/g, 'N')
    .replace(/\b\d+(\.\d+)*\b/g, 'N')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Whether lines are as shown, `…` standing for any. */
function matches(shown, printed) {
  const gap = shown.indexOf('…');
  if (gap < 0) return shown.length === printed.length && shown.every((line, i) => essence(line) === essence(printed[i]));
  const tail = shown.slice(gap + 1);
  if (gap > printed.length || !matches(shown.slice(0, gap), printed.slice(0, gap))) return false;
  for (let from = gap; from <= printed.length; from++) if (matches(tail, printed.slice(from))) return true;
  return false;
}

function check(block, words) {
  let wrong = 0;
  for (const command of commandsOf(block.lines)) {
    const printed = run(command, words);
    if (matches(command.shown, printed)) continue;
    wrong++;
    console.log([...command.typed, 'shown:', ...command.shown, 'printed:', ...printed].join('\n'));
  }
  return wrong;
}

/** @returns {string[]} the block's lines with what is printed now; where `…` was, it stays */
function written(block, words) {
  return commandsOf(block.lines).flatMap((command) => {
    const printed = run(command, words);
    return [...command.typed, ...(command.shown.includes('…') ? command.shown : printed)];
  });
}

const [verb, file, section, ...words] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
const blocks = blocksOf(text);
if (verb === 'sections') {
  console.log([...new Set(blocks.map(({ title }) => title))].join('\n'));
} else if (verb === 'check') {
  const wrong = blocks.filter(({ title }) => title === section).map((block) => check(block, words));
  process.exit(wrong.some((count) => count > 0) || wrong.length === 0 ? 1 : 0);
} else {
  const lines = text.split('\n');
  const done = blocks.map((block) => [block, block.title === section ? written(block, words) : block.lines]);
  for (const [block, now] of done.reverse()) lines.splice(block.first, block.lines.length, ...now);
  writeFileSync(file, lines.join('\n'));
}
