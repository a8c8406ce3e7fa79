//! Programs of other crates, which docs/guide shows beside those of barewire
//! (`examples/guide/src/coming_from`). `cargo check` says that they are programs.

pub mod axum;
pub mod rouille;
pub mod tiny_http;
pub mod tonic;
pub mod tungstenite;
pub mod ureq;
