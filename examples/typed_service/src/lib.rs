//! A greeter whose code comes from `protos/`: no path and no codec is written by hand, and the
//! compiler asks for what the files say. gRPC, gRPC-Web and Connect all serve it.
//!
//! `cargo run -p typed_service` serves it, `cargo run -p typed_service -- ADDRESS` calls it.

mod greeter;

/// What the build script has written.
pub mod protos {
    include!(concat!(env!("OUT_DIR"), "/protos.rs"));
}

use barewire::app::{App, NotDescribed, Reflection};
use protos::greet::v1::greeter_server;
use protos::http_echo_server::{self, HttpEcho};

pub use greeter::English;

/// Answers nothing: its only method is not implemented.
struct Silent;

impl HttpEcho for Silent {}

/// Both services, with reflection; JSON is understood where Connect or gRPC speaks it.
pub fn app() -> Result<App, NotDescribed> {
    let Ok(reflection) = Reflection::new(protos::FILE_DESCRIPTOR_SET) else {
        return Err(NotDescribed::Incomplete);
    };
    Ok(App::new()
        .grpc(greeter_server::service(English).described_by(&reflection)?)
        .grpc(http_echo_server::service(Silent))
        .grpc(reflection.service())
        .grpc(reflection.service_v1alpha()))
}
