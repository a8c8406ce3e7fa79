//! Notes, with a description of what is served: `/openapi.json` is made from the table of
//! routes, so that no route can be missing in it.

mod document;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use barewire::app::{App, Broadcaster, Event, Refusal, Route, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use document::{Schemas, document};

/// A note to be added.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct NewNote {
    /// What it says.
    pub text: String,
    /// When it is due, in seconds since 1970.
    pub due: Option<u64>,
}

/// A note.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// Its number.
    pub id: usize,
    /// What it is.
    #[serde(flatten)]
    pub note: NewNote,
}

/// All notes; one that is gone has left its number.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Option<Note>>>>);

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Vec<Option<Note>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn number(id: &str) -> Result<usize, Refusal> {
    id.parse().map_err(|_| Status::NOT_FOUND.into())
}

/// The app.
pub fn app() -> App {
    let notes = Notes::default();
    let [added, listed, found, removed] = [(); 4].map(|()| notes.clone());
    let news = Broadcaster::new();
    let told = news.clone();
    let document_of_app = Arc::new(OnceLock::new());
    let shown = document_of_app.clone();
    let app = App::new()
        .route(
            Route::post("/notes")
                .name("add_note")
                .request_type::<NewNote>()
                .response_type::<Note>()
                .collect(4096, move |request, reply| {
                    let note = serde_json::from_slice(request.body()).map_err(|error| {
                        Refusal::new(Status::BAD_REQUEST).because(error.to_string())
                    })?;
                    let mut notes = added.lock();
                    let note = Note {
                        id: notes.len(),
                        note,
                    };
                    let done = reply.json(&note);
                    let _ = told.send(&Event::new(&note.note.text));
                    notes.push(Some(note));
                    done.ok()
                }),
        )
        .route(
            Route::get("/notes")
                .name("list_notes")
                .response_type::<Vec<Note>>()
                .collect(0, move |_request, reply| {
                    let notes = listed.lock();
                    reply.json(&notes.iter().flatten().collect::<Vec<_>>())
                }),
        )
        .route(
            Route::get("/notes/{id}")
                .name("get_note")
                .response_type::<Note>()
                .collect(0, move |request, reply| {
                    let notes = found.lock();
                    let note = notes
                        .get(number(request.param("id"))?)
                        .and_then(Option::as_ref);
                    reply.json(note.ok_or(Status::NOT_FOUND)?).ok()
                }),
        )
        .route(Route::delete("/notes/{id}").name("remove_note").collect(
            0,
            move |request, reply| {
                let mut notes = removed.lock();
                let note = notes
                    .get_mut(number(request.param("id"))?)
                    .and_then(Option::take);
                note.ok_or(Status::NOT_FOUND)?;
                reply.text("gone").ok()
            },
        ))
        .events("/news", move |_request| Ok(news.subscription("reader")?))
        .get("/openapi.json", move |_request, reply| {
            reply.json_text(shown.get().map_or("", String::as_str))
        });
    let schemas = Schemas::default()
        .with::<NewNote>()
        .with::<Note>()
        .with::<Vec<Note>>();
    let document = document("Notes", env!("CARGO_PKG_VERSION"), &app.routes(), schemas);
    // Nothing else sets it.
    let _ = document_of_app.set(document.to_string());
    app
}
