// A member of a channel on /ws/hub that says all it sees: hub_member.py in JavaScript, for
// Node's ws, and for a page of the showcase in Chromium.
//
// usage: node hub_member.mjs URL CHANNEL NAME [OTHERS] [--browser]
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

/** Runs in a page, too, so that it is one function that needs nothing from outside. */
function start(url, channel, name, others, WebSocket, say) {
  const WINDOW = 100;
  const heard = new Map(others.map((other) => [other, 0]));
  const asked = new Map();
  let since = {};
  let quota = 0;
  let number = 0;
  let socket;
  let isMember = false;
  let isAway = false;

  const send = (id, payload) => socket.send(JSON.stringify({ message_id: id, message_type: "text", payload }));
  const mayPublish = () =>
    heard.size > 0
      ? number < Math.min(quota, Math.min(...heard.values()) + WINDOW) && asked.size < WINDOW
      : number < quota && asked.size === 0;
  const publish = () => {
    while (isMember && mayPublish()) {
      number += 1;
      const data = `${name} ${number}`;
      asked.set(`${number}`, data);
      send(`${number}`, { type: "broadcast", channel, data });
    }
  };
  const move = ({ epoch, offset }) => {
    if (epoch && (since.epoch !== epoch || since.offset < offset)) since = { epoch, offset };
  };
  const take = (message) => {
    const { payload } = message;
    if (message.channel) {
      move(message);
      say(["seen", message.epoch, message.offset, payload]);
      const [who, count] = payload.split(" ");
      if (heard.has(who)) heard.set(who, Number(count));
    } else if (payload.type === "subscribed") {
      say(["joined", payload.epoch, payload.offset, payload.recovered]);
      if (payload.recovered !== true) {
        since = {};
        move(payload);
      }
      isMember = true;
    } else if (payload.type === "published") {
      move(payload);
      say(["published", payload.epoch, payload.offset, asked.get(payload.in_reply_to)]);
      asked.delete(payload.in_reply_to);
    } else {
      say(["refused", payload.code, asked.get(payload.in_reply_to) ?? null]);
      asked.delete(payload.in_reply_to);
      if (payload.in_reply_to === "subscribe") socket.close();
      else setTimeout(publish, 50);
      return;
    }
    publish();
  };
  const visit = () => {
    if (isAway) return;
    const mine = new WebSocket(url);
    socket = mine;
    isMember = false;
    mine.onopen = () => send("subscribe", { type: "subscribe", channel, ...since });
    mine.onmessage = ({ data }) => socket === mine && take(JSON.parse(data));
    mine.onerror = () => {};
    mine.onclose = () => {
      if (socket !== mine) return;
      say(["lost", [...asked.values()]]);
      asked.clear();
      isMember = false;
      setTimeout(visit, 50);
    };
  };
  visit();
  return (line) => {
    const [word, value] = line.split(" ");
    if (word === "go") {
      quota = Number(value);
      publish();
    } else if (word === "away") {
      isAway = true;
      socket.close();
    } else if (word === "come") {
      url = value;
      isAway = false;
      visit();
    }
  };
}

async function inPage(url, channel, name, others, say) {
  const { launch } = await import("./browser/harness.mjs");
  const page = await (await launch()).newPage();
  await page.goto(url.replace(/^ws/, "http").replace(/\/ws\/hub$/, "/"));
  await page.exposeFunction("told", (lines) => lines.forEach(say));
  await page.evaluate(
    ([source, ...rest]) => {
      let lines = [];
      const say = (what) => {
        if (lines.push(what) === 1) setTimeout(() => window.told(lines.splice(0)), 20);
      };
      const begin = new Function(`return ${source}`)();
      window.command = begin(...rest, WebSocket, say);
    },
    [start.toString(), url, channel, name, others],
  );
  return (line) => page.evaluate((line) => window.command(line), line);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const isBrowser = process.argv.includes("--browser");
  const [url, channel, name, others = ""] = process.argv.slice(2).filter((it) => it !== "--browser");
  const names = others.split(",").filter(Boolean);
  const lines = [];
  const say = (what) => {
    if (lines.push(JSON.stringify(what)) === 1) setImmediate(() => process.stdout.write(`${lines.splice(0).join("\n")}\n`));
  };
  const command = isBrowser
    ? await inPage(url, channel, name, names, say)
    : start(url, channel, name, names, (await import("ws")).WebSocket, say);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "end") break;
    await command(line);
  }
  process.stdout.write('["end"]\n', () => process.exit(0));
}
