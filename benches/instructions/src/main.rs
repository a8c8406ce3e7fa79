//! The codecs, the server and the channel.

mod channel;
mod codecs;
mod counting;
mod graphql;
#[path = "../../inputs/mod.rs"]
mod inputs;
mod server;
mod server_http2;
mod server_middleware;
mod server_tls;

use counting::{count, instructions_mark, path, wanted};

fn main() {
    codecs::http1();
    codecs::httparse();
    codecs::websocket();
    codecs::websocket_deflate();
    codecs::sse();
    codecs::grpc();
    codecs::hpack();
    server::server();
    server_middleware::server_middleware();
    server_tls::server_tls();
    channel::channel();
    graphql::graphql();
}
