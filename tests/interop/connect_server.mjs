// grpc.testing.TestService on connect-node, for barewire's client.
//
// usage: node connect_server.mjs
// Prints the ports of HTTP/1.1 and HTTP/2, and serves until its input ends.
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { TestService } from "./services.mjs";

const INITIAL = "x-grpc-test-echo-initial";
const TRAILING = "x-grpc-test-echo-trailing-bin";

function echoMetadata(context) {
  const of = (name) => context.requestHeader.get(name);
  if (of(INITIAL)) context.responseHeader.set(INITIAL, of(INITIAL));
  if (of(TRAILING)) context.responseTrailer.set(TRAILING, of(TRAILING));
}

function abortIfAsked({ responseStatus: wanted }) {
  if (wanted?.code) throw new ConnectError(wanted.message, wanted.code);
}

const payload = (size) => ({ body: new Uint8Array(size) });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function* respond(request) {
  for (const wanted of request.responseParameters) {
    if (wanted.intervalUs) await sleep(wanted.intervalUs / 1000);
    yield { payload: payload(wanted.size) };
  }
}

const routes = (router) => {
  router.service(TestService, {
    emptyCall(_, context) {
      echoMetadata(context);
      return {};
    },
    unaryCall(request, context) {
      echoMetadata(context);
      abortIfAsked(request);
      return { payload: payload(request.responseSize) };
    },
    async *streamingOutputCall(request, context) {
      echoMetadata(context);
      abortIfAsked(request);
      yield* respond(request);
    },
    async streamingInputCall(requests, context) {
      echoMetadata(context);
      let total = 0;
      for await (const { payload } of requests) total += payload.body.length;
      return { aggregatedPayloadSize: total };
    },
    async *fullDuplexCall(requests, context) {
      echoMetadata(context);
      for await (const request of requests) {
        abortIfAsked(request);
        yield* respond(request);
      }
    },
    unimplementedCall() {
      throw new ConnectError("not here", Code.Unimplemented);
    },
  });
};

const handler = connectNodeAdapter({ routes, compressMinBytes: 1024 });
const ports = [];
for (const server of [http.createServer(handler), http2.createServer(handler)]) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ports.push(server.address().port);
}
console.log(ports.join(" "));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
