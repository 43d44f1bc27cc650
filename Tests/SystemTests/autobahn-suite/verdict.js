// Says which cases of a report are not as they have to be: `verdict.js REPORT RULES COUNT`, where COUNT cases were to run.
// Without a rule for it a case must be OK in what it did and in how it closed. It ends with 1 when one is not.
const { readFileSync } = require('fs');
const [report, rulesFile, count] = process.argv.slice(2);
const cases = JSON.parse(readFileSync(`${report}/index.json`)).pm ?? {};
const ids = Object.keys(cases);

const rules = readFileSync(rulesFile, 'utf8').split('\n').filter((line) => line && !line.startsWith('#')).map((line) => {
  const [pattern, behavior, code, ...why] = line.split(/\s+/);
  return { pattern, behavior, code: code === 'none' ? null : Number(code), why: why.join(' ') };
});
const covers = ({ pattern }, id) => (pattern.endsWith('.*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern);

// What is only not strict may turn out right by chance of time; every other rule must hold to the letter.
function isAsWanted(found, rule) {
  if (!rule) return found.behavior === 'OK' && found.behaviorClose === 'OK';
  if (found.remoteCloseCode !== rule.code) return false;
  return found.behavior === rule.behavior || (rule.behavior === 'NON-STRICT' && found.behavior === 'OK');
}

const problems = [];
if (ids.length !== Number(count)) problems.push(`${ids.length} cases ran, not ${count}`);
for (const id of ids) {
  const rule = rules.find((rule) => covers(rule, id));
  const found = cases[id];
  if (isAsWanted(found, rule)) continue;
  const { description, result } = JSON.parse(readFileSync(`${report}/${found.reportfile}`));
  const wanted = rule ? `${rule.behavior} and close code ${rule.code ?? 'none'}: ${rule.why}` : 'OK';
  const is = `${found.behavior}, closing ${found.behaviorClose} with ${found.remoteCloseCode ?? 'none'}`;
  problems.push(`${id} is ${is}; expected: ${wanted}\n  ${description.replace(/<[^>]*>/g, '')}\n  ${result}`);
}
const groups = new Set(ids.map((id) => id.split('.')[0]));
for (const rule of rules) {
  if (groups.has(rule.pattern.split('.')[0]) && !ids.some((id) => covers(rule, id))) problems.push(`no case is ${rule.pattern}`);
}
if (problems.length) {
  console.log(`${problems.join('\n')}\n${problems.length} of ${ids.length} cases are not as they have to be`);
  process.exit(1);
}
