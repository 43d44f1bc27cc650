'use strict';

/** Mounts the commands that have an `http` configuration as routes of a router (of express, or one that works so). */
const { Pile } = require('./wire/pile.cjs');

const METHODS = new Set(['all', 'delete', 'get', 'head', 'options', 'patch', 'post', 'put', 'use']);
/** Longest body that is read where the router has not read it, in bytes. */
const MAX_BODY = 16 * 1024 * 1024;

/**
 * @param {import('./container.cjs').Container} container
 * @param {Record<string, (path: string, handler: Function) => unknown>} router
 * @returns {string[]} the routes, `GET /users/:id`
 */
function attachHttp(container, router) {
  const routes = [];
  for (const { name, config } of container.commands) {
    const { http } = config ?? {};
    if (typeof http?.route !== 'string') continue;
    const method = (http.method ?? 'use').toLowerCase();
    if (!METHODS.has(method) || typeof router?.[method] !== 'function') {
      throw new TypeError(`${name}: the router has no method ${method}`);
    }
    const path = http.route.replace(/\{(\w+)\}/g, ':$1');
    router[method](path, (request, response) => answer(container, { name, config, http }, request, response));
    routes.push(`${method.toUpperCase()} ${path}`);
  }
  return routes;
}

async function answer(container, { name, config, http }, request, response) {
  try {
    const params = await parametersOf(http, config[''], request);
    const result = await container.dispatch(name, ...params);
    if (result === undefined || result === null) return end(response, 204);
    return reply(response, result, http);
  } catch (error) {
    const status = Number.isInteger(error?.statusCode) && error.statusCode >= 400 && error.statusCode < 600 ? error.statusCode : 500;
    const { message, code, hint } = error ?? {};
    return end(response, status, 'application/json', JSON.stringify({ statusCode: status, code, message, hint }));
  }
}

function reply(response, result, { type = 'json', contentType }) {
  if (type === 'json') return end(response, 200, contentType ?? 'application/json', JSON.stringify(result));
  const text = typeof result === 'string' || Buffer.isBuffer(result) ? result : String(result);
  const kinds = { text: 'text/plain; charset=utf-8', xml: 'application/xml', raw: 'application/octet-stream' };
  return end(response, 200, contentType ?? kinds[type] ?? kinds.raw, text);
}

function end(response, status, type, body) {
  response.statusCode = status;
  if (type !== undefined) response.setHeader('Content-Type', type);
  response.end(body);
}

/** Entry i of `http.inject` is sent at the position that entry i of the general inject list names. */
async function parametersOf(http, general, request) {
  const sources = http.inject ?? [];
  const scope = await scopeOf(sources, request);
  const params = [];
  for (const [index, source] of sources.entries()) {
    const place = /^params\.(\d+)$/.exec(general?.inject?.[index] ?? `params.${index}`);
    if (place !== null) params[Number(place[1])] = String(source).split('.').reduce((value, key) => value?.[key], scope);
  }
  return Array.from(params, (value) => value ?? null);
}

async function scopeOf(sources, request) {
  const url = new URL(request.originalUrl ?? request.url ?? '/', 'http://localhost');
  const wantsBody = sources.some((source) => /^(body|rawBody)(\.|$)/.test(source));
  const body = wantsBody ? request.body ?? (await bodyOf(request)) : undefined;
  return {
    route: request.params ?? {}, query: request.query ?? Object.fromEntries(url.searchParams),
    headers: request.headers ?? {}, rawBody: body, body,
  };
}

async function bodyOf(request) {
  const body = new Pile(undefined, MAX_BODY);
  for await (const chunk of request) {
    if (!body.appendCopy(chunk)) throw Object.assign(new Error('the body is too long'), { statusCode: 413 });
  }
  const text = body.bytes.toString('utf8');
  if (!(request.headers?.['content-type'] ?? '').includes('json')) return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw Object.assign(new Error(`the body is not JSON: ${error.message}`), { statusCode: 400 });
  }
}

module.exports = { attachHttp };
