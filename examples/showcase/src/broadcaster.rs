//! Live events: every listener hears what others post.
//!
//! ```text
//! GET  /api/events?client_id=a    a stream: connected, then whatever is posted
//! POST /api/broadcast             {"event": "news", "data": ..., "target_clients": ["a"]}
//! POST /api/notify                {"title": "T", "message": "M", "priority": "high"}
//! POST /api/update                {"update_data": ..., "target_clients": ["a"]}
//! GET  /api/clients               {"client_count": 1}
//! ```

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use barewire::app::{App, BroadcastError, Broadcaster, EventStream, Events, Refusal};
use barewire::http::Status;
use barewire::sse::Event;
use serde_json::{Value, json};

use super::timestamp;

const HEARTBEAT: Duration = Duration::from_secs(30);

pub(crate) fn routes(app: App) -> App {
    let names = Names::default();
    let everyone = Broadcaster::new();
    let [listeners, broadcast, notify, update, count] = [(); 5].map(|()| everyone.clone());
    app.events("/api/events", move |request| {
        let id = request.query_value("client_id").filter(|id| !id.is_empty());
        let id = id.map_or_else(|| names.next(), Into::into);
        listeners.subscription(&id)?; // refused here if the name is too long
        Ok(Listener { id, broadcaster: listeners.clone() })
    })
    .post("/api/broadcast", move |request, reply| {
        let body = parse(request.body())?;
        let clients = send(&broadcast, text(&body, "event")?, member(&body, "data")?, &body)?;
        Ok::<_, Refusal>(reply.json_text(json!({"status": "sent", "clients": clients}).to_string()))
    })
    .post("/api/notify", move |request, reply| {
        let body = parse(request.body())?;
        let data = json!({
            "title": text(&body, "title")?,
            "message": text(&body, "message")?,
            "priority": if body["priority"].is_null() { "normal" } else { text(&body, "priority")? },
        });
        send(&notify, "notification", &data, &Value::Null)?;
        Ok::<_, Refusal>(reply.json_text(r#"{"status":"notification sent"}"#))
    })
    .post("/api/update", move |request, reply| {
        let body = parse(request.body())?;
        send(&update, "update", member(&body, "update_data")?, &body)?;
        Ok::<_, Refusal>(reply.json_text(r#"{"status":"update sent"}"#))
    })
    .get("/api/clients", move |_request, reply| {
        reply.json_text(json!({"client_count": count.count()}).to_string())
    })
}

/// One client's stream.
struct Listener {
    id: String,
    broadcaster: Broadcaster,
}

impl Events for Listener {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        let data = json!({"client_id": self.id, "timestamp": timestamp::now()}).to_string();
        stream.send(&Event::new(&data).event("connected"));
        // Its name has been checked.
        let _ = stream.subscribe(&self.broadcaster, &self.id);
        stream.after(HEARTBEAT, 0);
    }

    fn timer(&mut self, stream: &mut EventStream<'_, '_>, _token: u32) {
        let data = json!({"timestamp": timestamp::now()}).to_string();
        stream.send(&Event::new(&data).event("heartbeat"));
        stream.after(HEARTBEAT, 0);
    }
}

/// Sends an event to the clients that the body names, or to all. Returns how
/// many that is.
fn send(
    broadcaster: &Broadcaster,
    event: &str,
    data: &Value,
    body: &Value,
) -> Result<usize, Refusal> {
    let data = data.to_string(); // one line: JSON escapes line breaks
    let event = Event::new(&data).event(event);
    let sent = match targets(body)? {
        None => broadcaster.send(&event).map_err(Into::into),
        Some(clients) => broadcaster.send_to(clients, &event),
    };
    sent.map_err(|error: BroadcastError| bad(error.to_string()))
}

/// Names for those who bring none: nobody can guess the next.
#[derive(Default)]
struct Names {
    given: AtomicU64,
    key: RandomState,
}

impl Names {
    fn next(&self) -> String {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}", self.key.hash_one(number))
    }
}

// What a body must look like.

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|error| bad(format!("Invalid JSON: {error}")))
}

fn member<'b>(body: &'b Value, name: &str) -> Result<&'b Value, Refusal> {
    body.get(name)
        .ok_or_else(|| bad(format!("{name} is missing")))
}

fn text<'b>(body: &'b Value, name: &str) -> Result<&'b str, Refusal> {
    member(body, name)?
        .as_str()
        .ok_or_else(|| bad(format!("{name} is not a string")))
}

/// The clients that the event is for; none where it is for all.
fn targets(body: &Value) -> Result<Option<Vec<&str>>, Refusal> {
    let names = match &body["target_clients"] {
        Value::Null => return Ok(None),
        Value::Array(names) => names.iter().map(Value::as_str).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    match names {
        Some(names) => Ok(Some(names)),
        None => Err(bad("target_clients is not a list of strings".into())),
    }
}

fn bad(why: String) -> Refusal {
    Refusal::new(Status::BAD_REQUEST).because(why)
}
