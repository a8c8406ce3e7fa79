//! A REST API of notes: bearer tokens, CORS, input that is checked, files.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use barewire::app::{
    App, BearerAuth, Cors, Error, Refusal, Request, Scoped, Status, constant_time_eq,
};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Note {
    id: u32,
    owner: &'static str,
    title: String,
    done: bool,
}

/// A note as clients send it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    title: String,
    #[serde(default)]
    done: bool,
}

impl Draft {
    fn of(request: &Request<'_>) -> Result<Self, Refusal> {
        let draft: Self = request.json()?;
        match draft.title.trim().chars().count() {
            1..=100 => Ok(draft),
            _ => {
                let refusal = Refusal::new(Status::UNPROCESSABLE_CONTENT).at_field("title");
                Err(refusal.because("1 to 100 characters"))
            }
        }
    }
}

/// What a list is narrowed to.
#[derive(Deserialize)]
struct Filter {
    done: Option<bool>,
    #[serde(default = "most")]
    limit: usize,
}

const fn most() -> usize {
    100
}

/// The user whom a token belongs to.
struct User(&'static str);

const TOKENS: [(&str, &str); 2] = [("secret-of-ann", "Ann"), ("secret-of-ben", "Ben")];

fn user(token: &str) -> Option<User> {
    let mut known = TOKENS.into_iter();
    let (_, name) = known.find(|(own, _)| constant_time_eq(own, token))?;
    Some(User(name))
}

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<BTreeMap<u32, Note>>>);

impl Notes {
    fn all(&self) -> MutexGuard<'_, BTreeMap<u32, Note>> {
        self.0.lock().unwrap()
    }
}

fn main() -> Result<(), Error> {
    let notes = Notes::default();
    let [list, create, read, replace, delete] = [(); 5].map(|()| notes.clone());
    let cors = Cors::origins(["https://app.example.org"]).expose("Location");
    let app = App::new()
        .with(Scoped::new("/api", cors))
        .with(Scoped::new("/api", BearerAuth::new("notes", user)))
        .get("/api/notes", move |request, reply| {
            let Filter { done, limit } = request.query_as()?;
            let all = list.all();
            let found = all.values();
            let found = found.filter(|it| done.is_none_or(|is| it.done == is));
            let found: Vec<_> = found.take(limit.min(most())).collect();
            reply.json(&found).ok()
        })
        .post("/api/notes", move |request, reply| {
            let &User(owner) = request.extensions().get().ok_or(Status::UNAUTHORIZED)?;
            let Draft { title, done } = Draft::of(request)?;
            let mut all = create.all();
            let id = all.last_key_value().map_or(1, |(last, _)| last + 1);
            let place = format!("/api/notes/{id}");
            let reply = reply.status(Status::CREATED).header("Location", place);
            let note = Note {
                id,
                owner,
                title,
                done,
            };
            reply.json(all.entry(id).or_insert(note)).ok()
        })
        .get("/api/notes/{id}", move |request, reply| {
            let all = read.all();
            let note = all.get(&request.param_as::<u32>("id")?);
            reply.json(note.ok_or(Status::NOT_FOUND)?).ok()
        })
        .put("/api/notes/{id}", move |request, reply| {
            let Draft { title, done } = Draft::of(request)?;
            let mut all = replace.all();
            let note = all.get_mut(&request.param_as::<u32>("id")?);
            let note = note.ok_or(Status::NOT_FOUND)?;
            (note.title, note.done) = (title, done);
            reply.json(note).ok()
        })
        .delete("/api/notes/{id}", move |request, reply| {
            let removed = delete.all().remove(&request.param_as::<u32>("id")?);
            removed.ok_or(Status::NOT_FOUND)?;
            reply.status(Status::NO_CONTENT).empty().ok()
        })
        .files("/", concat!(env!("CARGO_MANIFEST_DIR"), "/site"));
    guide::serve(app)
}
