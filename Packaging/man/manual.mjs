/**
 * Writes the manual pages of pm from the help of the program.
 *
 *   node manual.mjs PROGRAM DIRECTORY       DIRECTORY/pm.1 and a page pm-COMMAND.1 for each command
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [program, directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: manual.mjs PROGRAM DIRECTORY');

const { command: pm } = JSON.parse(execFileSync(program, ['--experimental-dump-help'], { encoding: 'utf8' }));
const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim();
// The date of the sources, so that the same sources make the same pages.
const date = new Date(Number(process.env.SOURCE_DATE_EPOCH ?? 0) * 1000).toISOString().slice(0, 10);

/** Text for roff: a backslash, a dash and what begins a request mean something else there. */
const text = (string) =>
  (string ?? '').replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^(['.])/gm, '\\&$1').replace(/`([^`]*)`/g, '\\fB$1\\fR');

const names = (argument) =>
  (argument.names ?? []).map(({ kind, name }) => (kind === 'short' ? '-' : '--') + name);

/** `-o, --output FORMAT`, or `<name>...` for what has no name of its own. */
function term(argument) {
  const value = argument.valueName === undefined ? '' : `\\fI${text(argument.valueName)}\\fR`;
  if (argument.kind === 'positional') return value + (argument.isRepeating ? '...' : '');
  const words = names(argument).map((name) => `\\fB${text(name)}\\fR`).join(', ');
  return argument.kind === 'option' ? `${words} ${value}` : words;
}

function describe(argument) {
  const standard = argument.defaultValue === undefined ? '' : ` Default: ${argument.defaultValue}.`;
  return ['.TP', term(argument), text((argument.abstract ?? '') + standard)];
}

function synopsis(command, path) {
  const words = command.arguments?.filter(({ kind, shouldDisplay }) => kind === 'positional' && shouldDisplay) ?? [];
  const shown = words.map((word) => (word.isOptional ? `[${term(word)}]` : term(word)));
  return [`.B ${text(path.join(' '))}`, ['[\\fIoptions\\fR]', ...shown].join(' ')];
}

function head(title, command) {
  return [
    `.TH ${title.toUpperCase()} 1 ${date} "pm ${version}" "User Commands"`,
    '.SH NAME',
    `${text(title)} \\- ${text((command.abstract ?? '').replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
  ];
}

function page(lines, name) {
  writeFileSync(join(directory, `${name}.1`), lines.flat().filter((line) => line !== '').join('\n') + '\n');
}

function options(command) {
  const shown = (command.arguments ?? []).filter(({ shouldDisplay }) => shouldDisplay);
  return shown.length === 0 ? [] : ['.SH OPTIONS', ...shown.flatMap(describe)];
}

/** The text of a command, and the lines of its section EXAMPLES. */
function discussed(command) {
  const [description, examples] = (command.discussion ?? '').split(/^EXAMPLES\n/m);
  return { description: description.trim(), examples: (examples ?? '').split('\n').map((line) => line.trim()).filter(Boolean) };
}

function examples(command) {
  const lines = discussed(command).examples;
  return lines.length === 0 ? [] : ['.SH EXAMPLES', '.nf', ...lines.map((line) => `.B ${text(line)}`), '.fi'];
}

/** `[0, done], [1, failed]` of the sentence `Exit codes: 0 done, 1 failed.` */
function exitCodes(description) {
  const [, list] = /^Exit codes: (.*)\.$/ms.exec(description) ?? [];
  return (list ?? '').replaceAll('\n', ' ').split(', ').map((one) => /^(\d+) (.*)$/.exec(one).slice(1));
}

// Of the variables that people set; Docs/CommandLine.md has all.
const variables = [
  ['COLUMNS', 'The width of tables where the terminal does not tell it.'],
  ['NO_COLOR, TERM', 'Without colours if NO_COLOR is not empty, or TERM is dumb.'],
  ['PM_LIBEXEC', 'The folder with the programs that pm starts.'],
  ['PM_PAGER, PAGER', 'The program that shows long output of pm log; less if neither is set, none if it is empty.'],
  ['PM_PROFILE', 'The profile of the configuration for commands without --profile.'],
  ['PM_STATE_DIR', 'The folder for logs and state.'],
  ['VISUAL, EDITOR', 'The editor of pm edit.'],
  ['XDG_CONFIG_HOME, XDG_RUNTIME_DIR, XDG_STATE_HOME', "The folders of the user's daemon."],
];

mkdirSync(directory, { recursive: true });
const commands = (pm.subcommands ?? []).filter(({ commandName, shouldDisplay }) => commandName !== 'help' && shouldDisplay);
page(
  [
    head('pm', pm),
    ['.B pm', '\\fIcommand\\fR [\\fIoptions\\fR]', '.br', '.B pm', '[\\fIoptions\\fR] \\fIservice\\fR \\fIcommand\\fR [\\fIarguments\\fR]'],
    ['.SH DESCRIPTION', text(discussed(pm).description.replace(/^Exit codes: .*$/ms, '').trim())],
    ['.SH COMMANDS', ...commands.flatMap((one) => ['.TP', `\\fBpm ${text(one.commandName)}\\fR(1)`, text(one.abstract)])],
    options(pm),
    ['.SH ENVIRONMENT', ...variables.flatMap(([name, meaning]) => ['.TP', `.B ${text(name)}`, text(meaning)])],
    ['.SH EXIT STATUS', ...exitCodes(discussed(pm).description).flatMap(([code, meaning]) => ['.TP', `.B ${code}`, text(meaning)])],
    ['.SH FILES', '.TP', '.I .pm.config.json', 'The configuration, in the working directory or the nearest folder above it.'],
    ['.TP', '.I /etc/pm/.pm.config.json', "The configuration of the system's daemon."],
    examples(pm),
  ],
  'pm',
);
for (const command of commands) {
  const name = `pm-${command.commandName}`;
  const { description } = discussed(command);
  page(
    [
      head(name, command),
      synopsis(command, ['pm', command.commandName]),
      ['.SH DESCRIPTION', text(command.abstract), ...(description === '' ? [] : ['.PP', text(description)])],
      options(command),
      ['.SH EXIT STATUS', 'As \\fBpm\\fR(1) has it.'],
      examples(command),
      ['.SH SEE ALSO', '\\fBpm\\fR(1)'],
    ],
    name,
  );
}
