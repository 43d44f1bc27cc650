// Asks over HTTP and prints the status and the body: `ask.js URL [TOKEN]`. Any certificate will do.
const [url, token] = process.argv.slice(2);
const headers = token ? { Authorization: `Bearer ${token}` } : {};
const { get } = require(url.startsWith('https:') ? 'https' : 'http');
get(url, { headers, rejectUnauthorized: false, agent: false }, (response) => {
  let body = '';
  response.on('data', (part) => (body += part));
  response.on('end', () => console.log(response.statusCode, body.trim()));
}).on('error', (error) => console.log('failed', error.code));
