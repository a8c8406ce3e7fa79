// The echo of Node's ws, whose package tests/interop/setup.sh installs, with and without takeover.
//
// usage: node ws.mjs PORT
import { createRequire } from "node:module";
import http from "node:http";

const require = createRequire(new URL("../../tests/interop/package.json", import.meta.url));
const { WebSocketServer } = require("ws");

const echo = (perMessageDeflate) => {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 2 << 20, perMessageDeflate });
  sockets.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })));
  return sockets;
};
const level = { threshold: 64, zlibDeflateOptions: { level: 1 } };
const routes = {
  "/websocket": echo(false),
  "/takeover": echo(level),
  "/deflate": echo({ ...level, serverNoContextTakeover: true, clientNoContextTakeover: true }),
};

const server = http.createServer();
server.on("upgrade", (request, socket, head) => {
  const sockets = routes[request.url];
  if (!sockets) return socket.destroy();
  sockets.handleUpgrade(request, socket, head, (one) => sockets.emit("connection", one, request));
});
server.listen(Number(process.argv[2]), "127.0.0.1");
