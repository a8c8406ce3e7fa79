// uWebSockets with the routes that servers-common tells: HTTP/1.1, an echo and
// a room, as its own examples do them, and echoes that are compressed. Compiled with OpenSSL
// it speaks TLS.

#include "App.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <sys/resource.h>

struct Nothing {};

#ifdef LIBUS_USE_OPENSSL
constexpr bool SECURE = true;
#else
constexpr bool SECURE = false;
#endif
using App = uWS::TemplatedApp<SECURE>;

static std::string content(std::size_t length) {
    std::string_view text = "The quick brown fox jumps over the lazy dog. ";
    std::string all;
    while (all.size() < length) {
        all += text.substr(0, length - all.size());
    }
    return all;
}

using Response = uWS::HttpResponse<SECURE>;

static Response *text(Response *response) {
    return response->writeHeader("Content-Type", "text/plain; charset=utf-8");
}

// A body that may take more than one write, from where it lies.
static void large(Response *response, std::string_view body) {
    response->onAborted([]() {});
    response->onWritable([response, body](std::uintmax_t offset) {
        return response->tryEnd(body.substr(offset), body.size()).first;
    });
    text(response)->tryEnd(body, body.size());
}

template <bool ROOM>
static App::WebSocketBehavior<Nothing> behavior(App *app, uWS::CompressOptions compression = uWS::DISABLED) {
    App::WebSocketBehavior<Nothing> of;
    of.compression = compression;
    of.maxPayloadLength = 2 << 20;
    of.maxBackpressure = 64 << 20;
    of.idleTimeout = 120;
    of.open = [](auto *socket) {
        if (ROOM) {
            socket->subscribe("all");
        }
    };
    bool compresses = compression != uWS::DISABLED;
    of.message = [app, compresses](auto *socket, std::string_view message, uWS::OpCode opcode) {
        if (ROOM) {
            app->publish("all", message, opcode);
        } else {
            socket->send(message, opcode, compresses);
        }
    };
    return of;
}

int main(int count, char **arguments) {
    if (count < 2) {
        return 2;
    }
    rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    std::string medium = content(64 << 10), whole = content(1 << 20);
    std::string certificates = SECURE && count > 4 ? arguments[4] : "";
    std::string key = certificates + "/key.pem", chain = certificates + "/chain.pem";
    uWS::SocketContextOptions options;
    if (SECURE) {
        options.key_file_name = key.c_str();
        options.cert_file_name = chain.c_str();
    }
    App app(options);
    app.get("/hello", [](auto *response, auto *) { text(response)->end("Hello, World!"); })
        .get("/64k", [&medium](auto *response, auto *) { large(response, medium); })
        .get("/1m", [&whole](auto *response, auto *) { large(response, whole); })
        .post("/echo", [](auto *response, auto *) {
            response->onAborted([]() {});
            response->onData([response, body = std::string()](std::string_view part, bool last) mutable {
                if (last && body.empty()) {
                    text(response)->end(part);
                    return;
                }
                body.append(part);
                if (last) {
                    text(response)->end(body);
                }
            });
        })
        .ws<Nothing>("/websocket", behavior<false>(&app))
        .ws<Nothing>("/room", behavior<true>(&app))
        .ws<Nothing>("/deflate", behavior<false>(&app, uWS::CompressOptions(uWS::SHARED_COMPRESSOR | uWS::SHARED_DECOMPRESSOR)))
        .ws<Nothing>("/takeover", behavior<false>(&app, uWS::CompressOptions(uWS::DEDICATED_COMPRESSOR | uWS::DEDICATED_DECOMPRESSOR)))
        .listen("127.0.0.1", std::atoi(arguments[1]), [](auto *) {})
        .run();
}
