// TLS with Node's https, http2 and ws.
//
// usage: node tls_clients.mjs https://HOST:PORT
//
// What is trusted is in NODE_EXTRA_CA_CERTS.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http2 from "node:http2";
import https from "node:https";
import tls from "node:tls";
import WebSocket from "ws";
import { check, equal, finish, holds } from "./checks.mjs";

const base = process.argv[2].replace(/\/$/, "");
const { hostname: host, port } = new URL(base);
const versions = ["TLSv1.2", "TLSv1.3"];
const only = (version) => ({ minVersion: version, maxVersion: version, servername: "localhost" });

/** A request: the status, the body, and the socket that it went over. */
function ask(path, options = {}, body) {
  return new Promise((resolve, reject) => {
    const request = https.request(base + path, { servername: "localhost", ...options }, async (response) => {
      const pieces = [];
      try {
        for await (const piece of response) pieces.push(piece);
      } catch (error) {
        return reject(error);
      }
      resolve({ status: response.statusCode, data: Buffer.concat(pieces), reused: request.reusedSocket, ...about });
    });
    let about = {};
    // Asked for when it is connected: later the socket may be gone.
    request.once("socket", (socket) => {
      const note = () => (about = { version: socket.getProtocol(), resumed: socket.isSessionReused() });
      socket.getProtocol() && !socket.connecting && socket.authorized ? note() : socket.once("secureConnect", note);
    });
    request.once("error", reject);
    request.end(body);
  });
}

for (const version of versions) {
  await check(`tls node https ${version}: requests on one connection`, async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ...only(version) });
    const first = await ask("/plaintext", { agent });
    equal([first.version, first.data.toString(), first.reused], [version, "Hello, World!", false]);
    const body = randomBytes(3_000_000);
    const echo = await ask("/echo", { agent, method: "POST" }, body);
    holds(echo.data.equals(body) && echo.reused, "the body came back, on the same connection");
    for (const size of [0, 1, 16_384, 16_385, 5_000_000]) {
      equal((await ask(`/bytes/${size}`, { agent })).data.length, size);
    }
    agent.destroy();
  });

  await check(`tls node https ${version}: sessions are resumed`, async () => {
    const agent = new https.Agent({ keepAlive: false, ...only(version) });
    const seen = [];
    for (let turn = 0; turn < 8; turn += 1) seen.push((await ask("/plaintext", { agent })).resumed);
    equal(seen, [false, ...Array(7).fill(true)]);
  });

  await check(`tls node ws ${version}: messages by wss`, async () => {
    const socket = new WebSocket(base.replace("https", "wss") + "/ws/echo", { maxPayload: 0, ...only(version) });
    await once(socket, "open");
    for (const size of [0, 1, 126, 16_384, 65_536, 1 << 20]) {
      const data = randomBytes(size);
      const answer = once(socket, "message");
      socket.send(data);
      holds(data.equals((await answer)[0]), `${size} bytes came back changed`);
    }
    const closed = once(socket, "close");
    socket.close(1000, "done");
    equal((await closed)[0], 1000);
  });
}

await check("tls node https: 300 requests, 30 at a time", async () => {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 30, servername: "localhost" });
  const sizes = Array.from({ length: 300 }, (_, n) => n * 311);
  const answers = await Promise.all(sizes.map((size) => ask(`/bytes/${size}`, { agent })));
  equal(answers.map((answer) => answer.data.length), sizes);
  agent.destroy();
});

await check("tls node http2: requests on one session, by ALPN", async () => {
  const client = http2.connect(base, { servername: "localhost" });
  await once(client, "connect");
  equal([client.alpnProtocol, client.encrypted], ["h2", true]);
  const sizes = Array.from({ length: 200 }, (_, n) => n * 401);
  const answers = await Promise.all(
    sizes.map(async (size) => {
      const stream = client.request({ ":path": `/bytes/${size}` });
      let length = 0;
      for await (const piece of stream) length += piece.length;
      return length;
    }),
  );
  equal(answers, sizes);
  client.close();
  await once(client, "close");
});

await check("tls node fetch: the page and events", async () => {
  // fetch takes no server name: the certificate is for the address, too.
  const page = await fetch(base);
  holds((await page.text()).includes("<html"), "no page");
  const stop = new AbortController();
  const events = await fetch(base + "/sse/ticks", { signal: stop.signal });
  let text = "";
  for await (const piece of events.body) {
    text += Buffer.from(piece).toString();
    if (text.split("\n\n").length > 2) break;
  }
  holds(/^id:/m.test(text), "no ids");
});

// What a client of HTTP/2 says over a connection that is one of HTTP/1.1, and the reverse.
for (const [chosen, said] of [
  ["http/1.1", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"],
  ["h2", "GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n"],
]) {
  await check(`tls node: another protocol than ${chosen}, which was agreed on, is refused`, async () => {
    const socket = tls.connect({ host, port, servername: "localhost", ALPNProtocols: [chosen] });
    await once(socket, "secureConnect");
    equal(socket.alpnProtocol, chosen);
    let got = Buffer.alloc(0);
    socket.on("data", (data) => (got = Buffer.concat([got, data])));
    socket.on("error", () => {});
    const closed = once(socket, "close");
    socket.write(said);
    await closed;
    holds(!got.toString("latin1").includes("Hello"), "it was answered");
    holds(!/^HTTP\/1.1 200/.test(got.toString("latin1")), "it was answered");
  });
}

finish();
