/** CORS (Fetch, section 3.2): what the `origins` of a connection point may read. pm-gateway has the same rules. */
import { grouped } from './fields.mjs';

/** How long a browser may keep the answer to a preflight, in seconds. */
const MAX_AGE = 600;
/** Fields of answers that pages may read, beside those that they always may. */
const EXPOSED = 'Allow, Retry-After, X-Request-Id';
const NAMES = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[\t ]*,[\t ]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*$/;

export class CrossOrigin {
  #origins;

  /** @param {string[]} origins as they are configured; `null` is the origin of pages that have none, so it is nobody's */
  constructor(origins) {
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase()).filter((origin) => origin !== 'null'));
  }

  /** @param {string} origin in small letters */
  has(origin) {
    return this.#origins.has(origin);
  }

  /**
   * The fields that every answer to a request has, refusals too: a page must be able to read why it is refused.
   * @param {import('./web-gate.mjs').Head} head
   * @returns {Record<string, string>}
   */
  fieldsFor(head) {
    if (this.#origins.size === 0) return {};
    const origin = this.#originOf(head);
    const permission = origin === undefined ? {} : { 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': EXPOSED };
    return { Vary: 'Origin', ...permission };
  }

  /**
   * The fields of the answer to a preflight; undefined when the request is none, or of a page that may not use the point.
   * @param {import('./web-gate.mjs').Head} head
   * @param {string[]} methods of the path
   * @returns {Record<string, string> | undefined}
   */
  preflightFields(head, methods) {
    const groups = grouped(head.fields);
    const isPreflight = head.method === 'OPTIONS' && groups.get('access-control-request-method')?.length === 1;
    if (!isPreflight || this.#originOf(head) === undefined) return undefined;
    const wanted = (groups.get('access-control-request-headers') ?? []).join(', ');
    return {
      'Access-Control-Allow-Methods': methods.join(', '), ...(NAMES.test(wanted) ? { 'Access-Control-Allow-Headers': wanted } : {}),
      'Access-Control-Max-Age': String(MAX_AGE),
    };
  }

  #originOf({ fields }) {
    const given = grouped(fields).get('origin') ?? [];
    return given.length === 1 && this.has(given[0].toLowerCase()) ? given[0] : undefined;
  }
}
