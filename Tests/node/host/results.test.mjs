import assert from 'node:assert/strict';
import test from 'node:test';
import { definition, hostOf } from '../support/host.mjs';

/** A container whose commands are the given function expressions. */
function container(commands) {
  const files = { 'commands.json': definition(Object.fromEntries(Object.keys(commands).map((name) => [name, {}]))) };
  for (const [name, source] of Object.entries(commands)) files[`${name}.mjs`] = `export default ${source};`;
  return files;
}

test('a result may be returned or promised, and nothing is error:null', async (t) => {
  const host = await hostOf(t, container({
    sync: '() => 1', async: 'async () => 2', thenable: '() => ({ then: (resolve) => void setImmediate(resolve, 3) })',
    nothing: '() => {}', promised: 'async () => {}', fn: '() => () => 1',
  }));
  assert.equal((await host.ask('sync')).result, 1);
  assert.equal((await host.ask('async')).result, 2);
  assert.equal((await host.ask('thenable')).result, 3);
  for (const method of ['nothing', 'promised', 'fn']) {
    assert.match((await host.ask(method)).raw, /^\{"id":"t\d","error":null,"jsonrpc":"2\.0"\}$/);
  }
});

test('top-level members that begin with _ are dropped, toJSON is honoured', async (t) => {
  const host = await hostOf(t, container({
    object: '() => ({ _secret: 1, kept: { _inner: 2 }, a_b: 3 })', date: '() => new Date(0)',
    own: '() => new (class { _x = 1; toJSON() { return { _shown: true }; } })()', error: '() => Object.assign(new Error("x"), { code: 7 })',
  }));
  assert.deepEqual((await host.ask('object')).result, { kept: { _inner: 2 }, a_b: 3 });
  assert.equal((await host.ask('date')).result, '1970-01-01T00:00:00.000Z');
  assert.deepEqual((await host.ask('own')).result, { _shown: true });
  assert.deepEqual((await host.ask('error')).result, { code: 7 });
});

test('a result that JSON cannot hold is an error, and the service lives', async (t) => {
  const host = await hostOf(t, container({
    big: '() => 10n', circle: '() => { const a = {}; a.a = a; return a; }', fine: '() => "fine"',
  }));
  for (const method of ['big', 'circle']) {
    const { error } = await host.ask(method);
    assert.equal(error.statusCode, 500);
    assert.match(error.message, /the result cannot be written as JSON: /);
  }
  assert.equal((await host.ask('fine')).result, 'fine');
});

test('a thrown error keeps its own members, message and stack', async (t) => {
  const host = await hostOf(t, container({
    teapot: '(message) => { throw Object.assign(new Error(message), { statusCode: 418, code: "TEAPOT" }); }',
    reject: 'async () => { throw new TypeError("later"); }',
    toJSON: '() => { throw Object.assign(new Error("x"), { toJSON: () => ({ code: "INTERACT", message: "Name?", as: "n" }) }); }',
    inherited: '() => { throw new (class extends Error { toJSON() { return { code: "OWN" }; } })("x"); }',
    plain: '() => { throw { statusCode: 404, reason: "gone" }; }',
    cyclic: '() => { const e = new Error("deep"); e.statusCode = 502; e.self = e; throw e; }',
  }));
  const { error, raw } = await host.ask('teapot', ['short']);
  assert.match(error.stack, /^Error: short\n {4}at /);
  assert.match(raw, /"error":\{"message":"short","name":"Error","statusCode":418,"code":"TEAPOT","stack":/);
  assert.equal((await host.ask('reject')).error.message, 'later');
  assert.deepEqual((await host.ask('toJSON')).error, { code: 'INTERACT', message: 'Name?', as: 'n' });
  assert.deepEqual((await host.ask('inherited')).error, { code: 'OWN' });
  assert.deepEqual((await host.ask('plain')).error, { statusCode: 404, reason: 'gone' });
  const cyclic = (await host.ask('cyclic')).error;
  assert.deepEqual([cyclic.statusCode, cyclic.message], [502, 'deep']);
});

test('whatever is thrown, the answer is an error', async (t) => {
  const host = await hostOf(t, container({
    text: '() => { throw "no"; }', undef: '() => { throw undefined; }', zero: '() => { throw 0; }',
    nul: 'async () => { throw null; }', empty: '() => { throw { toJSON() {} }; }', symbol: '() => { throw Symbol("s"); }',
  }));
  const messages = [];
  for (const method of ['text', 'undef', 'zero', 'nul', 'symbol']) messages.push((await host.ask(method)).error.message);
  assert.deepEqual(messages, ['no', 'undefined', '0', 'null', 'Symbol(s)']);
  assert.equal(typeof (await host.ask('empty')).error.message, 'string');
});

test('requests run at the same time and are answered as they finish', async (t) => {
  const host = await hostOf(t, container({
    wait: 'function () { return new Promise((resolve) => (this.open = resolve)); }', open: 'function () { this.open("opened"); }',
  }));
  const waiting = host.ask('wait');
  assert.equal((await host.ask('open')).error, null);
  assert.equal((await waiting).result, 'opened');
});

test('causes and gathered errors cross the wire, in both directions', async (t) => {
  const files = container({
    cause: `() => {
      const inner = Object.assign(new TypeError('inner', { cause: 'a text' }), { code: 'EINNER', statusCode: 404 });
      throw new Error('outer', { cause: Object.assign(new Error('middle', { cause: inner }), { detail: 1 }) });
    }`,
    many: '() => { throw Object.assign(new AggregateError([new Error("one"), new RangeError("two"), 3], "both"), { code: "MANY" }); }',
    circle: '() => { const e = new Error("circle"); e.cause = e; e.errors = Array(1000).fill(e); throw e; }',
    tree: '() => { const make = (n) => new AggregateError(n > 0 ? Array.from({ length: 9 }, () => make(n - 1)) : [], `e${n}`); throw make(5); }',
    held: '() => { const e = new Error("held", { cause: new Error("why") }); e.socket = { e }; throw e; }',
    call: 0,
  });
  files['call.mjs'] = `export default (pm) => pm.dispatch('other').catch((error) => {
    const { cause, errors } = error;
    return [error instanceof AggregateError, cause instanceof Error, cause.message, cause.cause.code, Object.keys(error), errors.map((one) => one.message ?? one)];
  });`;
  files['commands.json'].commands.find(({ name }) => name === 'call').config[''] = { inject: ['pm'] };
  const host = await hostOf(t, files);
  const { cause } = (await host.ask('cause')).error;
  assert.deepEqual([cause.message, cause.detail, cause.cause.name, cause.cause.message], ['middle', 1, 'TypeError', 'inner']);
  assert.deepEqual([cause.cause.code, cause.cause.statusCode, cause.cause.cause], ['EINNER', 404, 'a text']);
  assert.match(cause.stack, /^Error: middle\n/);
  const { error } = await host.ask('many');
  assert.deepEqual([error.name, error.code, error.errors.map((one) => one.message ?? one)], ['AggregateError', 'MANY', ['one', 'two', 3]]);
  const { error: circle } = await host.ask('circle');
  assert.deepEqual([circle.message, circle.cause, circle.errors.length, circle.errors[63]], ['circle', { message: 'circle' }, 64, { message: 'circle' }]);
  const tree = await host.ask('tree');
  assert.equal([...tree.raw.matchAll(/"stack"/g)].length, 64);
  assert.deepEqual((({ message, cause: { message: why } }) => [message, why])((await host.ask('held')).error), ['held', 'why']);
  const answer = host.ask('call');
  const { id } = await host.message(({ method }) => method === 'other');
  const sent = { message: 'all', cause: { message: 'why', cause: { message: 'deep', code: 'E' } }, errors: [{ message: 'one' }, 2] };
  host.write(`${JSON.stringify({ jsonrpc: '2.0', id, error: sent })}\n`);
  assert.deepEqual((await answer).result, [true, true, 'why', 'E', [], ['one', 2]]);
});
