//! barewire: lists, events published to a room, and events of each stream's own.
//!
//! usage: codings_barewire PORT [CODING=LEVEL...]

use std::any::Any;

use barewire::app::{App, Coding, Compression, EventStream, Events};
use barewire::net::Limits;
use barewire::sse::Event;
use servers_codings::{TEXTS, event, item};

struct Member(&'static str);

impl Events for Member {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.join(self.0).expect("one room is within the limits");
    }

    fn mail(&mut self, stream: &mut EventStream<'_, '_>, mail: Box<dyn Any + Send>) {
        if let Ok(text) = mail.downcast::<&'static str>() {
            stream.send(&Event::new(&text));
        }
    }
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or(0) % TEXTS
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("which port?")?;
    let mut compression = Compression::new();
    for argument in std::env::args().skip(2) {
        let (name, level) = argument.split_once('=').ok_or("CODING=LEVEL")?;
        let coding = [Coding::Gzip, Coding::Brotli, Coding::Zstd].into_iter().find(|it| it.name() == name);
        compression = compression.level(coding.ok_or("which coding?")?, level.parse()?);
    }
    let items: Vec<String> = (0..TEXTS).map(item).collect();
    let events: &'static [String] = (0..TEXTS).map(event).collect::<Vec<_>>().leak();
    let app = App::new();
    let (room, each) = (app.hub(), app.hub());
    app.with(compression)
        .get("/items/{n}", move |request, reply| reply.json_text(&items[number(request.param("n"))]))
        .events("/room", |_request| Ok(Member("room")))
        .events("/own", |_request| Ok(Member("own")))
        .post("/room/{n}", move |request, reply| {
            let members = room.publish("room", &*events[number(request.param("n"))]);
            reply.text(members.members().to_string())
        })
        .post("/own/{n}", move |request, reply| {
            let text: &'static str = &events[number(request.param("n"))];
            let sessions = each.sessions();
            for session in &sessions {
                if let Some(handle) = each.session(session.id) {
                    let _ = handle.mail(text);
                }
            }
            reply.text(sessions.len().to_string())
        })
        .threads(1)
        .limits(Limits::DEFAULT.with_connections(5000).with_per_address(5000))
        .listen(&format!("127.0.0.1:{port}"))?
        .run()?;
    Ok(())
}
