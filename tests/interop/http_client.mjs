// Servers of Node.js for our HTTP client: one that does what a path asks for, one that
// closes connections which were at rest for two milliseconds, and the first by HTTP/2.
//
// usage: http_client.mjs CERTIFICATE KEY
// Prints the three ports; ends with its input.
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import { readFileSync } from "node:fs";
import { once } from "node:events";

// How often each request with an id has come.
const seen = new Map();
let asked = 0;

function answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    const id = searchParams.get("id");
    if (id !== null) seen.set(id, (seen.get(id) ?? 0) + 1);
    switch (pathname) {
        case "/close":
            response.setHeader("Connection", "close");
            return response.end("hello");
        case "/trailers":
            response.setHeader("Trailer", "X-Sum, X-Note");
            response.write("hello, ");
            return setImmediate(() => {
                response.addTrailers({ "X-Sum": "12", "X-Note": "after the body" });
                response.end("world");
            });
        case "/hints":
            return response.writeEarlyHints({ link: "</a.css>; rel=preload", "x-n": "1" }, () => {
                response.writeProcessing();
                response.writeEarlyHints({ link: "</b.css>; rel=preload" }, () => response.end("hello"));
            });
        case "/one-hint":
            response.writeEarlyHints({ link: "</a.css>; rel=preload" });
            return response.end("hello");
        case "/leave": // every 50th request ends the session
            if (++asked % 50 === 0) request.stream.session.close();
            return request.resume().on("end", () => response.end("hello"));
        case "/endless-hints": {
            const more = () => {
                if (!response.destroyed) response.writeEarlyHints({ link: "</a.css>; rel=preload" }, () => setImmediate(more));
            };
            return more();
        }
        case "/early": // before it has read the body
            response.statusCode = 413;
            return response.end("too much");
        case "/early-close":
            response.writeHead(413, { Connection: "close" });
            return response.end("too much");
        case "/echo":
            response.setHeader("Content-Type", "application/octet-stream");
            return request.pipe(response);
        case "/length": {
            let length = 0;
            request.on("data", (chunk) => (length += chunk.length));
            return request.on("end", () => response.end(String(length)));
        }
        case "/reset":
            return request.resume().on("end", () => request.socket.resetAndDestroy());
        case "/vanish":
            return request.resume().on("end", () => request.socket.end());
        case "/half":
            response.setHeader("Content-Length", 100);
            response.write("x".repeat(50));
            return setTimeout(() => request.socket.destroy(), 20);
        case "/half-chunked":
            response.write("x".repeat(50));
            return setTimeout(() => request.socket.destroy(), 20);
        case "/large-head":
            for (let at = 0; at < 20; at++) response.setHeader(`X-${at}`, "x".repeat(10_000));
            return response.end("hello");
        case "/many-fields":
            response.setHeader("X-Many", Array(300).fill("a"));
            return response.end("hello");
        case "/no-body":
            response.writeHead(204);
            return response.end();
        case "/stuck":
            response.write("hello");
            return;
        case "/seen":
            return response.end(JSON.stringify(Object.fromEntries(seen)));
        case "/forget":
            seen.clear();
            return response.end();
        default:
            return request.resume().on("end", () => response.end("hello"));
    }
}

const server = createServer({ keepAliveTimeout: 60_000 }, answer);
server.on("checkContinue", (request, response) => {
    if (request.url === "/refuse") {
        response.writeHead(401, { "Content-Length": 2 });
        return response.end("no");
    }
    if (request.url !== "/silent") response.writeContinue();
    let length = 0;
    request.on("data", (chunk) => (length += chunk.length));
    request.on("end", () => response.end(String(length)));
});
server.on("checkExpectation", (request, response) => {
    response.statusCode = 417;
    response.end();
});
const hasty = createServer({ keepAliveTimeout: 2 }, answer);
const [cert, key] = process.argv.slice(2).map((file) => readFileSync(file));
const secure = createSecureServer({ cert, key }, answer);
for (const one of [server, hasty, secure]) {
    one.on("clientError", (error, socket) => {
        if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
    one.listen(0, "127.0.0.1");
    await once(one, "listening");
}
console.log(server.address().port, hasty.address().port, secure.address().port);
process.stdin.resume().on("end", () => process.exit(0));
