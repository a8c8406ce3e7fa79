//! actix-web with one worker; with rustls if it is to speak TLS.

use actix_web::web::{Bytes, get, post};
use actix_web::{App, HttpResponse, HttpServer, rt};
use servers_common::{HELLO, LARGE, MEDIUM, address, fixed, raise_descriptors, tls};

fn text(body: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(body)
}

fn main() -> std::io::Result<()> {
    raise_descriptors();
    let (medium, large) = (fixed(MEDIUM), fixed(LARGE));
    let tls = tls::server("http/1.1")?;
    rt::System::new().block_on(async {
        let server = HttpServer::new(move || {
            App::new()
                .route(
                    "/hello",
                    get().to(|| async { text(Bytes::from_static(HELLO.as_bytes())) }),
                )
                .route(
                    "/64k",
                    get().to(move || async move { text(Bytes::from_static(medium)) }),
                )
                .route(
                    "/1m",
                    get().to(move || async move { text(Bytes::from_static(large)) }),
                )
                .route("/echo", post().to(|body: Bytes| async move { text(body) }))
        })
        .workers(1)
        .max_connections(50_000)
        .max_connection_rate(50_000) // of handshakes: 256 by default
        .backlog(4096);
        let server = match tls {
            None => server.bind(address())?,
            Some(config) => server.bind_rustls_0_23(address(), (*config).clone())?,
        };
        server.run().await
    })
}
