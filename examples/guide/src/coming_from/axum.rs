//! Items behind a key, as with axum.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use barewire::app::{App, Error, Incoming, Middleware, Next, Refusal, Reply, Status};

type Items = Arc<Mutex<HashMap<u32, String>>>;

struct Key;

impl Middleware for Key {
    fn before(&self, request: &mut Incoming<'_, '_>, reply: Reply<'_, '_>) -> Next {
        match request.header("x-api-key") {
            Some("4711") => Next::Continue,
            _ => reply.refuse(Status::UNAUTHORIZED).into(),
        }
    }
}

pub fn app() -> App {
    let items = Items::default();
    let written = items.clone();
    App::new()
        .with(Key)
        .get("/items/{id}", move |request, reply| {
            let id = request.param_as::<u32>("id")?;
            match items.lock().unwrap().get(&id) {
                Some(name) => reply.json(name).ok(),
                None => Err(Refusal::from(Status::NOT_FOUND)),
            }
        })
        .put("/items/{id}", move |request, reply| {
            let (id, name) = (request.param_as::<u32>("id")?, request.json()?);
            written.lock().unwrap().insert(id, name);
            reply.status(Status::NO_CONTENT).empty().ok()
        })
}

pub fn main() -> Result<(), Error> {
    app().listen("127.0.0.1:8080")?.run()
}
