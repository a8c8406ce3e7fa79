//! Everything that barewire serves, on one port: open the page it prints and
//! try every protocol.
//!
//! ```text
//! cargo run --release --example showcase -- [--listen ADDR]... [--threads N] [--files DIR]
//! ```
//!
//! Each file is one idea: [`plain`], [`echo`] and [`files`] speak HTTP, [`chat`]
//! WebSocket, [`ticks`] and [`broadcaster`] Server-Sent Events, [`users`] and
//! [`interop`] gRPC.

mod arguments;
mod broadcaster;
mod chat;
mod descriptors;
mod echo;
mod files;
pub(crate) mod interop;
pub(crate) mod messages;
mod plain;
pub(crate) mod test_messages;
mod ticks;
mod timestamp;
mod users;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use barewire::app::{App, Cors, Health, Reflection, Server, Serving};
use barewire::net::{Address, Error};
use barewire::{link, websocket};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use arguments::Arguments;

/// How long what runs may take to finish once the server is told to stop.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(refusal) => return refusal.tell(),
    };
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("showcase: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: Arguments) -> Result<(), Error> {
    let app = files::routes(showcase(), arguments.files.as_deref());
    let mut app = app.threads(arguments.threads);
    for address in &arguments.addresses {
        app = app.listen(address)?;
    }
    let server = app.spawn()?;
    stop_on_signals(&server)?;
    for address in server.local_addresses() {
        match address {
            Address::Tcp(address) => println!("listening on http://{address}"),
            Address::Unix(_) => println!("listening on {address}"),
        }
    }
    server.join().map(drop)
}

/// The whole app: each file adds its routes.
pub(crate) fn showcase() -> App {
    let app = App::new();
    let metrics = app.metrics();
    let app = app
        .with(
            Cors::permissive()
                .expose("grpc-status")
                .expose("grpc-message"),
        )
        .protocol_limits(limits())
        .get("/", |_request, reply| reply.html(include_str!("page.html")))
        .get("/metrics", metrics.route());
    let app = plain::routes(app);
    let app = echo::routes(app);
    let app = chat::routes(app);
    let app = ticks::routes(app);
    let app = broadcaster::routes(app);
    let app = users::routes(app);
    let app = interop::routes(app);
    discovery(app)
}

/// What gRPC's tools ask first: who serves, and what that looks like.
fn discovery(app: App) -> App {
    let health = Health::new();
    for service in [users::NAME, interop::NAME] {
        health.set(service, Serving::Serving);
    }
    let app = app.grpc(health.service());
    let set = descriptors::encoded().expect("the protos are checked by the tests");
    let reflection = Reflection::new(&set).expect("protox has made them");
    app.grpc(reflection.service())
        .grpc(reflection.service_v1alpha())
}

/// The defaults, but for messages of up to 16 MiB in fragments of any size: the
/// echo is there to be tried with large ones.
fn limits() -> link::Limits {
    let websocket = websocket::Limits::DEFAULT
        .with_frame(16 << 20)
        .with_message(16 << 20)
        .with_fragments(1 << 20);
    link::Limits::DEFAULT.with_websocket(websocket)
}

/// The first signal has the server finish what runs, a second one stop at once.
fn stop_on_signals(server: &Server) -> Result<(), Error> {
    let handle = server.handle();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for (earlier, _signal) in signals.forever().enumerate() {
            handle.shutdown(if earlier == 0 {
                PATIENCE
            } else {
                Duration::ZERO
            });
        }
    });
    Ok(())
}
