// Our client of GraphQL against graphql-yoga, graphql-http, graphql-ws, graphql-sse,
// subscriptions-transport-ws and strawberry.
//
// usage: graphql_client.mjs PROGRAM
//   PROGRAM   graphql_client of the package interop-clients
import assert from "node:assert";
import { execFile, spawn } from "node:child_process";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSchema, execute, subscribe } from "graphql";
import { createHandler as httpHandler } from "graphql-http/lib/use/http";
import { createHandler as eventHandler } from "graphql-sse/lib/use/http";
import { useServer } from "graphql-ws/use/ws";
import { createSchema, createYoga } from "graphql-yoga";
import legacy from "subscriptions-transport-ws";
import { WebSocketServer } from "ws";
import { PATIENCE, check, finish } from "./checks.mjs";

const program = process.argv[2];
const here = dirname(fileURLToPath(import.meta.url));

const typeDefs = `
  type Query { hello(name: String!): String! broken: String }
  type Mutation { add(n: Int!): Int! }
  type Subscription { countdown(from: Int!): Int! }
`;
const sum = { value: 0 };
const broken = () => {
  throw new Error("it is broken");
};
async function* countdown(from) {
  for (let n = from; n >= 0; n -= 1) yield n;
}
const resolvers = {
  Query: { hello: (_, { name }) => `hello ${name}`, broken },
  Mutation: { add: (_, { n }) => (sum.value += n) },
  Subscription: {
    countdown: {
      async *subscribe(_, { from }) {
        for await (const n of countdown(from)) yield { countdown: n };
      },
    },
  },
};
const schema = createSchema({ typeDefs, resolvers });
// The same by functions of a root value, for those that take no resolvers.
const rootValue = {
  hello: ({ name }) => `hello ${name}`,
  broken,
  add: ({ n }) => (sum.value += n),
  async *countdown({ from }) {
    for await (const n of countdown(from)) yield { countdown: n };
  },
};
const plain = buildSchema(typeDefs);

/** Serves on a port of its own; its URL. */
async function serve(handler, attach = () => {}) {
  const server = createServer(handler);
  attach(server);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${server.address().port}/graphql`;
}

const run = (...args) =>
  new Promise((done, fail) => {
    execFile(program, args, { timeout: PATIENCE * 1000 }, (error, stdout, stderr) => {
      if (error && !stdout) fail(new Error(`${error.message} ${stderr}`));
      else done(stdout.trimEnd().split("\n"));
    });
  });

const HELLO = "query Hello($name: String!) { hello(name: $name) }";
const COUNT = "subscription Count($from: Int!) { countdown(from: $from) }";
const counted = [2, 1, 0].map((n) => JSON.stringify({ countdown: n })).concat("-- complete");

async function asks(name, url) {
  await check(`${name}: a query with variables`, async () => {
    assert.deepEqual(await run(url, HELLO, '{"name":"a\\"é"}'), [JSON.stringify({ hello: 'hello a"é' })]);
  });
  await check(`${name}: a mutation`, async () => {
    const [line] = await run(url, "mutation { add(n: 2) }");
    assert.ok(JSON.parse(line).add >= 2);
  });
  await check(`${name}: partial data beside an error`, async () => {
    const lines = await run(url, '{ hello(name: "a") broken }');
    assert.deepEqual(JSON.parse(lines[0]), { hello: "hello a", broken: null });
    assert.match(lines[1], /^-- .* at \["broken"\]$/);
  });
  await check(`${name}: a document that is not valid`, async () => {
    const lines = await run(url, "{ unknown }");
    assert.equal(lines[0], "null");
    assert.match(lines[1], /unknown/);
  });
}

const counts = (name, url, ...more) =>
  check(`${name}: a subscription`, async () => {
    assert.deepEqual(await run(url, COUNT, '{"from":2}', ...more), counted);
  });

const over = (options) => (server) => {
  useServer(options, new WebSocketServer({ server, path: "/graphql" }));
};

const yoga = await serve(createYoga({ schema, logging: false }), over({ schema }));
await asks("graphql-yoga", yoga);
await counts("graphql-yoga with graphql-ws", yoga);
await counts("graphql-yoga, by events", yoga, "events");

const http = await serve(httpHandler({ schema: plain, rootValue }), over({ schema: plain, roots: { query: rootValue, mutation: rootValue, subscription: rootValue } }));
await asks("graphql-http", http);
await counts("graphql-ws", http);

await counts("graphql-sse", await serve(eventHandler({ schema })), "events");

const old = await serve(
  (_, response) => response.writeHead(404).end(),
  // Left to itself, its socket takes the first subprotocol, and it closes for not knowing it.
  (server) =>
    legacy.SubscriptionServer.create(
      { schema: plain, rootValue, execute, subscribe },
      { server, path: "/graphql", handleProtocols: () => "graphql-ws" },
    ),
);
await counts("subscriptions-transport-ws", old);

await check("graphql-ws: a connection that is lost", async () => {
  let connections = 0;
  const url = await serve(null, (server) => {
    const sockets = new WebSocketServer({ server, path: "/graphql" });
    sockets.on("connection", (socket) => {
      connections += 1;
      if (connections > 1) return;
      const send = socket.send.bind(socket);
      socket.send = (text, ...more) => {
        send(text, ...more);
        if (text.includes('"countdown":1')) socket.terminate();
      };
    });
    useServer({ schema }, sockets);
  });
  const lines = await run(url, COUNT, '{"from":2}');
  assert.deepEqual(lines.slice(lines.indexOf("-- again: some may be missing") + 1), counted);
  assert.equal(connections, 2);
});

await check("graphql-ws: a client that is refused", async () => {
  const url = await serve(null, over({ schema, onConnect: () => false }));
  await assert.rejects(run(url, COUNT, '{"from":2}'), /4403/);
});

// It tells its port, and ends when its input does.
const python = spawn("python3", [join(here, "graphql_server.py")], { stdio: ["pipe", "pipe", "inherit"] });
const port = await new Promise((done) => python.stdout.once("data", (data) => done(String(data).trim())));
const strawberry = `http://127.0.0.1:${port}/graphql`;
await asks("strawberry", strawberry);
await counts("strawberry", strawberry);
await counts("strawberry, legacy", `http://127.0.0.1:${port}/legacy`);
python.stdin.end();

finish();
