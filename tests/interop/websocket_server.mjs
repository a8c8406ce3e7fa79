// Our WebSocket client that blocks against Node's ws, plain and over TLS.
//
// usage: node websocket_server.mjs CLIENT CERTIFICATES
//   CLIENT        websocket_blocking_client of the package interop-clients
//   CERTIFICATES  the folder that certificates.sh has filled
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { WebSocketServer } from "ws";
import { check, equal, finish } from "./checks.mjs";

const [client, certificates] = process.argv.slice(2);
const env = { ...process.env, SSL_CERT_FILE: `${certificates}/ca.pem` };
for (const name of Object.keys(env)) if (/_proxy$/i.test(name)) delete env[name];

async function next(socket) {
  const [data, binary] = await once(socket, "message");
  return binary ? data : data.toString();
}

async function converse(socket) {
  for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
    for (const message of ["t".repeat(size), randomBytes(size)]) {
      const answer = next(socket);
      socket.send(message);
      equal(await answer, message, `${size}`);
    }
  }
  const whole = next(socket);
  socket.send("in two ", { fin: false });
  socket.send("pieces", { fin: true });
  equal(await whole, "in two pieces");
  const pong = once(socket, "pong");
  socket.ping("are you there");
  equal((await pong)[0].toString(), "are you there");
  const closed = once(socket, "close");
  socket.close(4000, "done");
  const [code] = await closed;
  equal(code, 4000);
}

for (const secure of [false, true]) {
  const name = secure ? "wss" : "ws";
  await check(`client::WebSocket to Node's ws by ${name}`, async () => {
    const pair = { key: readFileSync(`${certificates}/server.key`), cert: readFileSync(`${certificates}/server.pem`) };
    const server = secure ? https.createServer(pair) : http.createServer();
    const sockets = new WebSocketServer({ server, maxPayload: 0, perMessageDeflate: false });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const running = spawn(client, [`${name}://localhost:${server.address().port}/`], { env, stdio: "inherit" });
    const [socket] = await once(sockets, "connection");
    const exited = once(running, "exit");
    await converse(socket);
    equal((await exited)[0], 0);
    server.close();
  });
}
finish();
