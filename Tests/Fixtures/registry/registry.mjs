// A registry of npm packages on a loopback port, for tests: node registry.mjs FOLDER. It reads FOLDER/packages.json, an array of
// {name, version, dependencies?, bin?, scripts?, files: {path: text}, fault?: "integrity" | "cut" | "hang"}, again for each
// request; it writes its port into FOLDER/port and each request into FOLDER/requests. FOLDER/token: what clients must send.
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';

const folder = process.argv[2];

function entry(path, text) {
    const body = Buffer.from(text);
    const head = Buffer.alloc(512);
    head.write(`package/${path}`, 0);
    head.write('0000755\0', 100);
    head.write('0000000\0', 108);
    head.write('0000000\0', 116);
    head.write(body.length.toString(8).padStart(11, '0') + '\0', 124);
    head.write('00000000000\0', 136);
    head.write('        ', 148);
    head.write('0', 156);
    head.write('ustar\x0000', 257);
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(sum.toString(8).padStart(6, '0') + '\0 ', 148);
    return [head, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
}

function tarball(pack) {
    const { files = {}, fault, ...manifest } = pack;
    const all = { ...files, 'package.json': JSON.stringify(manifest) };
    const parts = Object.entries(all).flatMap(([path, text]) => entry(path, text));
    return gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)]));
}

function description(versions, base) {
    const all = {};
    for (const pack of versions) {
        const { files, fault, ...manifest } = pack;
        const data = fault === 'integrity' ? Buffer.from('something else') : tarball(pack);
        const integrity = 'sha512-' + createHash('sha512').update(data).digest('base64');
        all[pack.version] = { ...manifest, dist: { integrity, tarball: `${base}/${pack.name}/-/${pack.version}.tgz` } };
        if (manifest.scripts?.install) all[pack.version].hasInstallScript = true;
    }
    return { name: versions[0].name, versions: all, 'dist-tags': { latest: versions.at(-1).version } };
}

function answer(request, response) {
    const base = `http://${request.headers.host}`;
    const path = decodeURIComponent(new URL(request.url, base).pathname).slice(1);
    appendFileSync(`${folder}/requests`, `${request.url}\n`);
    const refuse = (code) => response.writeHead(code, { 'content-type': 'application/json' }).end('{"error":"no"}');
    if (existsSync(`${folder}/token`)) {
        const token = readFileSync(`${folder}/token`, 'utf8');
        if (request.headers.authorization !== `Bearer ${token}`) return refuse(401);
    }
    if (request.method !== 'GET') return refuse(404);
    const packages = JSON.parse(readFileSync(`${folder}/packages.json`, 'utf8'));
    const [name, file] = path.split('/-/');
    const versions = packages.filter((pack) => pack.name === name);
    if (versions.length === 0) return refuse(404);
    if (!file) {
        response.writeHead(200, { 'content-type': 'application/json' });
        return response.end(JSON.stringify(description(versions, base)));
    }
    const pack = versions.find((one) => `${one.version}.tgz` === file);
    if (!pack) return refuse(404);
    const data = tarball(pack);
    if (pack.fault === 'hang') return undefined;
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': data.length });
    if (pack.fault !== 'cut') return response.end(data);
    response.write(data.subarray(0, data.length / 2));
    return setImmediate(() => {
        response.destroy();
        process.exit(0);
    });
}

const server = createServer(answer);
server.listen(0, '127.0.0.1', () => {
    writeFileSync(`${folder}/port.new`, String(server.address().port));
    renameSync(`${folder}/port.new`, `${folder}/port`);
    console.log('listening');
});
