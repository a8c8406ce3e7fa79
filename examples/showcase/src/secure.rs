//! What a request came by.

use barewire::app::App;
use serde_json::{Value, json};

/// `GET /tls`: what was agreed on, and how many certificates the client has shown.
pub(crate) fn routes(app: App) -> App {
    app.get("/tls", |request, reply| {
        let told = request.tls().map_or(Value::Null, |tls| {
            json!({
                "version": tls.version().to_string(),
                "cipherSuite": tls.cipher_suite(),
                "serverName": tls.server_name(),
                "protocol": tls.alpn(),
                "resumed": tls.is_resumed(),
                "clientCertificates": tls.peer_certificates().len(),
            })
        });
        reply.json_text(told.to_string())
    })
}
