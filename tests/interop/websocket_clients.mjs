// WebSocket with Node's ws, and handshakes that must be refused.
//
// usage: node websocket_clients.mjs http://HOST:PORT
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { WebSocket as Undici } from "undici";
import WebSocket from "ws";
import { check, equal, eventually, finish, holds } from "./checks.mjs";

const base = process.argv[2].replace(/\/$/, "");
const echo = base.replace(/^http/, "ws") + "/ws/echo";
const chat = base.replace(/^http/, "ws") + "/ws/chat";

/** An open socket whose messages wait in a queue. */
async function open(url, options = {}) {
  const socket = new WebSocket(url, { maxPayload: 0, ...options });
  const queue = [];
  const waiting = [];
  socket.on("message", (data, binary) => {
    const message = binary ? data : data.toString();
    waiting.length > 0 ? waiting.shift()(message) : queue.push(message);
  });
  socket.next = () => (queue.length > 0 ? Promise.resolve(queue.shift()) : new Promise((resolve) => waiting.push(resolve)));
  await once(socket, "open");
  return socket;
}

/** Closes, and returns the code that the server answered with. */
async function close(socket, code, reason) {
  const closed = once(socket, "close");
  socket.close(code, reason);
  return (await closed)[0];
}

await check("websocket ws, text and binary of every length", async () => {
  const socket = await open(echo);
  for (const size of [0, 1, 125, 126, 127, 65535, 65536, 1 << 20]) {
    socket.send("t".repeat(size));
    equal(await socket.next(), "t".repeat(size));
    const data = randomBytes(size);
    socket.send(data);
    holds(data.equals(await socket.next()), `${size} bytes came back changed`);
  }
  socket.send("Grüße, 世界 🦀");
  equal(await socket.next(), "Grüße, 世界 🦀");
  equal(await close(socket, 1000, "done"), 1000);
});

await check("websocket ws, fragments with pings between", async () => {
  const socket = await open(echo);
  const pongs = [];
  socket.on("pong", (data) => pongs.push(data.toString()));
  for (let part = 0; part < 50; part += 1) {
    socket.send(`part ${part};`, { fin: false });
    socket.ping(`ping ${part}`);
  }
  socket.send("end", { fin: true });
  equal(await socket.next(), Array.from({ length: 50 }, (_, part) => `part ${part};`).join("") + "end");
  equal(pongs, Array.from({ length: 50 }, (_, part) => `ping ${part}`));
  await close(socket, 1000);
});

await check("websocket ws, close codes", async () => {
  for (const [code, reason] of [[1000, ""], [1001, "away"], [1008, ""], [3000, "Grüße"], [4999, "r".repeat(123)]]) {
    equal(await close(await open(echo), code, reason), code);
  }
  equal(await close(await open(echo)), 1005, "a close without a code");
});

await check("websocket ws, offered compression does no harm", async () => {
  const socket = await open(echo, { perMessageDeflate: { threshold: 0 } });
  socket.send("a".repeat(10_000));
  equal(await socket.next(), "a".repeat(10_000));
  await close(socket, 1000);
});

await check("websocket ws, compressed with every parameter", async () => {
  const messages = [0, 9, 99, 2000, 9, 9].map((size, n) => JSON.stringify({ n, items: Array.from({ length: size }, (_, k) => n * k) }));
  for (const options of [
    {},
    { serverNoContextTakeover: true },
    { clientNoContextTakeover: true, clientMaxWindowBits: 9 },
    { serverMaxWindowBits: 9, clientMaxWindowBits: 12 },
  ]) {
    const socket = await open(echo, { perMessageDeflate: { threshold: 0, ...options } });
    holds(socket.extensions.includes("permessage-deflate"), `${JSON.stringify(options)}: nothing was agreed on`);
    for (const message of [...messages, ...messages]) {
      socket.send(message);
      equal(await socket.next(), message);
    }
    await close(socket, 1000);
  }
});

// It inflates, and sends what it sends plain.
await check("websocket undici, messages come compressed", async () => {
  const socket = new Undici(echo);
  await once(socket, "open");
  equal(socket.extensions.split(";")[0], "permessage-deflate");
  for (const size of [0, 9, 99, 2000, 9]) {
    const message = JSON.stringify({ items: Array.from({ length: size }, (_, k) => k * k) });
    const answer = once(socket, "message");
    socket.send(message);
    equal((await answer)[0].data, message);
  }
  const closed = once(socket, "close");
  socket.close(1000);
  equal((await closed)[0].code, 1000);
});

await check("websocket ws, 1000 messages in one turn", async () => {
  const socket = await open(echo);
  const messages = Array.from({ length: 1000 }, (_, count) => `message ${count}`);
  messages.forEach((message) => socket.send(message));
  for (const message of messages) equal(await socket.next(), message);
  await close(socket, 1000);
});

await check("websocket ws, 100 sockets at once", async () => {
  const sockets = await Promise.all(Array.from({ length: 100 }, () => open(echo)));
  await Promise.all(
    sockets.map(async (socket, number) => {
      for (let count = 0; count < 10; count += 1) {
        socket.send(`${number}:${count}`);
        equal(await socket.next(), `${number}:${count}`);
      }
    }),
  );
  await Promise.all(sockets.map((socket) => close(socket, 1000)));
});

await check("websocket ws, version 8 gets 426 and the version spoken", async () => {
  const socket = new WebSocket(echo, { protocolVersion: 8 });
  const [request, answer] = await once(socket, "unexpected-response");
  request.destroy();
  equal([answer.statusCode, answer.headers["sec-websocket-version"]], [426, "13"]);
});

function handshake(headers, method = "GET") {
  return new Promise((resolve, reject) => {
    const request = (echo.startsWith("wss") ? https : http).request(echo.replace(/^ws/, "http"), { method, headers, agent: false });
    request.on("response", (answer) => {
      answer.resume();
      resolve(answer);
    });
    request.on("upgrade", (answer, socket) => {
      socket.destroy();
      resolve(answer);
    });
    request.on("error", reject);
    request.end();
  });
}

const opening = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
};
const without = (name) => Object.fromEntries(Object.entries(opening).filter(([key]) => key !== name));

await check("websocket handshake, whole", async () => {
  const answer = await handshake(opening);
  equal([answer.statusCode, answer.headers["sec-websocket-accept"]], [101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
});
await check("websocket handshake, missing key gets 400", async () => {
  equal((await handshake(without("Sec-WebSocket-Key"))).statusCode, 400);
});
await check("websocket handshake, missing version gets 400 or 426", async () => {
  const { statusCode } = await handshake(without("Sec-WebSocket-Version"));
  holds([400, 426].includes(statusCode), `${statusCode}`);
});
await check("websocket handshake, short key gets 400", async () => {
  equal((await handshake({ ...opening, "Sec-WebSocket-Key": "c2hvcnQ=" })).statusCode, 400);
});
await check("websocket handshake, POST is refused", async () => {
  const { statusCode } = await handshake(opening, "POST");
  holds([400, 405].includes(statusCode), `${statusCode}`);
});

await check("chat ws, the protocol in brief", async () => {
  const room = `node-${randomBytes(6).toString("hex")}`;
  const json = async (socket) => JSON.parse(await socket.next());
  const send = (socket, type, payload) => socket.send(JSON.stringify({ type, payload }));
  const [one, two] = [await open(chat), await open(chat)];
  for (const socket of [one, two]) {
    const { type, payload } = await json(socket);
    equal([type, payload.command, payload.message], ["system", "welcome", "Connected to WebSocket server"]);
    holds(!Number.isNaN(Date.parse(payload.timestamp)), "the welcome has no timestamp");
  }
  send(one, "room", { action: "join", room });
  send(one, "system", { command: "ping" });
  equal((await json(one)).payload.command, "pong");
  send(two, "room", { action: "join", room });
  const joined = await json(one);
  equal([joined.type, joined.payload.command, joined.payload.room], ["system", "user_joined", room]);

  send(two, "chat", { message: "Hello", room });
  for (const socket of [one, two]) {
    const { type, payload } = await json(socket);
    equal([type, payload.message, payload.room], ["chat", "Hello", room]);
    holds(!Number.isNaN(Date.parse(payload.timestamp)) && payload.sender, "no timestamp or sender");
  }
  send(one, "system", { command: "get_stats" });
  const stats = await json(one);
  equal([stats.payload.command, stats.payload.data.rooms[room]], ["stats", 2]);

  one.send("{not json");
  equal(await json(one), { type: "error", payload: { message: "Invalid JSON format" } });

  two.terminate();
  const left = await json(one);
  equal([left.type, left.payload.command, left.payload.room], ["system", "user_left", room]);
  await close(one, 1000);
  const third = await open(chat);
  await third.next();
  await eventually(async () => {
    send(third, "system", { command: "get_stats" });
    return !(room in (await json(third)).payload.data.rooms);
  }, "the empty room is freed");
  third.terminate();
});

finish();
