//! axum with tower-http's compression, on a runtime of one thread: a package of its own, so that
//! nothing else chooses what its codecs are built from.
//!
//! usage: codings_axum PORT [fastest]

#[path = "../../src/lib.rs"]
#[allow(dead_code)]
mod texts;

use std::io;

use axum::Router;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use texts::{TEXTS, item};

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_default();
    let level = match std::env::args().nth(2).as_deref() {
        Some("fastest") => CompressionLevel::Fastest,
        _ => CompressionLevel::Default,
    };
    let items: &'static [String] = (0..TEXTS).map(item).collect::<Vec<_>>().leak();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let list = move |Path(number): Path<usize>| async move {
            let text: &'static str = &items[number % TEXTS];
            ([(CONTENT_TYPE, "application/json")], text)
        };
        let app = Router::new().route("/items/{n}", get(list)).layer(CompressionLayer::new().quality(level));
        let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
        let listener = listener.tap_io(|socket| {
            let _ = socket.set_nodelay(true);
        });
        axum::serve(listener, app).await
    })
}
