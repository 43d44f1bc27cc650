/** Fields in the head of a request: as lists, as commands are given them, and the id of the request. pm-gateway has the same rules. */
import { randomBytes } from 'node:crypto';

/** An id of a request is shown in logs: 1 to 128 visible characters of ASCII. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
/** `VERSION-TRACE-PARENT-FLAGS` (W3C Trace Context); a trace of zeros is none. */
const TRACE_PARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/**
 * The values of each field, by its name in small letters.
 * @param {[string, string][]} fields
 * @returns {Map<string, string[]>}
 */
export function grouped(fields) {
  const groups = new Map();
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    if (groups.has(key)) groups.get(key).push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

/**
 * One text for each field: the values of a repeated field are a list (RFC 9110, section 5.3), those of Cookie parts of one (RFC 9113, section 8.2.3).
 * @param {[string, string][]} fields
 * @returns {Record<string, string>}
 */
export function joined(fields) {
  const texts = [...grouped(fields)].map(([name, values]) => [name, values.join(name === 'cookie' ? '; ' : ', ')]);
  return Object.fromEntries(texts);
}

/**
 * The id of a request: that of its client, else that of its trace, else a new one.
 * @param {[string, string][]} fields
 * @param {() => string} [made] makes an id
 */
export function requestID(fields, made = () => randomBytes(16).toString('hex')) {
  const groups = grouped(fields);
  const [ids, traces] = [groups.get('x-request-id') ?? [], groups.get('traceparent') ?? []];
  if (ids.length === 1 && REQUEST_ID.test(ids[0])) return ids[0];
  return (traces.length === 1 ? TRACE_PARENT.exec(traces[0])?.[1] : undefined) ?? made();
}
