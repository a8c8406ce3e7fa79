//! axum on a runtime of one thread.

use std::io;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use servers_common::{HELLO, LARGE, MEDIUM, address, directory, fixed, raise_descriptors};
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

const TEXT: [(axum::http::HeaderName, &str); 1] = [(CONTENT_TYPE, "text/plain; charset=utf-8")];

fn main() -> io::Result<()> {
    raise_descriptors();
    let (medium, large) = (fixed(MEDIUM), fixed(LARGE));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut app = Router::new()
            .route("/hello", get(|| async { HELLO }))
            .route(
                "/64k",
                get(move || async move { (TEXT, Bytes::from_static(medium)) }),
            )
            .route(
                "/1m",
                get(move || async move { (TEXT, Bytes::from_static(large)) }),
            )
            .route("/echo", post(|body: Bytes| async move { (TEXT, body) }));
        if let Some(directory) = directory() {
            app = app.nest_service("/file", ServeDir::new(directory.join("file")));
        }
        let listener = TcpListener::bind(address()).await?;
        let listener = listener.tap_io(|socket| {
            let _ = socket.set_nodelay(true);
        });
        axum::serve(listener, app).await
    })
}
