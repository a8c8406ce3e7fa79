// Connect with connect-node, over both versions of HTTP, in both codecs.
//
// usage: node connect_clients.mjs http[s]://HOST:PORT
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { compressionBrotli, compressionGzip, createConnectTransport } from "@connectrpc/connect-node";
import { randomBytes } from "node:crypto";
import { PATIENCE, check, equal, finish, holds } from "./checks.mjs";
import { TestService, UserService, registry } from "./services.mjs";

const base = process.argv[2].replace(/\/$/, "");
const some = () => `u${randomBytes(6).toString("hex")}`;
const fields = ({ name, email, age, roles }) => ({ name, email, age, roles });

/** The call must fail with this code, and say something about it unless it is `mute`. */
async function fails(call, code, mute = false) {
  try {
    await call();
  } catch (error) {
    holds(error instanceof ConnectError, `${error}`);
    equal(Code[error.code], Code[code]);
    holds(mute || error.rawMessage.length > 0, "the error has no message");
    return error;
  }
  throw new Error(`it succeeded instead of ${Code[code]}`);
}

async function* each(all) {
  yield* all;
}

for (const httpVersion of ["1.1", "2"]) {
  for (const useBinaryFormat of [true, false]) {
    const form = `connect-node, HTTP/${httpVersion}, ${useBinaryFormat ? "proto" : "JSON"}`;
    const transport = (more = {}) => createConnectTransport({ baseUrl: base, httpVersion, useBinaryFormat, ...more });
    const client = createClient(UserService, transport());
    const test = createClient(TestService, transport());
    const newUser = (name = some()) => client.createUser({ name, email: `${some()}@example.com`, age: 30, roles: ["reader"] });
    const list = async (request) => {
      const users = [];
      for await (const user of client.listUsers(request)) users.push(user);
      return users;
    };

    await check(`${form}: unary`, async () => {
      const wanted = { name: "Grüße 🦀", email: `${some()}@example.com`, age: -41, roles: ["admin", "", "reader"] };
      const { id, ...created } = await client.createUser(wanted);
      holds(id.length > 0, "no id");
      equal(fields(created), wanted);
      equal(fields(await client.getUser({ id })), wanted);
    });

    await check(`${form}: GET`, async () => {
      const { id, name } = await newUser();
      for (const more of [{}, { sendCompression: compressionGzip, compressMinBytes: 0 }]) {
        const gets = createClient(UserService, transport({ useHttpGet: true, ...more }));
        equal((await gets.getUser({ id })).name, name);
        await fails(() => gets.getUser({ id: some() }), Code.NotFound);
        // What has side effects goes by POST.
        equal((await gets.deleteUser({ id: some() }).catch((error) => error.code)), Code.NotFound);
      }
    });

    await check(`${form}: a server's stream`, async () => {
      const mark = some();
      const names = [];
      for (let count = 0; count < 5; count += 1) names.push((await newUser(`${mark} ${count}`)).name);
      equal((await list({ filter: mark })).map((user) => user.name), names);
      await Promise.all(Array.from({ length: 60 }, () => newUser(`${mark} ${"n".repeat(3000)}`)));
      const made = await list({ pageSize: 1000, filter: mark });
      equal(made.length, 65);
      // Other checks list everybody on a page.
      await Promise.all(made.map(({ id }) => client.deleteUser({ id })));
      await fails(() => list({ pageSize: -1 }), Code.InvalidArgument);
    });

    await check(`${form}: a client's stream`, async () => {
      const one = await newUser();
      const update = (id) => ({ id, user: { name: some(), email: `${some()}@example.com` } });
      const answer = await client.updateUsers(each([update(one.id), update(some()), update(one.id)]));
      equal([answer.processed, answer.failures.length], [2, 1]);
      equal((await client.updateUsers(each([]))).processed, 0);
    });

    if (httpVersion === "2") {
      await check(`${form}: a stream both ways`, async () => {
        const told = [];
        let next;
        const wait = () => new Promise((resolve) => { next = resolve; });
        async function* say() {
          for (const text of ["one", "two ☺"]) {
            const heard = wait();
            yield { userId: "u", text, metadata: { a: "b" } };
            await heard; // the answer comes while the request is open
          }
        }
        for await (const message of client.chat(say())) {
          told.push([message.text, message.metadata.a]);
          next();
        }
        equal(told, [["one", "b"], ["two ☺", "b"]]);
      });
    }

    await check(`${form}: every code`, async () => {
      for (let code = 1; code <= 16; code += 1) {
        const message = `code ${code} ☺\n"quoted"`;
        const error = await fails(() => test.unaryCall({ responseStatus: { code, message } }), code);
        equal(error.rawMessage, message);
        const streamed = await fails(async () => {
          for await (const _ of test.streamingOutputCall({ responseStatus: { code, message } }));
        }, code);
        equal(streamed.rawMessage, message);
      }
    });

    await check(`${form}: metadata`, async () => {
      const octets = Buffer.from([0xab, 0xab, 0xab]).toString("base64");
      const headers = { "x-grpc-test-echo-initial": "first", "x-grpc-test-echo-trailing-bin": octets };
      let first, last;
      const options = { headers, onHeader: (it) => { first = it; }, onTrailer: (it) => { last = it; } };
      const seen = () => [first.get("x-grpc-test-echo-initial"), last.get("x-grpc-test-echo-trailing-bin")?.replace(/=+$/, "")];
      await test.emptyCall({}, options);
      equal(seen(), ["first", "q6ur"]);
      for await (const _ of test.streamingOutputCall({ responseParameters: [{ size: 1 }] }, options));
      equal(seen(), ["first", "q6ur"]);
    });

    await check(`${form}: compression`, async () => {
      for (const compression of [compressionGzip, compressionBrotli]) {
        const more = { acceptCompression: [compression], compressMinBytes: 0 };
        const reads = createClient(TestService, transport(more));
        const answer = await reads.unaryCall({ responseSize: 100_000, responseCompressed: { value: true } });
        equal(answer.payload.body.length, 100_000);
      }
      const both = { sendCompression: compressionGzip, acceptCompression: [compressionGzip], compressMinBytes: 0 };
      const packs = createClient(TestService, transport(both));
      const payload = { body: new Uint8Array(50_000) };
      const answer = await packs.unaryCall({ responseSize: 7, payload, expectCompressed: { value: true } });
      equal(answer.payload.body.length, 7);
      await fails(() => test.unaryCall({ expectCompressed: { value: true } }), Code.InvalidArgument);
      const sum = await packs.streamingInputCall(each([{ payload, expectCompressed: { value: true } }, { payload }]));
      equal(sum.aggregatedPayloadSize, 100_000);
    });

    await check(`${form}: large messages, many at one time`, async () => {
      const call = () => test.unaryCall({ responseSize: 314_159, payload: { body: new Uint8Array(271_828) } });
      const all = await Promise.all(Array.from({ length: 30 }, call));
      holds(all.every((it) => it.payload.body.length === 314_159), "not all of it");
    });

    await check(`${form}: deadlines and cancelling`, async () => {
      const slow = (options) => async () => {
        const request = { responseParameters: [{ size: 1, intervalUs: 30_000_000 }] };
        for await (const _ of test.streamingOutputCall(request, options));
      };
      await fails(slow({ timeoutMs: 100 }), Code.DeadlineExceeded);
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 50);
      await fails(slow({ signal: abort.signal }), Code.Canceled);
      equal((await test.unaryCall({ responseSize: 3 }, { timeoutMs: PATIENCE * 1000 })).payload.body.length, 3);
    });

    await check(`${form}: what is not there is unimplemented`, async () => {
      await fails(() => test.unimplementedCall({}), Code.Unimplemented, true);
      const other = createClient(registry.getService("grpc.testing.UnimplementedService"), transport());
      await fails(() => other.unimplementedCall({}), Code.Unimplemented, true);
    });
  }
}

// With fetch, as a page would.

const path = (method) => `${base}/user_service.UserService/${method}`;
const post = (method, body, headers = {}) =>
  fetch(path(method), { method: "POST", headers: { "content-type": "application/json", ...headers }, body });

await check("connect with fetch: JSON in, JSON out", async () => {
  const made = await post("CreateUser", JSON.stringify({ name: "Ada", email: `${some()}@example.com` }));
  equal([made.status, made.headers.get("content-type")], [200, "application/json"]);
  const { id } = await made.json();
  const query = new URLSearchParams({ connect: "v1", encoding: "json", message: JSON.stringify({ id }) });
  const found = await fetch(`${path("GetUser")}?${query}`);
  equal([found.status, (await found.json()).name], [200, "Ada"]);
  const none = await post("GetUser", JSON.stringify({ id: some() }));
  equal([none.status, (await none.json()).code], [404, "not_found"]);
});

await check("connect with fetch: what is at fault has its status", async () => {
  equal((await post("GetUser", "{")).status, 400);
  equal((await post("GetUser", '{"id": 7}')).status, 400);
  equal((await post("GetUser", "{}", { "content-type": "application/xml" })).status, 415);
  equal((await post("GetUser", "{}", { "connect-protocol-version": "2" })).status, 400);
  equal((await post("GetUser", "{}", { "connect-timeout-ms": "12345678901" })).status, 400);
  equal((await post("GetUser", "{}", { "content-encoding": "nothing" })).status, 501);
  equal((await fetch(path("CreateUser"))).status, 405);
  equal((await fetch(path("GetUser"))).status, 415); // it names no codec
});

await check("connect with fetch: the bytes of a stream", async () => {
  const request = toBinary(registry.getMessage("user_service.ListUsersRequest"), create(registry.getMessage("user_service.ListUsersRequest"), { pageSize: 2 }));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(request.length, 1);
  const answer = await fetch(path("ListUsers"), {
    method: "POST",
    headers: { "content-type": "application/connect+proto" },
    body: Buffer.concat([head, request]),
  });
  equal([answer.status, answer.headers.get("content-type")], [200, "application/connect+proto"]);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const flags = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1);
    const message = bytes.subarray(at + 5, at + 5 + length);
    if (bytes[at] === 0) fromBinary(registry.getMessage("user_service.User"), message);
    else equal(message.toString(), "{}");
    flags.push(bytes[at]);
    at += 5 + length;
  }
  equal(flags, [0, 0, 2]);
});

await check("connect with fetch: a page elsewhere may call", async () => {
  const origin = "http://elsewhere.example";
  const headers = ["connect-protocol-version", "connect-timeout-ms", "content-type"];
  const asked = await fetch(path("GetUser"), {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": headers.join(",") },
  });
  holds(asked.ok, `${asked.status}`);
  const allowed = (asked.headers.get("access-control-allow-headers") ?? "").toLowerCase();
  for (const name of headers) holds(allowed.includes(name), `allow-headers without ${name}`);
  const answer = await post("GetUser", "{}", { origin });
  holds(["*", origin].includes(answer.headers.get("access-control-allow-origin")), "allow-origin");
});

finish();
