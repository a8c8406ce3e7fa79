//! Chapter 2: notes that everybody reads, and those who have a key write.

use std::sync::{Arc, Mutex};

use barewire::app::{
    App, Error, Incoming, Middleware, Next, Record, Refusal, Reply, ReplyHead, Scoped, Status,
};

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

/// The user whom the key belongs to.
struct User(&'static str);

/// Asks for a key, and tells the routes whose it is.
struct Keys;

impl Middleware for Keys {
    fn before(&self, request: &mut Incoming<'_, '_>, reply: Reply<'_, '_>) -> Next {
        match request.header("x-api-key") {
            Some("4711") => {
                request.insert(User("Ann"));
                Next::Continue
            }
            _ => reply.refuse(Status::UNAUTHORIZED).into(),
        }
    }
}

/// Keeps replies out of caches, errors as well.
struct NoStore;

impl Middleware for NoStore {
    fn after(&self, _record: &Record, head: &mut ReplyHead<'_>) {
        let _ = head.set_header("Cache-Control", "no-store");
    }
}

fn main() -> Result<(), Error> {
    let notes = Arc::new(Notes::default());
    let all = notes.clone();
    let app = App::new()
        .with(NoStore)
        .with(Scoped::new("/mine", Keys))
        .get("/notes", move |_request, reply| {
            reply.json(&*all.0.lock().unwrap())
        })
        .post("/mine/notes", move |request, reply| {
            let user = request.extensions().get::<User>();
            let user = user.ok_or(Status::UNAUTHORIZED)?;
            let text = std::str::from_utf8(request.body())
                .map_err(|_| Refusal::from(Status::BAD_REQUEST).because("not UTF-8"))?;
            let mut notes = notes.0.lock().unwrap();
            notes.push(format!("{}: {text}", user.0));
            Ok::<_, Refusal>(reply.status(Status::CREATED).empty())
        });
    guide::serve(app)
}
