// HTTP/2 with Node's own client.
//
// usage: node http2_clients.mjs http://HOST:PORT
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http2 from "node:http2";
import { check, equal, eventually, finish, holds } from "./checks.mjs";

const base = process.argv[2].replace(/\/$/, "");

/** Runs with a session of its own. */
async function session(run, options) {
  const client = http2.connect(base, options);
  client.on("error", () => {});
  try {
    return await run(client);
  } finally {
    client.close();
    client.destroy();
  }
}

/** Sends a whole request and waits for the whole answer. */
async function ask(client, head, body) {
  const request = client.request(head);
  request.end(body);
  const [[fields], data] = await Promise.all([once(request, "response"), read(request)]);
  return { status: fields[":status"], fields, data };
}

async function read(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

const get = (client, path) => ask(client, { ":path": path });

await check("http2 node, requests of every kind", () =>
  session(async (client) => {
    const plain = await get(client, "/plaintext");
    equal([plain.status, plain.data.toString()], [200, "Hello, World!"]);
    equal((await get(client, "/nowhere")).status, 404);
    const body = randomBytes(2_000_000);
    const echo = await ask(client, { ":path": "/echo", ":method": "POST", "content-type": "a/b" }, body);
    equal([echo.status, echo.fields["content-type"], echo.data.equals(body)], [200, "a/b", true]);
  }),
);

await check("http2 node, 1,000 requests on one connection", () =>
  session(async (client) => {
    for (let round = 0; round < 10; round += 1) {
      const sizes = Array.from({ length: 100 }, (_, n) => round * 100 + n);
      const answers = await Promise.all(sizes.map((size) => get(client, `/bytes/${size}`)));
      equal(answers.map((answer) => answer.data.length), sizes);
    }
  }),
);

await check("http2 node, small windows", () =>
  session(async (client) => equal((await get(client, "/bytes/1000000")).data.length, 1_000_000), {
    settings: { initialWindowSize: 5000 },
  }),
);

await check("http2 node, a reply that is paused holds no other up", () =>
  session(async (client) => {
    const paused = client.request({ ":path": "/bytes/3000000" });
    paused.pause();
    await once(paused, "response");
    for (let n = 0; n < 20; n += 1) equal((await get(client, "/plaintext")).status, 200);
    equal((await read(paused)).length, 3_000_000);
  }),
);

await check("http2 node, events until they are cancelled", () =>
  session(async (client) => {
    const ticks = client.request({ ":path": "/sse/ticks" });
    ticks.setEncoding("utf8");
    let text = "";
    ticks.on("data", (piece) => (text += piece));
    await eventually(() => text.split("\n\n").length > 2, "two ticks", 5);
    ticks.close(http2.constants.NGHTTP2_CANCEL);
    equal((await get(client, "/plaintext")).status, 200);
  }),
);

/** A client's frame; a mask of zeros masks nothing. */
const frame = (first, payload) =>
  Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)]);

await check("http2 node, WebSockets by extended CONNECT (RFC 8441)", () =>
  session(async (client) => {
    await once(client, "remoteSettings");
    equal(client.remoteSettings.enableConnectProtocol, true);
    const sockets = await Promise.all(
      [1, 2, 3, 4].map(async (n) => {
        const head = { ":method": "CONNECT", ":protocol": "websocket", ":path": "/ws/echo", "sec-websocket-version": "13" };
        const socket = client.request(head, { endStream: false });
        const [fields] = await once(socket, "response");
        equal(fields[":status"], 200);
        socket.write(frame(0x81, `socket ${n}`));
        const [echo] = await once(socket, "data");
        equal(echo.subarray(2).toString(), `socket ${n}`);
        return socket;
      }),
    );
    for (const socket of sockets) {
      const rest = read(socket);
      socket.write(frame(0x88, [3, 232]));
      equal([...(await rest)], [0x88, 2, 3, 232]);
    }
    equal((await get(client, "/plaintext")).status, 200);
  }),
);

await check("http2 node, a request beside HTTP/1.1 on the same port", async () => {
  const [one, two] = await Promise.all([fetch(base + "/json"), session((client) => get(client, "/json"))]);
  holds((await one.text()) === two.data.toString(), "both say the same");
});

finish();
