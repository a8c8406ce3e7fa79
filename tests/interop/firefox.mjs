// Firefox as it comes, without a window: content codings, events one by one, and WebSocket
// messages that are compressed. It is driven by WebDriver BiDi, over its own remote port.
//
// usage: node firefox.mjs http://HOST:PORT
//
// FIREFOX names another binary.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import WebSocket from "ws";
import { check, equal, eventually, finish, holds, PATIENCE } from "./checks.mjs";

const base = process.argv[2].replace(/\/$/, "");

/** Starts the browser: its process, and where its remote port is. */
async function start(profile) {
  // It asks nobody else for anything.
  const prefs = ["app.update.disabledForTesting", "browser.shell.checkDefaultBrowser", "datareporting.policy.dataSubmissionEnabled"];
  const lines = prefs.map((name, at) => `user_pref("${name}", ${at === 0});`);
  writeFileSync(join(profile, "user.js"), lines.join("\n"));
  const options = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"];
  const browser = spawn(process.env.FIREFOX ?? "firefox-esr", options, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  browser.on("error", (error) => (said += `${error}\n`));
  browser.stderr.on("data", (text) => (said += text));
  const listening = /WebDriver BiDi listening on (ws:\S+)/;
  await eventually(() => listening.test(said) || browser.exitCode !== null, "the remote port");
  const found = listening.exec(said);
  holds(found, `the browser does not start: ${said.slice(-300)}`);
  return { browser, port: found[1] };
}

/** A session: what its commands are sent by. */
async function connect(port) {
  const socket = new WebSocket(`${port}/session`);
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  const waiting = new Map();
  socket.on("message", (text) => {
    const { id, result, message } = JSON.parse(text);
    const { resolve, reject } = waiting.get(id) ?? {};
    if (result) resolve?.(result);
    else reject?.(new Error(message));
  });
  return (method, params) =>
    new Promise((resolve, reject) => {
      const id = waiting.size + 1;
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ id, method, params }));
    });
}

const profile = mkdtempSync(join(tmpdir(), "firefox-"));
const { browser, port } = await start(profile);
try {
  const send = await connect(port);
  await send("session.new", { capabilities: {} });
  const { contexts } = await send("browsingContext.getTree", {});
  const context = contexts[0].context;
  await send("browsingContext.navigate", { context, url: `${base}/?by-hand`, wait: "complete" });

  /** Runs a function in the page; what it returns goes through JSON. */
  const inPage = async (run, ...parts) => {
    const expression = `(${run})(...${JSON.stringify(parts)}).then((value) => JSON.stringify(value ?? null))`;
    const { result, exceptionDetails } = await send("script.evaluate", { expression, target: { context }, awaitPromise: true });
    holds(!exceptionDetails, exceptionDetails?.text);
    return JSON.parse(result.value);
  };
  /** Has the page's requests name these codings alone. */
  const accept = (value) =>
    send("network.setExtraHeaders", { contexts: [context], headers: [{ name: "Accept-Encoding", value: { type: "string", value } }] });
  const fetched = (path) =>
    inPage(async (path) => {
      const reply = await fetch(path, { cache: "no-store" });
      return [reply.headers.get("content-encoding"), await reply.text()];
    }, path);
  const plain = await (await fetch(`${base}/items`, { headers: { "accept-encoding": "identity" } })).text();

  for (const coding of ["gzip", "br", "zstd"]) {
    await check(`firefox decodes ${coding}`, async () => {
      await accept(coding);
      equal(await fetched("/items"), [coding, plain]);
    });
    await check(`firefox sees lines in ${coding} one by one`, async () => {
      // The reply has no end: what is seen was not held back until then.
      const seen = await inPage(async () => {
        const stop = new AbortController();
        const reply = await fetch("/lines", { cache: "no-store", signal: stop.signal });
        const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
        let text = "";
        while (text.split("\n").length < 4) text += (await reader.read()).value;
        stop.abort();
        const lines = text.split("\n").slice(0, 3);
        return [reply.headers.get("content-encoding"), lines.map((line) => JSON.parse(line).id)];
      });
      equal(seen, [coding, [1, 2, 3]]);
    });
    await check(`firefox EventSource sees each event in ${coding} before the next one is sent`, async () => {
      const id = `firefox-${coding}-${process.pid}-${Date.now()}`;
      await inPage(async (id) => {
        globalThis.seen = [];
        globalThis.source = new EventSource(`/api/events?client_id=${id}`);
        for (const type of ["connected", "news"]) source.addEventListener(type, (event) => seen.push(JSON.parse(event.data)));
      }, id);
      const seen = () => inPage(async () => globalThis.seen);
      await eventually(async () => (await seen()).length === 1, "the first event");
      for (let n = 0; n < 5; n += 1) {
        const data = { n, text: "the same words in each of them" };
        const body = JSON.stringify({ event: "news", data, target_clients: [id] });
        const sent = await fetch(`${base}/api/broadcast`, { method: "POST", headers: { "content-type": "application/json" }, body });
        equal(await sent.json(), { status: "sent", clients: 1 });
        await eventually(async () => (await seen()).length === n + 2, `event ${n}`);
        equal((await seen()).at(-1), data);
      }
      await inPage(async () => globalThis.source.close());
    });
  }
  await check("firefox unasked takes a coding", async () => {
    await send("network.setExtraHeaders", { contexts: [context], headers: [] });
    const [coding, text] = await fetched("/items");
    holds(["gzip", "br", "zstd"].includes(coding), `it is ${coding}`);
    equal(text, plain);
  });

  await check("firefox compresses WebSocket messages, both ways", async () => {
    const seen = await inPage(
      () =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws/echo`);
          socket.binaryType = "arraybuffer";
          const texts = Array.from({ length: 50 }, (_, n) => JSON.stringify({ n, items: Array(n * 20).fill("text") }));
          const sent = [...texts, "", "x".repeat(1 << 20), new Uint8Array(70_000).fill(7)];
          const back = [];
          const same = (one, other) =>
            typeof one === "string" ? one === other : new Uint8Array(one).every((byte, at) => byte === other[at]) && one.byteLength === other.length;
          socket.onerror = () => reject(new Error("the socket failed"));
          socket.onopen = () => sent.forEach((message) => socket.send(message));
          socket.onmessage = ({ data }) => {
            if (back.push(data) < sent.length) return;
            socket.onclose = ({ code }) => resolve([socket.extensions, back.every((one, n) => same(one, sent[n])), code]);
            socket.close(1000);
          };
        }),
    );
    holds(/^permessage-deflate/.test(seen[0]), `its extensions are ${seen[0]}`);
    equal(seen.slice(1), [true, 1000]);
  });
} catch (error) {
  await check("firefox", () => Promise.reject(error));
} finally {
  const ended = new Promise((resolve) => browser.once("exit", resolve));
  browser.kill();
  setTimeout(() => browser.kill("SIGKILL"), (PATIENCE / 4) * 1000).unref();
  await ended;
  rmSync(profile, { recursive: true, force: true });
}
finish();
