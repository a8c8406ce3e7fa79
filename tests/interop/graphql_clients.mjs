// GraphQL on /graphql with the public audit, and with the stock clients of each transport.
//
// usage: node graphql_clients.mjs http://HOST:PORT
import { once } from "node:events";
import { Client, fetchExchange } from "@urql/core";
import { auditServer } from "graphql-http";
import { createClient as createEvents } from "graphql-sse";
import { createClient as createSocket } from "graphql-ws";
import { SubscriptionClient } from "subscriptions-transport-ws";
import WebSocket from "ws";
import { check, equal, finish, holds } from "./checks.mjs";

const url = process.argv[2].replace(/\/$/, "") + "/graphql";
const socketUrl = url.replace(/^http/, "ws");

const USER = '{ user(id: "1") { id name email } }';
const ADA = { user: { id: "1", name: "Ada Lovelace", email: "ada@example.com" } };
const COUNT = "subscription { countdown(from: 1) }";
const create = (title) => ({
  query: "mutation($input: CreatePost!) { createPost(input: $input) { id title content author { id name } } }",
  variables: { input: { title, content: "It is ready" } },
});

/** All results of an operation, or as many as are enough. */
async function all(client, request, enough = Infinity) {
  const results = [];
  for await (const result of client.iterate(request)) {
    results.push(result);
    if (results.length >= enough) break;
  }
  return results;
}

const results = await auditServer({ url });
await check(`the audit has ${results.length} cases`, async () => equal(results.length, 61));
for (const result of results) {
  await check(`audit ${result.id} ${result.name}`, async () => holds(result.status === "ok", result.reason));
}

await check("graphql-ws: queries, errors, subscriptions, many at one time", async () => {
  const client = createSocket({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: { token: "7" } });
  equal(await all(client, { query: USER }), [{ data: ADA }]);
  const counted = [1, 0].map((countdown) => ({ data: { countdown } }));
  const both = await Promise.all([all(client, { query: COUNT }), all(client, { query: COUNT })]);
  equal(both, [counted, counted]);
  let refused;
  await all(client, { query: "{ none }" }).catch((errors) => (refused = errors));
  holds(/Unknown field/.test(refused?.[0]?.message), "it does not validate");
  await client.dispose();
});

await check("graphql-ws: what one posts another is told", async () => {
  const client = createSocket({ url: socketUrl, webSocketImpl: WebSocket });
  const heard = all(client, { query: "subscription { postCreated { title author { name } } }" }, 1);
  // The subscription is there before what comes after it on the same socket.
  await all(client, { query: USER });
  const [posted] = await all(client, create("by socket"));
  equal(posted.data.createPost.author, { id: "1", name: "Ada Lovelace" });
  equal(await heard, [{ data: { postCreated: { title: "by socket", author: { name: "Ada Lovelace" } } } }]);
  await client.dispose();
});

await check("subscriptions-transport-ws: a query and a subscription", async () => {
  const client = new SubscriptionClient(socketUrl, { reconnect: false }, WebSocket);
  const run = (query) =>
    new Promise((resolve, reject) => {
      const results = [];
      client.request({ query }).subscribe({ next: (it) => results.push(it), error: reject, complete: () => resolve(results) });
    });
  equal(await run(USER), [{ data: ADA }]);
  equal(await run(COUNT), [1, 0].map((countdown) => ({ data: { countdown } })));
  client.close();
});

for (const singleConnection of [false, true]) {
  await check(`graphql-sse: ${singleConnection ? "one connection" : "a connection each"}`, async () => {
    const client = createEvents({ url, singleConnection, retryAttempts: 0 });
    equal(await all(client, { query: USER }), [{ data: ADA }]);
    const counted = [1, 0].map((countdown) => ({ data: { countdown } }));
    const both = await Promise.all([all(client, { query: COUNT }), all(client, { query: COUNT })]);
    equal(both, [counted, counted]);
    const first = await all(client, { query: "subscription { countdown(from: 100) }" }, 1);
    equal(first, [{ data: { countdown: 100 } }]);
    client.dispose();
  });
}

await check("urql: a query, a mutation, an error", async () => {
  const client = new Client({ url, exchanges: [fetchExchange], preferGetMethod: false });
  equal((await client.query(USER, {}).toPromise()).data, ADA);
  const { query, variables } = create("by urql");
  const created = await client.mutation(query, variables).toPromise();
  equal(created.data.createPost.title, "by urql");
  const refused = await client.query("{ none }", {}).toPromise();
  holds(refused.error.graphQLErrors[0].message.includes("Unknown field"), "it does not validate");
});

await check("urql: a query by GET", async () => {
  const client = new Client({ url, exchanges: [fetchExchange], preferGetMethod: "force" });
  equal((await client.query(USER, {}).toPromise()).data, ADA);
});

await check("a page of another origin opens no WebSocket", async () => {
  const socket = new WebSocket(socketUrl, "graphql-transport-ws", { origin: "http://evil.example" });
  const [, response] = await once(socket, "unexpected-response");
  equal(response.statusCode, 403);
});

finish();
