//! The machine of HTTP/1.1, without I/O.
#![cfg(feature = "alloc")]

#[path = "../http1_driver/mod.rs"]
mod http1_driver;
#[path = "../checks/versus_httparse.rs"]
#[allow(unreachable_pub, reason = "fuzz targets use it, too")]
mod reference;

mod cases;
mod chaos;
mod client;
mod known_requests;
mod limits;
mod round_trip;
mod server;
mod versus_httparse;
