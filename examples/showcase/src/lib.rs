//! Everything that barewire serves, on one port: open the page it prints and
//! try every protocol.
//!
//! Each file is one idea: [`plain`], [`secure`], [`echo`], [`forms`] and [`files`] speak HTTP, [`chat`]
//! WebSocket, [`hub`] channels that remember, [`ticks`] and [`broadcaster`] Server-Sent
//! Events, [`graphql`] GraphQL, [`users`] and [`interop`] gRPC and Connect; [`items`] has what
//! gains by compression. In [`own_client`] and [`cost`] the server calls itself. [`page`] is the
//! page, and [`source`] shows it these files; [`report`] has what the program `compare` has found.

mod broadcaster;
mod chat;
mod cost;
mod descriptors;
mod echo;
mod files;
mod forms;
mod graphql;
mod hub;
pub mod interop;
mod items;
pub mod messages;
mod own_client;
mod page;
mod plain;
mod report;
mod secure;
mod source;
mod tap;
pub mod test_messages;
mod ticks;
mod timestamp;
mod users;

use barewire::app::{App, Compression, Cors, Health, OriginGuard, Reflection, ServingStatus};
use barewire::{link, websocket};

pub use files::routes as with_files;
pub use own_client::{OwnAddress, routes as with_own_client};

/// The whole app: each file adds its routes. Pages of these origins may do what
/// the page of the showcase itself may.
pub fn showcase(origins: &[String]) -> App {
    let app = App::new();
    let metrics = app.metrics();
    let guard = origins.iter().fold(OriginGuard::new(), OriginGuard::allow);
    let app = app
        // First, so that the others see heads without their codings.
        .with(Compression::new())
        .with(
            Cors::permissive()
                .expose("grpc-status")
                .expose("grpc-message"),
        )
        // Every page may read, and only its own may change something.
        .with(guard)
        .protocol_limits(limits())
        .get("/", |_request, reply| reply.html(page::PAGE))
        .get("/metrics", metrics.route());
    let app = source::routes(app);
    let app = report::routes(app);
    let app = plain::routes(app);
    let app = items::routes(app);
    let app = secure::routes(app);
    let app = echo::routes(app, origins);
    let app = forms::routes(app);
    let app = chat::routes(app, origins);
    let app = hub::routes(app, origins);
    let app = ticks::routes(app);
    let app = broadcaster::routes(app);
    let app = graphql::routes(app, origins);
    let reflection = Reflection::new(descriptors::ENCODED).expect("a test compares them");
    let app = users::routes(app, &reflection);
    let app = interop::routes(app, &reflection);
    discovery(app, &reflection)
}

/// What gRPC's tools ask first: who serves, and what that looks like.
fn discovery(app: App, reflection: &Reflection) -> App {
    let health = Health::new();
    for service in [users::NAME, interop::NAME] {
        health.set(service, ServingStatus::Serving);
    }
    let app = app.grpc(health.service());
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
