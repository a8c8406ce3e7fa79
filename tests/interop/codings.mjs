// Replies, streamed replies and events in content codings, with undici (the fetch of Node) and
// the eventsource package.
//
// usage: node codings.mjs http://HOST:PORT
import zlib from "node:zlib";
import { EventSource } from "eventsource";
import { check, equal, eventually, finish } from "./checks.mjs";

const base = process.argv[2].replace(/\/$/, "");
// Node decodes zstd where its zlib does.
const codings = ["gzip", "br", ...(zlib.createZstdDecompress ? ["zstd"] : [])];

const ask = (path, coding, init = {}) =>
  fetch(base + path, { ...init, headers: { ...init.headers, "accept-encoding": coding } });

for (const coding of codings) {
  await check(`codings undici, replies in ${coding}`, async () => {
    for (const path of ["/items", "/"]) {
      const plain = await ask(path, "identity");
      equal(plain.headers.get("content-encoding"), null);
      const coded = await ask(path, coding);
      equal(coded.headers.get("content-encoding"), coding);
      equal(await coded.text(), await plain.text(), path);
    }
  });

  await check(`codings undici, lines in ${coding} are seen one by one`, async () => {
    const stop = new AbortController();
    const answer = await ask("/lines", coding, { signal: stop.signal });
    equal(answer.headers.get("content-encoding"), coding);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    // It has no end: what is seen was not held back until then.
    while (text.split("\n").length < 4) text += (await reader.read()).value;
    equal(text.split("\n").slice(0, 3).map((line) => JSON.parse(line).id), [1, 2, 3]);
    stop.abort();
    await reader.read().catch(() => {});
  });

  await check(`codings eventsource, each event in ${coding} is seen before the next one is sent`, async () => {
    const id = `codings-${process.pid}-${Date.now()}`;
    let used;
    const source = new EventSource(`${base}/api/events?client_id=${id}`, {
      fetch: async (url, init) => {
        const answer = await fetch(url, { ...init, headers: { ...init.headers, "accept-encoding": coding } });
        used = answer.headers.get("content-encoding");
        return answer;
      },
    });
    const seen = [];
    for (const type of ["connected", "news"]) source.addEventListener(type, (event) => seen.push(JSON.parse(event.data)));
    await eventually(() => seen.length === 1, "connected");
    equal([used, seen[0].client_id], [coding, id]);
    for (let n = 0; n < 5; n += 1) {
      const data = { n, text: "the same words in each of them" };
      const body = JSON.stringify({ event: "news", data, target_clients: [id] });
      const sent = await fetch(base + "/api/broadcast", { method: "POST", headers: { "content-type": "application/json" }, body });
      equal(await sent.json(), { status: "sent", clients: 1 });
      await eventually(() => seen.length === n + 2, `event ${n}`);
      equal(seen.at(-1), data);
    }
    source.close();
  });
}

finish();
