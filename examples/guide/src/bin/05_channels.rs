//! Chapter 5: a channel that WebSockets, event streams and plain requests share.

use barewire::app::{
    App, ChannelOptions, Error, EventStream, Events, History, Join, Message, Published, Socket,
    Status, WebSocket,
};

/// A member of the channel `tea` by WebSocket.
struct Guest(String);

impl WebSocket for Guest {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        let _ = socket.join_with("tea", &Join::new().user(&self.0));
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let _ = socket.publish("tea", message); // to all others
    }
}

/// A member by event stream, which goes on where its client was cut off.
struct Reader {
    last: Option<String>,
}

impl Events for Reader {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        let mut join = Join::new().user("reader");
        if let Some(last) = &self.last {
            join = join.since_event(last);
        }
        let _ = stream.join_with("tea", &join);
    }
}

fn main() -> Result<(), Error> {
    let keep = History::DEFAULT.with_publications(100);
    let app = App::new().channel("tea", ChannelOptions::new().history(keep).presence());
    let (hub, who) = (app.hub(), app.hub());
    let app = app
        .websocket("/ws/{name}", |request| {
            Ok(Guest(request.param("name").into()))
        })
        .events("/events", |request| {
            let last = request.last_event_id().map(String::from);
            Ok(Reader { last })
        })
        .post("/publish", move |request, reply| {
            let text = std::str::from_utf8(request.body());
            let text = text.map_err(|_| Status::BAD_REQUEST)?;
            match hub.publish("tea", text) {
                Published::Refused(_) => Err(Status::SERVICE_UNAVAILABLE),
                _ => Ok(reply.status(Status::ACCEPTED).empty()),
            }
        })
        .get("/present", move |_request, reply| {
            let present = who.present("tea", None, 100);
            let users: Vec<_> = present.iter().map(|it| it.user.as_str()).collect();
            reply.json(&users)
        });
    guide::serve(app)
}
