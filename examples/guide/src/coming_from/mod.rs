//! What the programs of `examples/coming_from` do, with barewire.

pub mod axum;
pub mod tiny_http;
pub mod tonic;
pub mod tungstenite;
pub mod ureq;
pub mod uwebsockets;
