// Stock gRPC over HTTP/2: @grpc/grpc-js, with the showcase's own .proto files.
//
// usage: node grpc_clients.mjs http://HOST:PORT [gzip]
//
// The cases are those of gRPC's public interop description that need no cloud.
// `gzip` says that the server reads and writes compressed messages.
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { check, equal, finish, holds } from "./checks.mjs";

const { protocol, host: target } = new URL(process.argv[2]);
const gzip = process.argv.includes("gzip");
const protos = fileURLToPath(new URL("../../examples/showcase/protos/", import.meta.url));
const files = ["test.proto", "user_service.proto", "health.proto"];
const how = { includeDirs: [protos], keepCase: true, longs: Number, defaults: true };
const loaded = grpc.loadPackageDefinition(loader.loadSync(files, how));
// Over TLS it trusts what NODE_EXTRA_CA_CERTS has.
const credentials = protocol === "https:" ? grpc.credentials.createSsl() : grpc.credentials.createInsecure();
const options = { "grpc.enable_http_proxy": 0 };
const make = (Service, more = {}) => new Service(target, credentials, { ...options, ...more });

const test = make(loaded.grpc.testing.TestService);
const users = make(loaded.user_service.UserService);
const { status: Code } = grpc;
const requests = [27182, 8, 1828, 45904];
const responses = [31415, 9, 2653, 58979];
const zeros = (size) => ({ type: "COMPRESSABLE", body: Buffer.alloc(size) });
const outputs = (sizes, more = {}) => ({ response_parameters: sizes.map((size) => ({ size })), ...more });
const soon = (seconds = 15) => ({ deadline: Date.now() + seconds * 1000 });

/** A unary call: its response, metadata and trailers. */
function ask(client, method, request, metadata = new grpc.Metadata(), more = soon()) {
  return new Promise((resolve, reject) => {
    const seen = {};
    const call = client[method](request, metadata, more, (error, response) => {
      if (error) reject(error);
      else call.once("status", ({ metadata }) => resolve({ response, trailers: metadata, ...seen }));
    });
    call.once("metadata", (initial) => (seen.initial = initial));
  });
}

/** A call whose request is a stream and whose response is one message. */
function collect(client, method, messages, more = soon()) {
  return new Promise((resolve, reject) => {
    const call = client[method](new grpc.Metadata(), more, (error, response) => (error ? reject(error) : resolve(response)));
    for (const message of messages) call.write(message);
    call.end();
  });
}

async function gather(call) {
  const all = [];
  for await (const message of call) all.push(message);
  return all;
}

async function fails(promise, code, details) {
  try {
    await promise;
  } catch (error) {
    equal(Code[error.code], Code[code], error.details);
    if (details !== undefined) equal(error.details, details);
    return error;
  }
  throw new Error(`it succeeded instead of ${Code[code]}`);
}

const lengths = (messages) => messages.map(({ payload }) => payload.body.length);

// The interop description.

await check("grpc-js empty_unary", async () => {
  equal((await ask(test, "EmptyCall", {})).response, {});
});

const large = { response_size: 314159, payload: zeros(271828) };

await check("grpc-js large_unary", async () => {
  equal((await ask(test, "UnaryCall", large)).response.payload.body, Buffer.alloc(314159));
});

await check("grpc-js client_streaming", async () => {
  const answer = await collect(test, "StreamingInputCall", requests.map((size) => ({ payload: zeros(size) })));
  equal(answer.aggregated_payload_size, 74922);
});

await check("grpc-js server_streaming", async () => {
  equal(lengths(await gather(test.StreamingOutputCall(outputs(responses), soon()))), responses);
});

await check("grpc-js ping_pong", async () => {
  const call = test.FullDuplexCall(soon());
  for (const [at, size] of requests.entries()) {
    call.write(outputs([responses[at]], { payload: zeros(size) }));
    const [message] = await once(call, "data");
    equal(message.payload.body.length, responses[at]);
  }
  call.end();
  equal(await gather(call), []);
});

await check("grpc-js empty_stream", async () => {
  const call = test.FullDuplexCall(soon());
  call.end();
  equal(await gather(call), []);
});

await check("grpc-js custom_metadata", async () => {
  const [initial, trailing] = ["x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"];
  const octets = Buffer.from([0xab, 0xab, 0xab]);
  const metadata = new grpc.Metadata();
  metadata.set(initial, "test_initial_metadata_value");
  metadata.set(trailing, octets);
  const unary = await ask(test, "UnaryCall", large, metadata);
  equal(unary.initial.get(initial), ["test_initial_metadata_value"]);
  equal(unary.trailers.get(trailing), [octets]);
  const call = test.FullDuplexCall(metadata, soon());
  const ended = once(call, "status");
  call.write(outputs([314159]));
  call.end();
  const [head] = await once(call, "metadata");
  equal(head.get(initial), ["test_initial_metadata_value"]);
  equal(lengths(await gather(call)), [314159]);
  equal((await ended)[0].metadata.get(trailing), [octets]);
});

await check("grpc-js status_code_and_message", async () => {
  const response_status = { code: 2, message: "test status message" };
  await fails(ask(test, "UnaryCall", { response_status }), Code.UNKNOWN, "test status message");
  const call = test.FullDuplexCall(soon());
  call.write({ response_status });
  call.end();
  await fails(gather(call), Code.UNKNOWN, "test status message");
});

await check("grpc-js special_status_message", async () => {
  const message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
  await fails(ask(test, "UnaryCall", { response_status: { code: 2, message } }), Code.UNKNOWN, message);
});

await check("grpc-js unimplemented_method", async () => {
  await fails(ask(test, "UnimplementedCall", {}), Code.UNIMPLEMENTED);
});

await check("grpc-js unimplemented_service", async () => {
  await fails(ask(make(loaded.grpc.testing.UnimplementedService), "UnimplementedCall", {}), Code.UNIMPLEMENTED);
});

await check("grpc-js cancel_after_begin", async () => {
  const cancelled = new Promise((_, reject) => {
    const call = test.StreamingInputCall(new grpc.Metadata(), soon(), (error) => reject(error));
    call.cancel();
  });
  await fails(cancelled, Code.CANCELLED);
});

await check("grpc-js cancel_after_first_response", async () => {
  const call = test.FullDuplexCall(soon());
  call.write(outputs([31415], { payload: zeros(27182) }));
  const [message] = await once(call, "data");
  equal(message.payload.body.length, 31415);
  call.cancel();
  await fails(gather(call), Code.CANCELLED);
});

await check("grpc-js timeout_on_sleeping_server", async () => {
  const call = test.FullDuplexCall(soon(0.05));
  call.write({ payload: zeros(27182) });
  await fails(gather(call), Code.DEADLINE_EXCEEDED);
});

await check("grpc-js concurrent_large_unary", async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(test, "UnaryCall", large, undefined, soon(50))));
  for (const { response } of answers) equal(response.payload.body.length, 314159);
}, 60);

await check("grpc-js soak", async () => {
  for (let turn = 0; turn < 100; turn += 1) await ask(test, "UnaryCall", large, undefined, soon(50));
}, 120);

if (gzip) {
  const packed = make(loaded.grpc.testing.TestService, { "grpc.default_compression_algorithm": 2 });
  const expect = (value) => ({ expect_compressed: { value }, ...large });

  await check("grpc-js client_compressed_unary", async () => {
    await fails(ask(test, "UnaryCall", expect(true)), Code.INVALID_ARGUMENT);
    equal((await ask(packed, "UnaryCall", expect(true))).response.payload.body.length, 314159);
    equal((await ask(test, "UnaryCall", expect(false))).response.payload.body.length, 314159);
  });

  await check("grpc-js client_compressed_streaming", async () => {
    const messages = requests.map((size) => ({ expect_compressed: { value: true }, payload: zeros(size) }));
    await fails(collect(test, "StreamingInputCall", messages), Code.INVALID_ARGUMENT);
    equal((await collect(packed, "StreamingInputCall", messages)).aggregated_payload_size, 74922);
  });

  await check("grpc-js server_compressed_unary", async () => {
    for (const value of [true, false]) {
      const { response } = await ask(test, "UnaryCall", { response_compressed: { value }, ...large });
      equal(response.payload.body.length, 314159);
    }
  });

  await check("grpc-js server_compressed_streaming", async () => {
    const response_parameters = [31415, 92653].map((size, at) => ({ size, compressed: { value: at === 0 } }));
    equal(lengths(await gather(test.StreamingOutputCall({ response_parameters }, soon()))), [31415, 92653]);
  });
}

await check("grpc-js health Check and Watch", async () => {
  const health = make(loaded.grpc.health.v1.Health);
  equal((await ask(health, "Check", { service: "user_service.UserService" })).response.status, 1);
  await fails(ask(health, "Check", { service: "nobody.Knows" }), Code.NOT_FOUND);
  const call = health.Watch({ service: "nobody.Knows" }, soon());
  const [first] = await once(call, "data");
  equal(first.status, 3);
  call.cancel();
  await fails(gather(call), Code.CANCELLED);
});

// The showcase's own service.

const some = () => {
  const name = randomBytes(6).toString("hex");
  return { name, email: `${name}@example.com`, age: 30, roles: ["reader"] };
};

await check("grpc-js UserService: all four kinds", async () => {
  const { response: user } = await ask(users, "CreateUser", some());
  equal((await ask(users, "GetUser", { id: user.id })).response, user);
  equal(await gather(users.ListUsers({ filter: user.name }, soon())), [user]);
  const update = { id: user.id, user: { ...user, age: 31 } };
  const answer = await collect(users, "UpdateUsers", [update, update, { ...update, id: "nobody" }]);
  equal([answer.processed, answer.failures.length], [2, 1]);
  const call = users.Chat(soon());
  for (const text of ["hello", "☺".repeat(1000)]) {
    call.write({ user_id: user.id, text });
    const [echo] = await once(call, "data");
    equal([echo.text, echo.metadata], [text, { processed_by: "UserService" }]);
    holds(Math.abs(echo.timestamp - Date.now()) < 5000, `${echo.timestamp}`);
  }
  call.end();
  equal(await gather(call), []);
  await ask(users, "DeleteUser", { id: user.id });
  await fails(ask(users, "GetUser", { id: user.id }), Code.NOT_FOUND);
});

finish();
