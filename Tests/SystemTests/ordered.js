// Adds three services that need each other in a row to /etc/pm; each writes its name to /srv/order when it
// begins, and is ready a moment later.
const fs = require('fs');
const file = '/etc/pm/.pm.config.json';
const config = JSON.parse(fs.readFileSync(file));
for (const [name, needs] of [['first', []], ['second', ['first']], ['third', ['second']]]) {
  const path = `/srv/${name}.js`;
  fs.writeFileSync(path, `require('fs').appendFileSync('/srv/order', '${name}\\n');
setTimeout(() => console.log('is ready'), 200);\nsetInterval(() => {}, 1e6);\n`);
  config.containers[name] = { path, type: 'nodejs', dependencies: needs };
  config.mapping[name] = { container: name, autostart: name !== 'first', ready: { log: 'is ready' } };
}
fs.writeFileSync(file, JSON.stringify(config, null, 2));
