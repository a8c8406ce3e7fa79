// The envelope on /ws/hub with Node's ws, as a browser speaks it.
//
// usage: node hub_clients.mjs http://HOST:PORT
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import WebSocket from "ws";
import { check, equal, finish, holds } from "./checks.mjs";

const hub = process.argv[2].replace(/\/$/, "").replace(/^http/, "ws") + "/ws/hub";

async function open() {
  const socket = new WebSocket(hub);
  const queue = [];
  const waiting = [];
  socket.on("message", (data) => {
    const message = JSON.parse(data.toString());
    waiting.length > 0 ? waiting.shift()(message) : queue.push(message);
  });
  socket.next = () => (queue.length > 0 ? Promise.resolve(queue.shift()) : new Promise((resolve) => waiting.push(resolve)));
  socket.say = (payload, type = "text") => {
    const name = randomUUID();
    socket.send(JSON.stringify({ message_id: name, message_type: type, payload }));
    return name;
  };
  socket.ask = async (payload) => {
    const name = socket.say(payload);
    const answer = await socket.next();
    equal(answer.payload.in_reply_to, name);
    return answer.payload;
  };
  await once(socket, "open");
  return socket;
}

await check("hub ws, a hundred messages to ten in order, and none to oneself", async () => {
  const channel = `node ${randomUUID()}`;
  const members = await Promise.all(Array.from({ length: 10 }, open));
  for (const member of members) equal((await member.ask({ type: "subscribe", channel })).type, "subscribed");
  const [writer, ...readers] = members;
  for (let data = 0; data < 100; data += 1) writer.say({ type: "broadcast", channel, data });
  for (let offset = 1; offset <= 100; offset += 1) {
    const { payload } = await writer.next();
    equal([payload.type, payload.offset], ["published", offset]);
  }
  for (const reader of readers) {
    for (let data = 0; data < 100; data += 1) {
      const message = await reader.next();
      equal([message.payload, message.offset, message.channel], [data, data + 1, channel]);
    }
  }
  for (const member of members) member.close();
});

await check("hub ws, a reader that leaves and comes back again and again gets each message once", async () => {
  const channel = `node ${randomUUID()}`;
  const writer = await open();
  let since = {};
  let expected = 0;
  let written = 0;
  for (let round = 0; round < 10; round += 1) {
    const reader = await open();
    const { recovered, epoch, offset } = await reader.ask({ type: "subscribe", channel, ...since });
    equal(recovered, round === 0 ? null : true);
    if (round === 0) since = { epoch, offset };
    for (let more = 0; more < 5; more += 1) writer.say({ type: "broadcast", channel, data: written++ });
    // The rest is missed.
    while (expected < written - 2) {
      const message = await reader.next();
      equal(message.payload, expected++);
      since = { epoch: message.epoch, offset: message.offset };
    }
    reader.terminate();
    for (let answers = 0; answers < 5; answers += 1) equal((await writer.next()).payload.type, "published");
  }
  writer.close();
});

await check("hub ws, pings, binary, handlers and close", async () => {
  const socket = await open();
  const name = socket.say("x", "ping");
  const pong = await socket.next();
  equal([pong.message_type, pong.payload, pong.in_reply_to], ["pong", "pong", name]);
  socket.say("AP8=", "binary");
  equal((await socket.next()).payload, "AP8=");
  equal((await socket.ask({ type: "echo", data: { a: null } })).data, { a: null });
  equal((await socket.ask({ type: "nobody" })).code, "unknown_type");
  socket.send("no JSON");
  const { payload } = await socket.next();
  equal([payload.code, payload.in_reply_to], ["bad_json", null]);
  holds(socket.readyState === WebSocket.OPEN, "the connection is gone");
  const closed = once(socket, "close");
  socket.say(null, "close");
  equal((await closed)[0], 1000);
});

finish();
