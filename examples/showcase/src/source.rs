//! `GET /source/{file}`: this program's own text, which the page's panels link to.

use barewire::app::{App, Refusal};
use barewire::http::Status;

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!($name))),*]
    };
}

/// What each panel shows is in one of them.
const SOURCES: &[(&str, &str)] = sources![
    "broadcaster.rs",
    "chat.rs",
    "cost.rs",
    "echo.rs",
    "files.rs",
    "graphql.rs",
    "hub.rs",
    "items.rs",
    "own_client.rs",
    "plain.rs",
    "secure.rs",
    "tap.rs",
    "ticks.rs",
    "users.rs",
];

pub(crate) fn routes(app: App) -> App {
    app.get("/source/{file}", |request, reply| {
        let file = request.param("file");
        match SOURCES.iter().find(|(name, _)| *name == file) {
            Some((_, text)) => reply.text(text).ok(),
            None => Err(Refusal::new(Status::NOT_FOUND)),
        }
    })
}
