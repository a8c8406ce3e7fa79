// A chat room with uWebSockets. It is compared as text: nothing here compiles it.

#include "App.h"

struct Session {};

int main() {
    uWS::App()
        .get("/hello/:name", [](auto *response, auto *request) {
            response->end("Hello, " + std::string(request->getParameter("name")) + "!");
        })
        .ws<Session>("/room", {
            .maxPayloadLength = 64 * 1024,
            .idleTimeout = 120,
            .open = [](auto *socket) {
                socket->subscribe("room");
            },
            .message = [](auto *socket, std::string_view message, uWS::OpCode code) {
                socket->publish("room", message, code);
            },
        })
        .listen(8080, [](auto *listening) {
            if (!listening) {
                std::exit(1);
            }
        })
        .run();
}
