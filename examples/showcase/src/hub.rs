//! Channels that remember, for browsers without a library: the envelope.
//!
//! ```text
//! /ws/hub                        {"message_type": "text", "payload": {"type": "subscribe", ...}}
//! GET /sse/hub?channel=NAME      the data of what is published there
//! POST /hub/NAME                 publishes its body, a value of JSON
//! GET /hub/NAME                  who is there, on all machines
//! GET /metrics/hub               the numbers
//! ```

use barewire::app::{
    App, ChannelError, ChannelOptions, EnvelopeHub, EventStream, Events, History, Hub, Join,
    Position, Present, Refusal, Response,
};
use barewire::http::Status;
use barewire::sse::Event;
use serde_json::{Value, json};

/// What their names begin with, so that they are others than the rooms of the chat.
const NAMESPACE: &str = "hub:";
/// Members of a channel that are listed.
const MOST_LISTED: usize = 1_000;

pub(crate) fn routes(app: App, origins: &[String]) -> App {
    let keep = ChannelOptions::new().history(History::DEFAULT).presence();
    let app = app.channel(&format!("{NAMESPACE}*"), keep);
    let hub = EnvelopeHub::new(app.hub())
        .namespace(NAMESPACE)
        .on("echo", |call| {
            let data = call.data::<Value>().unwrap_or_default();
            call.answer("echo", &data);
        })
        .on_binary(|call| call.answer_binary(call.bytes()));
    let (channels, publisher, lister) = (app.hub(), hub.clone(), app.hub());
    app.websocket_route("/ws/hub", hub.route().origins(origins))
        .get("/metrics/hub", hub.metrics_route())
        .events("/sse/hub", move |request| {
            let name = request.query_value("channel").unwrap_or_default();
            Listener::new(&channels, &name, request.last_event_id())
        })
        .get("/hub/{channel}", move |request, reply| {
            let channel = [NAMESPACE, request.param("channel")].concat();
            reply.defer(|deferred| {
                lister.present_everywhere(&channel, MOST_LISTED, |all| {
                    match all {
                        Ok(all) => deferred.send(listed(&all)),
                        Err(error) => deferred.refuse(error),
                    };
                });
            })
        })
        .post("/hub/{channel}", move |request, reply| {
            let Ok(data) = serde_json::from_slice::<Value>(request.body()) else {
                let refusal = Refusal::new(Status::BAD_REQUEST);
                return reply.refuse(refusal.because("the body is not JSON"));
            };
            let channel = request.param("channel");
            reply.defer(|deferred| {
                // Where the channel is shared, its place comes later.
                let then = |place: Result<Option<Position>, ChannelError>| {
                    match place {
                        Ok(place) => deferred.send(placed(place)),
                        Err(error) => deferred.refuse(error),
                    };
                };
                let published = publisher.publish_then(channel, &data, then);
                published.expect("it has been parsed");
            })
        })
}

fn placed(place: Option<Position>) -> Response {
    let place = place.map(|it| json!({"epoch": it.epoch.to_string(), "offset": it.offset}));
    Response::json_text(place.unwrap_or_default().to_string())
}

fn listed(all: &[Present]) -> Response {
    let all = all
        .iter()
        .map(|it| json!({"user": it.user, "since": it.since}));
    Response::json_text(all.collect::<Value>().to_string())
}

/// A stream of one channel.
struct Listener {
    channel: String,
    join: Join,
}

impl Listener {
    /// A stream from where the client has got to.
    fn new(channels: &Hub, name: &str, last: Option<&str>) -> Result<Self, Refusal> {
        channels.check_name(name)?;
        let channel = [NAMESPACE, name].concat();
        channels.check_name(&channel)?;
        let join = last.map_or(Join::new(), |id| Join::new().since_event(id));
        Ok(Self { channel, join })
    }
}

impl Events for Listener {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        match stream.join_with(&self.channel, &self.join) {
            Ok(joined) => {
                let standing = joined.standing();
                if let Some(recovered) = standing.and_then(|it| it.recovered) {
                    let data = json!({"recovered": recovered}).to_string();
                    stream.send(&Event::new(&data).event("recovered"));
                }
            }
            // There are too many: the client comes again.
            Err(_) => stream.finish(),
        }
    }
}
