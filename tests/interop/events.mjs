// Server-Sent Events with the eventsource package, the EventSource of browsers.
//
// usage: node events.mjs http://HOST:PORT
//
// The broadcaster counts its clients, so nobody else may use the server meanwhile.
import { once } from "node:events";
import net from "node:net";
import { EventSource } from "eventsource";
import { AT_ONCE, check, equal, eventually, finish, holds } from "./checks.mjs";

const base = process.argv[2].replace(/\/$/, "");
const { hostname, port } = new URL(base);

/** Collects events of the given types until closed. */
function listen(url, ...types) {
  const source = new EventSource(url);
  source.seen = [];
  for (const type of types) source.addEventListener(type, (event) => source.seen.push(event));
  return source;
}

const post = (path, body) =>
  fetch(base + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const clients = async () => (await (await fetch(base + "/api/clients")).json()).client_count;

await check("events eventsource, ticks in sequence", async () => {
  const source = listen(base + "/sse/ticks", "message", "tick");
  await eventually(() => source.seen.length >= 3, "three ticks");
  const ids = source.seen.slice(0, 3).map((event) => Number(event.lastEventId));
  equal(ids, [ids[0], ids[0] + 1, ids[0] + 2]);
  source.close();
});

await check("events eventsource, reconnects and misses no tick", async () => {
  // A pipe to the server that can be cut, so that the client has to come back.
  let cut = () => {};
  const requests = [];
  const pipe = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    near.once("data", (data) => requests.push(data.toString("latin1")));
    near.pipe(far).pipe(near);
    cut = () => [near, far].forEach((socket) => socket.destroy());
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
  });
  pipe.listen(0, "127.0.0.1");
  await once(pipe, "listening");
  const source = listen(`http://127.0.0.1:${pipe.address().port}/sse/ticks`, "message", "tick");
  for (const wanted of [2, 4, 6]) {
    await eventually(() => source.seen.length >= wanted, `${wanted} ticks`);
    cut();
  }
  const ids = source.seen.map((event) => Number(event.lastEventId));
  equal(ids, ids.map((_, step) => ids[0] + step));
  holds(requests.length >= 3, `${requests.length} connections`);
  for (const request of requests.slice(1)) {
    holds(/^last-event-id: \d+\r$/im.test(request), "the client came back without Last-Event-ID");
  }
  source.close();
  pipe.close();
  cut();
});

await check("events eventsource, the broadcaster in brief", async () => {
  await eventually(async () => (await clients()) === 0, "nobody else listens");
  const id = `node-${process.pid}-${Date.now()}`;
  const source = listen(`${base}/api/events?client_id=${id}`, "connected", "news", "notification", "update");
  const next = async (type) => {
    await eventually(() => source.seen.length > 0, type);
    const event = source.seen.shift();
    equal(event.type, type);
    return JSON.parse(event.data);
  };
  equal((await next("connected")).client_id, id);
  equal(await clients(), 1);
  equal(await (await post("/api/broadcast", { event: "news", data: { n: 1 }, target_clients: [id] })).json(), { status: "sent", clients: 1 });
  equal(await next("news"), { n: 1 });
  equal(await (await post("/api/notify", { title: "T", message: "M" })).json(), { status: "notification sent" });
  equal((await next("notification")).priority, "normal");
  equal(await (await post("/api/update", { update_data: [1, 2] })).json(), { status: "update sent" });
  equal(await next("update"), [1, 2]);
  source.close();
  await eventually(async () => (await clients()) === 0, "the client that closed is gone", AT_ONCE);
});

await check("events eventsource, a 404 is an error and no stream", async () => {
  const source = new EventSource(base + "/sse/nothing");
  const [error] = await new Promise((resolve) => source.addEventListener("error", (event) => resolve([event])));
  equal([error.code, source.readyState], [404, EventSource.CLOSED]);
  source.close();
});

finish();
