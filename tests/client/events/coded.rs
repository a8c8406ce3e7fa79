//! The source that blocks, and streams that our server compresses.
#![cfg(all(feature = "gzip", feature = "brotli", feature = "zstd"))]

use core::any::Any;

use barewire::app::{App, Coding, Compression, EventStream, Events, Kind};
use barewire::client::{Client, ClientOptions, EventSource, EventSourceOptions};
use barewire::net::Address;
use barewire::sse::Event;

/// Sends each mail, and gets what the room gets.
struct Feed;

impl Events for Feed {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.join("room").unwrap();
        stream.send(&Event::new("hello"));
    }

    fn mail(&mut self, stream: &mut EventStream<'_, '_>, mail: Box<dyn Any + Send>) {
        if let Ok(text) = mail.downcast::<String>() {
            stream.send(&Event::new(&text));
        }
    }
}

#[test]
fn each_event_is_seen_before_the_next_one_is_sent() {
    for coding in [Coding::Gzip, Coding::Brotli, Coding::Zstd] {
        for (is_http2, lends) in [(false, false), (false, true), (true, false), (true, true)] {
            let compression = Compression::new().codings([coding]);
            let compression = match lends {
                true => compression.lend_states(),
                false => compression,
            };
            let app = App::new()
                .with(compression)
                .events("/feed", |_request| Ok(Feed));
            let (hub, metrics) = (app.hub(), app.metrics());
            let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
            let [Address::Tcp(address)] = server.local_addresses() else {
                panic!()
            };
            let options = match is_http2 {
                true => ClientOptions::new().http2_prior_knowledge(),
                false => ClientOptions::new(),
            };
            let client = Client::with(options).unwrap();
            let request = client.get(format!("http://{address}/feed"));
            let mut source = EventSource::new(request, EventSourceOptions::new()).unwrap();
            let mut next = || source.next().unwrap().unwrap().data;
            assert_eq!(next(), "hello");
            let handle = hub.session(hub.sessions()[0].id).unwrap();
            for number in 0..12 {
                let text = format!("event {number} of a stream that goes on");
                match number % 3 {
                    0 => assert_eq!(hub.publish("room", &text).members(), 1),
                    _ => assert!(handle.mail(text.clone()).is_ok()),
                }
                assert_eq!(next(), text, "{coding:?} {is_http2} {lends}");
            }
            let counts = metrics.snapshot().codings;
            assert_eq!(counts.len(), 1, "{counts:?}");
            assert_eq!(
                (counts[0].kind, counts[0].coding),
                (Kind::Events, coding.name())
            );
        }
    }
}
