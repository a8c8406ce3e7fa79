//! What a request came by.

use barewire::app::{App, Request};
use serde_json::{Value, json};

use super::own_client::name_of;

/// `GET /tls`: what was agreed on, and how many certificates the client has shown; and
/// `GET /connection`: the same beside the version of HTTP.
pub(crate) fn routes(app: App) -> App {
    app.get("/tls", |request, reply| {
        reply.json_text(tls_of(request).to_string())
    })
    .get("/connection", |request, reply| {
        let http = name_of(request.version());
        reply.json_text(json!({"http": http, "tls": tls_of(request)}).to_string())
    })
}

fn tls_of(request: &Request<'_>) -> Value {
    request.tls().map_or(Value::Null, |tls| {
        json!({
            "version": tls.version().to_string(),
            "cipherSuite": tls.cipher_suite(),
            "serverName": tls.server_name(),
            "protocol": tls.alpn(),
            "resumed": tls.is_resumed(),
            "clientCertificates": tls.peer_certificates().len(),
        })
    })
}
