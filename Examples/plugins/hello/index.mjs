import { access } from 'node:fs/promises';

/** Adds `pm hello`, and a check that a file exists: `"ready": { "probe": { "name": "file", "options": { "path": "up" } } }`. */
export default function (pm) {
  pm.command('hello', {
    usage: 'hello <who> [greeting]',
    description: 'Greets somebody',
    options: { loud: { aliases: ['l'], doc: 'In capital letters' } },
  }, ({ who, greeting = pm.options.greeting ?? 'Hello', loud }) => {
    const text = `${greeting} ${who}`;
    return loud ? text.toUpperCase() : text;
  });

  pm.probe('file', async ({ options }) => {
    await access(options.path); // What it throws is what `pm status` shows.
    return true;
  });
}
