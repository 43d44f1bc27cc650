/** Posts events of services as JSON: `{ "name": "./webhook", "options": { "url": "http://127.0.0.1:9000/", "kinds": ["exit"] } }`. */
const TIMEOUT = 5000;
const ATTEMPTS = 3;

export default function (pm) {
  const { url, kinds = ['exit', 'giveUp', 'unhealthy'] } = pm.options;
  if (!URL.canParse(url)) throw new Error('the option "url" must be the URL to post to');
  let last = null;

  for (const kind of kinds) {
    pm.on(kind, async (event) => {
      last = event;
      // pm passes on one event after the other, so a server that is slow gets them in their order.
      for (let attempt = 1; ; attempt++) {
        try {
          const answer = await fetch(url, {
            method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(event), signal: AbortSignal.timeout(TIMEOUT),
          });
          if (answer.ok) return;
          throw new Error(`${url} answered ${answer.status}`);
        } catch (error) {
          if (attempt === ATTEMPTS) throw error; // It is in `pm log pm-plugin-webhook`.
        }
      }
    });
  }

  pm.http('GET /webhook/last', () => last);
}
