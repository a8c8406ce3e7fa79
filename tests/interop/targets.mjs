// Which octets of a URL a browser and Node.js send as they are, and whether the
// server takes them.
//
//     node targets.mjs BASE_URL
//
// A server of this program's own notes the request lines. Prints `ok NAME` or
// `FAIL NAME: why` per check. WITHOUT_BROWSER leaves Chromium out.
import net from 'node:net';
import { check, equal, finish, holds } from './checks.mjs';

const base = new URL(process.argv[2]);
// Visible US-ASCII but for letters, digits, and what ends a part of a URL.
const OCTETS = [...Array(94).keys()].map(n => String.fromCharCode(n + 33))
  .filter(octet => !/[A-Za-z0-9#?/%]/.test(octet));
const REFUSED = { path: '"<>\\`{}', query: '"<>' };

// Asks for every octet in a path or a query by `get`, which fetches a URL; the
// octets that came as they are.
async function sentBy(get, part) {
  const raw = [];
  const server = net.createServer(socket => {
    let text = '';
    socket.on('error', () => {});
    socket.on('data', data => {
      text += data.toString('latin1');
      for (let end; (end = text.indexOf('\r\n\r\n')) >= 0; text = text.slice(end + 4)) {
        const target = /^\S+ (\S+) /.exec(text)[1];
        const octet = /x(.*)y$/.exec(target)?.[1];
        if (octet?.length === 1) raw.push(octet);
        socket.write('HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n');
      }
    });
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  for (const octet of OCTETS) await get(origin + (part === 'path' ? `/x${octet}y` : `/?x${octet}y`));
  server.closeAllConnections?.();
  server.close();
  return raw.filter((octet, at) => raw.indexOf(octet) === at).sort();
}

// The status of a request with this target, sent octet by octet.
const statusOf = target => new Promise((resolve, reject) => {
  const socket = net.connect(Number(base.port), base.hostname);
  let text = '';
  socket.on('error', reject);
  socket.on('data', data => { text += data.toString('latin1'); });
  socket.on('close', () => resolve(Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1])));
  socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, 'latin1');
});

async function judge(name, get) {
  for (const part of ['path', 'query']) {
    await check(`${name}: what it sends in a ${part} is taken`, async () => {
      const raw = await sentBy(get, part);
      holds(raw.length > 10, `only ${raw.join('')} came as they are`);
      const own = raw.filter(octet => REFUSED[part].includes(octet));
      equal(own, [], 'sent, and refused');
      for (const octet of raw) {
        const status = await statusOf(part === 'path' ? `/x${octet}y` : `/?x${octet}y`);
        holds(status !== 400, `${octet} is ${status}`);
      }
    });
  }
}

for (const part of ['path', 'query']) {
  await check(`what no client sends in a ${part} is 400`, async () => {
    for (const octet of REFUSED[part]) {
      equal(await statusOf(part === 'path' ? `/x${octet}y` : `/?x${octet}y`), 400, octet);
    }
  });
}
await judge('Node.js', url => fetch(url).then(response => response.text()));

if (!process.env.WITHOUT_BROWSER) {
  const { launch } = await import('./browser/harness.mjs');
  const browser = await launch();
  const page = await browser.newPage();
  await page.goto(base.href);
  await judge('Chromium', url => page.evaluate(url => fetch(url, { mode: 'no-cors' }).then(() => {}), url));
  await browser.close();
}
finish();
