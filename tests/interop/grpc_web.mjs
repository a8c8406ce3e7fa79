// gRPC-Web over HTTP/1.1 with connect-node, and its bytes with fetch.
//
// usage: node grpc_web.mjs http://HOST:PORT
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-node";
import { randomBytes } from "node:crypto";
import { PATIENCE, check, equal, finish, holds } from "./checks.mjs";
import { message, UserService } from "./user_service.mjs";

const base = process.argv[2].replace(/\/$/, "");
const client = createClient(UserService, createGrpcWebTransport({ baseUrl: base, httpVersion: "1.1" }));

const some = () => `u${randomBytes(6).toString("hex")}`;
const fields = ({ name, email, age, roles }) => ({ name, email, age, roles });

/** A new user whom no other check knows. */
async function newUser(name = some()) {
  return client.createUser({ name, email: `${some()}@example.com`, age: 30, roles: ["reader"] });
}

async function list(request) {
  const users = [];
  for await (const user of client.listUsers(request)) users.push(user);
  return users;
}

/** The call must fail with this code and say something about it. */
async function fails(call, code) {
  try {
    await call();
  } catch (error) {
    holds(error instanceof ConnectError, `${error}`);
    equal(Code[error.code], Code[code]);
    holds(error.rawMessage.length > 0, "the error has no message");
    return error;
  }
  throw new Error(`it succeeded instead of ${Code[code]}`);
}

// With the stock client.

await check("grpc CreateUser and GetUser", async () => {
  const wanted = { name: "Grüße 🦀", email: `${some()}@example.com`, age: 41, roles: ["admin", "", "reader"] };
  const created = await client.createUser(wanted);
  holds(created.id.length > 0, "no id");
  equal(fields(created), wanted);
  const found = await client.getUser({ id: created.id });
  equal([found.id, fields(found)], [created.id, wanted]);
});

await check("grpc ids are unique", async () => {
  const users = await Promise.all(Array.from({ length: 20 }, () => newUser()));
  equal(new Set(users.map((user) => user.id)).size, 20);
});

await check("grpc UpdateUser", async () => {
  const { id } = await newUser();
  const wanted = { name: some(), email: `${some()}@example.com`, age: -1, roles: ["a", "b"] };
  const updated = await client.updateUser({ id, user: wanted });
  equal([updated.id, fields(updated)], [id, wanted]);
  equal(fields(await client.getUser({ id })), wanted);
});

await check("grpc DeleteUser", async () => {
  const { id } = await newUser();
  const answer = await client.deleteUser({ id });
  holds(answer.success && answer.message.length > 0, JSON.stringify(answer));
  await fails(() => client.getUser({ id }), Code.NotFound);
  await fails(() => client.deleteUser({ id }), Code.NotFound);
});

await check("grpc ListUsers, pages", async () => {
  const mark = some();
  const names = [];
  for (let count = 0; count < 12; count += 1) names.push((await newUser(`${mark} ${count}`)).name);
  const page = async (pageSize, pageToken) => (await list({ pageSize, pageToken, filter: mark })).map((user) => user.name);
  equal(await page(0, ""), names.slice(0, 10), "page_size 0 means 10");
  equal(await page(5, ""), names.slice(0, 5));
  equal(await page(5, "5"), names.slice(5, 10));
  equal(await page(5, "10"), names.slice(10));
  equal(await page(100, "0"), names);
  equal(await page(5, "12"), []);
  equal(await page(5, "1000000"), []);
});

await check("grpc ListUsers, the filter is part of the name in any case", async () => {
  const mark = some();
  await newUser(`Zoë ${mark.toUpperCase()} Smith`);
  for (const filter of [mark, mark.toUpperCase(), mark.slice(2, 9), `Ë ${mark}`.toLowerCase(), `${mark} SMITH`]) {
    equal((await list({ filter })).length, 1, filter);
  }
  equal(await list({ filter: `${mark}x` }), []);
});

await check("grpc ListUsers, 300 messages of 3 kB in one stream", async () => {
  const mark = some();
  await Promise.all(Array.from({ length: 300 }, () => newUser(`${mark} ${"n".repeat(3000)}`)));
  const users = await list({ pageSize: 1000, filter: mark });
  equal([users.length, new Set(users.map((user) => user.id)).size], [300, 300]);
});

await check("grpc NOT_FOUND", async () => {
  for (const id of [some(), "ü %41 \n", "0".repeat(1000)]) {
    await fails(() => client.getUser({ id }), Code.NotFound);
    await fails(() => client.deleteUser({ id }), Code.NotFound);
    await fails(() => client.updateUser({ id, user: { name: "n", email: `${some()}@example.com` } }), Code.NotFound);
  }
});

await check("grpc INVALID_ARGUMENT", async () => {
  await fails(() => client.createUser({ name: "", email: `${some()}@example.com` }), Code.InvalidArgument);
  await fails(() => client.createUser({ name: some(), email: "" }), Code.InvalidArgument);
  await fails(() => list({ pageToken: "no number" }), Code.InvalidArgument);
  await fails(() => list({ pageSize: -1 }), Code.InvalidArgument);
});

await check("grpc ALREADY_EXISTS", async () => {
  const { name, email } = await newUser();
  await fails(() => client.createUser({ name, email }), Code.AlreadyExists);
});

await check("grpc UNIMPLEMENTED for an unknown method", async () => {
  await fails(() => client.promoteUser({ id: "1" }), Code.Unimplemented);
});

await check("grpc a deadline far away does no harm", async () => {
  const { id } = await client.createUser({ name: some(), email: `${some()}@example.com` }, { timeoutMs: PATIENCE * 1000 });
  equal((await client.getUser({ id }, { timeoutMs: PATIENCE * 1000 })).id, id);
});

await check("grpc 100 calls at once", async () => {
  const users = await Promise.all(Array.from({ length: 100 }, () => newUser()));
  const found = await Promise.all(users.map(({ id }) => client.getUser({ id })));
  equal(found.map(({ name }) => name), users.map(({ name }) => name));
});

await check("grpc a stream that is left early does no harm", async () => {
  for await (const user of client.listUsers({ pageSize: 1000 })) {
    holds(user.id, "no id");
    break;
  }
  await newUser();
});

// The bytes.

const path = (method) => `${base}/user_service.UserService/${method}`;

function framed(payload, flag = 0) {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** A body cut into messages and trailers, which must come last. */
function frames(body) {
  const messages = [];
  let trailers;
  for (let at = 0; at < body.length; ) {
    holds(trailers === undefined, "bytes follow the trailers");
    holds(body.length - at >= 5, "the body ends in a prefix");
    const length = body.readUInt32BE(at + 1);
    const payload = body.subarray(at + 5, at + 5 + length);
    equal(payload.length, length, "the body ends in a frame");
    if (body[at] === 0x80) {
      trailers = Object.fromEntries(
        payload.toString().split("\r\n").filter(Boolean).map((line) => {
          const [name, ...value] = line.split(":");
          equal(name, name.toLowerCase(), "trailer names are in lower case");
          return [name, value.join(":").trim()];
        }),
      );
    } else {
      equal(body[at], 0, "flags");
      messages.push(payload);
    }
    at += 5 + length;
  }
  return { messages, trailers };
}

/** Base64 that may have been padded and flushed several times. */
function base64(text) {
  holds(/^[A-Za-z0-9+/=\s]*$/.test(text), "not base64");
  return Buffer.concat((text.match(/[^=]+=*/g) ?? []).map((part) => Buffer.from(part, "base64")));
}

async function raw(method, body, type = "application/grpc-web+proto", headers = {}) {
  const answer = await fetch(path(method), {
    method: "POST",
    headers: { "content-type": type, accept: type, "x-grpc-web": "1", ...headers },
    body,
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const kind = answer.headers.get("content-type") ?? "";
  const plain = kind.startsWith("application/grpc-web-text") ? base64(bytes.toString("latin1")) : bytes;
  const parts = kind.startsWith("application/grpc-web") ? frames(plain) : { messages: [] };
  // A failure without messages may carry its status in the head instead.
  const status = parts.trailers?.["grpc-status"] ?? answer.headers.get("grpc-status");
  return { http: answer.status, kind, status, headers: answer.headers, ...parts };
}

const asked = (name, value) => Buffer.from(toBinary(message(name), create(message(name), value)));

for (const type of ["application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text", "application/grpc-web-text+proto"]) {
  await check(`grpc bytes of ${type}`, async () => {
    const mark = some();
    const users = [];
    for (let count = 0; count < 3; count += 1) users.push(await newUser(`${mark} ${"n".repeat(count)}`));
    const encode = (body) => (type.includes("text") ? body.toString("base64") : body);
    const one = await raw("GetUser", encode(framed(asked("GetUserRequest", { id: users[0].id }))), type);
    equal([one.http, one.status, one.messages.length], [200, "0", 1]);
    equal(one.kind.startsWith(type.replace("+proto", "")), true, one.kind);
    equal(fromBinary(message("User"), one.messages[0]).name, users[0].name);
    const all = await raw("ListUsers", encode(framed(asked("ListUsersRequest", { filter: mark }))), type);
    equal([all.http, all.status], [200, "0"]);
    equal(all.messages.map((payload) => fromBinary(message("User"), payload).id), users.map(({ id }) => id));
    const none = await raw("GetUser", encode(framed(asked("GetUserRequest", { id: some() }))), type);
    equal([none.http, none.status, none.messages.length], [200, "5", 0]);
  });
}

await check("grpc text whose base64 is padded in the middle", async () => {
  const { id, name } = await newUser();
  const body = framed(asked("GetUserRequest", { id }));
  const text = body.subarray(0, 5).toString("base64") + body.subarray(5, 7).toString("base64") + body.subarray(7).toString("base64");
  const answer = await raw("GetUser", text, "application/grpc-web-text");
  equal(answer.status, "0");
  equal(fromBinary(message("User"), answer.messages[0]).name, name);
});

await check("grpc a message of default values is empty", async () => {
  const answer = await raw("ListUsers", framed(Buffer.alloc(0)));
  equal([answer.http, answer.status], [200, "0"]);
});

await check("grpc unknown fields are skipped", async () => {
  const { id } = await newUser();
  const more = Buffer.concat([asked("GetUserRequest", { id }), Buffer.from("9a0603616263a00607ad0600000000b1060000000000000000", "hex")]);
  const answer = await raw("GetUser", framed(more));
  equal([answer.http, answer.status], [200, "0"]);
});

await check("grpc another content type gets 415", async () => {
  for (const type of ["application/xml", "text/plain", "application/grpc-webby", "application/octet-stream"]) {
    equal((await raw("GetUser", framed(asked("GetUserRequest", { id: "1" })), type)).http, 415, type);
  }
});

await check("grpc GET gets 405", async () => {
  const answer = await fetch(path("CreateUser"));
  equal(answer.status, 405);
  holds((answer.headers.get("allow") ?? "").includes("POST"), "no Allow: POST");
});

const wrong = {
  "a message that is no protobuf": [framed(Buffer.from("0affffffff0f", "hex")), ["3", "13"]],
  "a string that is not UTF-8": [framed(Buffer.from("0a02c328", "hex")), ["3", "13"]],
  "a compressed message without a coding": [framed(asked("GetUserRequest", { id: "1" }), 1), ["12", "13"]],
  "a prefix cut short": [Buffer.from([0, 0, 0]), ["3", "13"]],
  "a message cut short": [framed(asked("GetUserRequest", { id: "12345" })).subarray(0, 8), ["3", "13"]],
  "no message": [Buffer.alloc(0), ["3", "12", "13"]],
  "two messages for one": [Buffer.concat([framed(Buffer.alloc(0)), framed(Buffer.alloc(0))]), ["3", "12", "13"]],
  "an announced length over every limit": [Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]), ["8"]],
};
for (const [what, [body, statuses]] of Object.entries(wrong)) {
  await check(`grpc ${what} fails with ${statuses.join(" or ")}`, async () => {
    const answer = await raw("GetUser", body);
    holds(answer.http === 200 && statuses.includes(answer.status), `HTTP ${answer.http}, grpc-status ${answer.status}`);
  });
}

await check("grpc text that is no base64 is refused", async () => {
  const answer = await raw("GetUser", "*** not base64 ***", "application/grpc-web-text");
  holds(answer.http === 400 || ["3", "13"].includes(answer.status), `HTTP ${answer.http}, grpc-status ${answer.status}`);
});

await check("grpc a malformed grpc-timeout is refused", async () => {
  const answer = await raw("GetUser", framed(asked("GetUserRequest", { id: "1" })), undefined, { "grpc-timeout": "soon" });
  holds(answer.http === 400 || ["3", "13"].includes(answer.status), `HTTP ${answer.http}, grpc-status ${answer.status}`);
});

await check("grpc-message is percent-encoded", async () => {
  const answer = await raw("GetUser", framed(asked("GetUserRequest", { id: "grüße %\r\nx: y" })));
  equal(answer.status, "5");
  const words = answer.trailers?.["grpc-message"] ?? answer.headers.get("grpc-message");
  holds(/^[\x20-\x7e]+$/.test(words) && !/%(?![0-9A-F]{2})/.test(words), words);
});

// Browsers.

const origin = "http://elsewhere.example";

await check("grpc CORS, a preflight is allowed", async () => {
  const answer = await fetch(path("GetUser"), {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type,grpc-timeout,x-grpc-web,x-user-agent",
    },
  });
  holds([200, 204].includes(answer.status), `${answer.status}`);
  const list = (name) => (answer.headers.get(name) ?? "").toLowerCase().split(",").map((item) => item.trim());
  holds(["*", origin].includes(answer.headers.get("access-control-allow-origin")), "allow-origin");
  holds(list("access-control-allow-methods").includes("post"), "allow-methods");
  for (const name of ["content-type", "grpc-timeout", "x-grpc-web", "x-user-agent"]) {
    holds(list("access-control-allow-headers").includes(name), `allow-headers without ${name}`);
  }
});

await check("grpc CORS, the answer shows its status", async () => {
  const answer = await raw("GetUser", framed(asked("GetUserRequest", { id: some() })), undefined, { origin });
  holds(["*", origin].includes(answer.headers.get("access-control-allow-origin")), "allow-origin");
  const exposed = (answer.headers.get("access-control-expose-headers") ?? "").toLowerCase();
  holds(exposed.includes("grpc-status") && exposed.includes("grpc-message"), `expose-headers: ${exposed}`);
});

finish();
