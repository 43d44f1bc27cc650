/**
 * As much of a Docker engine as pm-docker uses (Docker Engine API 1.41), without containers: what would be one is a process
 * of this machine, so that tests need neither root nor images.
 *
 *   engine.mjs SOCKET
 *
 * Images are `here`, and `far`, which has to be pulled. POST /test/away?ms=N closes all connections and comes back after N
 * milliseconds while processes go on; with listening=1 its socket stays, as a service manager keeps it. /test/hold lets pulls take for ever, /test/healthy makes containers healthy; GET
 * /test/seen tells what was asked for.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { unlinkSync } from 'node:fs';

const [, , path] = process.argv;
const containers = new Map();
const images = new Set(['here:latest', 'here']);
const sockets = new Set();
const seen = [];
const watchers = new Set();
let isHolding = false;
let made = 0;
let back;
const server = createServer(answer);
server.on('connection', (socket) => {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket)).on('error', () => {});
});
process.on('SIGTERM', () => {
  for (const container of containers.values()) end(container);
  process.exit();
});
listen();

function listen() {
  server.listen(path, () => console.log('listening'));
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://docker');
  const query = Object.fromEntries(url.searchParams);
  let text = '';
  for await (const chunk of request) text += chunk;
  await back;
  if (!url.pathname.startsWith('/test/')) seen.push(`${request.method} ${url.pathname}`);
  const [, area, name, verb] = url.pathname.split('/');
  const call = { query, body: text && JSON.parse(text), response, name };
  if (area === 'test') return tests[name](call);
  if (area === 'events') return watch(call);
  if (area === 'images' && name === 'create') return pull(call);
  if (area === 'images') return images.has(name) ? say(response, 200, {}) : say(response, 404, { message: `no such image: ${name}` });
  const key = `${request.method} containers`;
  if (collection[`${key}/${name}`]) return collection[`${key}/${name}`](call);
  const container = containers.get(name);
  if (container === undefined) return say(response, 404, { message: `No such container: ${name}` });
  return single[verb === undefined ? key : `${key} ${verb}`]({ ...call, container });
}

function say(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

const collection = {
  'POST containers/create': ({ query, body, response }) => {
    if (!images.has(body.Image)) return say(response, 404, { message: `No such image: ${body.Image}` });
    if (containers.has(query.name)) return say(response, 409, { message: `Conflict. The name ${query.name} is in use` });
    const container = { id: `id-${++made}`, name: query.name, body, log: [], hearers: new Set(), waiters: [] };
    containers.set(query.name, container);
    containers.set(container.id, container);
    say(response, 201, { Id: container.id, Warnings: ['this is no real engine'] });
  },
  'GET containers/json': ({ query, response }) => {
    const [label] = JSON.parse(query.filters).label;
    const all = [...new Set(containers.values())].filter(({ body }) => `pm.owner=${body.Labels['pm.owner']}` === label);
    say(response, 200, all.map(({ id, body }) => ({ Id: id, Labels: body.Labels })));
  },
};

const single = {
  'POST containers start': ({ container, response }) => {
    const { error } = startContainer(container);
    if (error) return say(response, 400, { message: error });
    say(response, 204);
  },
  'POST containers kill': ({ container, query, response }) => {
    if (container.process?.exitCode !== null || container.process.signalCode !== null) return say(response, 409, { message: 'it does not run' });
    container.process.kill(Number(query.signal));
    say(response, 204);
  },
  'POST containers attach': ({ container, response }) => {
    response.writeHead(200, { 'Content-Type': 'application/vnd.docker.raw-stream' }).flushHeaders();
    hear(container, response);
  },
  'GET containers logs': ({ container, query, response }) => {
    response.writeHead(200).flushHeaders();
    for (const { at, frame } of container.log) if (at >= Number(query.since) * 1000) response.write(frame);
    hear(container, response);
  },
  'POST containers wait': ({ container, query, response }) => {
    response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders();
    const tell = () => response.end(JSON.stringify({ StatusCode: container.code ?? 0 }));
    if (query.condition === 'not-running' && container.code !== undefined) return tell();
    container.waiters.push(tell);
  },
  'GET containers json': ({ container, response }) => {
    const { code, body, health } = container;
    const isRunning = container.process !== undefined && code === undefined;
    const OOMKilled = code === 137 && body.Env.includes('OOM=1');
    const Health = health && { Status: health };
    say(response, 200, { Config: { Labels: body.Labels }, State: { Running: isRunning, OOMKilled, ...(Health && { Health }) } });
  },
  'DELETE containers': ({ container, response }) => {
    end(container);
    containers.delete(container.name);
    containers.delete(container.id);
    say(response, 204);
  },
};

const tests = {
  away: ({ query, response }) => {
    say(response, 200);
    setTimeout(() => {
      if (query.listening) back = new Promise((resolve) => setTimeout(resolve, Number(query.ms)));
      else server.close();
      for (const socket of sockets) socket.destroy();
      if (query.listening) return;
      try { unlinkSync(path); } catch { /* closing removed it */ }
      setTimeout(listen, Number(query.ms));
    }, 10);
  },
  hold: ({ response }) => say(response, 200, (isHolding = true)),
  healthy: ({ response }) => {
    for (const container of containers.values()) container.health &&= 'healthy';
    for (const watcher of watchers) watcher.write('{"status":"health_status: healthy"}\n');
    say(response, 200);
  },
  seen: ({ response }) => say(response, 200, seen),
  running: ({ response }) => say(response, 200, [...new Set(containers.values())].filter((one) => one.process && one.code === undefined).length),
  bodies: ({ response }) => say(response, 200, [...new Set(containers.values())].map(({ body }) => body)),
};

function pull({ query, response }) {
  response.writeHead(200).flushHeaders();
  response.write(`{"status":"Pulling from ${query.fromImage}"}\n{"status":"Wai`);
  if (isHolding) return;
  response.write('ting"}\n');
  if (!query.fromImage.startsWith('far')) return response.end('{"error":"the registry knows no such image"}\n');
  for (const name of [query.fromImage, query.fromImage.replace(':latest', '')]) images.add(name);
  response.end('{"status":"done"}\n');
}

function watch({ response }) {
  response.writeHead(200).flushHeaders();
  watchers.add(response);
  response.on('close', () => watchers.delete(response));
}

function hear(container, response) {
  if (container.code !== undefined) return response.end();
  container.hearers.add(response);
  response.on('close', () => container.hearers.delete(response));
}

/** Where the container would see something, this machine has it elsewhere. */
function seenFromHere({ body }, text) {
  return body.HostConfig.Mounts.reduce((result, { Target, Source }) => result.replaceAll(Target, Source), text);
}

function startContainer(container) {
  const { body } = container;
  const [program, ...words] = [...(body.Entrypoint ?? []), ...(body.Cmd ?? [])].map((word) => seenFromHere(container, word));
  if (program === 'none') return { error: 'exec: "none": executable file not found in $PATH' };
  const variables = body.Env.filter((text) => text.includes('=')).map((text) => {
    const [name, ...rest] = text.split('=');
    return [name, seenFromHere(container, rest.join('='))];
  });
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, FROM_IMAGE: 'yes', ...Object.fromEntries(variables) };
  for (const name of body.Env) if (!name.includes('=')) delete env[name];
  if (env.HEALTH) container.health = 'starting';
  container.process = spawn(program, words, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  container.process.stdout.on('data', (data) => write(container, 1, data));
  container.process.stderr.on('data', (data) => write(container, 2, data));
  container.process.on('close', (code, signal) => {
    container.code = signal === null ? code : 128 + { SIGKILL: 9, SIGTERM: 15 }[signal];
    for (const tell of container.waiters) tell();
    for (const hearer of container.hearers) hearer.end();
  });
  return {};
}

function write(container, stream, data) {
  const frame = Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]), data]);
  frame.writeUInt32BE(data.length, 4);
  container.log.push({ at: Date.now(), frame });
  for (const hearer of container.hearers) hearer.write(frame);
}

function end({ process: child }) {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try { process.kill(-child.pid, 'SIGKILL'); } catch { child.kill('SIGKILL'); }
}
