//! The machine of WebSocket, without I/O.
#![cfg(feature = "alloc")]

#[path = "../checks/input.rs"]
#[allow(dead_code, unreachable_pub, reason = "fuzz targets use it, too")]
mod input;
#[path = "../checks/versus_tungstenite.rs"]
#[allow(dead_code, unreachable_pub, reason = "fuzz targets use it, too")]
mod versus_tungstenite;
#[path = "../websocket_support/mod.rs"]
mod websocket_support;

mod close;
mod deflate;
mod handshake;
mod limits;
mod messages;
mod oracle;
mod splits;
mod violations;
