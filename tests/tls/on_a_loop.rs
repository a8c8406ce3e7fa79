//! A loop of the application's own that dials over TLS.

use std::sync::mpsc::{Receiver, Sender, channel};

use barewire::http::{Content, Field, Fields, Method, RequestHead, Target, Version};
use barewire::link::{EndReason, Event, Unreachable};
use barewire::net::{Context, Handler, Limits, Loop, Speaks};
use barewire::tls::{Client, ConnectionError, Fault, Info};

use crate::dialling::trusting;
use crate::support::{Authority, app, port_of, stop};

/// What a handler was told.
#[derive(Debug, PartialEq)]
enum Told {
    /// The handshake is over: what is spoken.
    Opened(Option<String>),
    Answer(u16, String),
    Ended(EndReason, Option<Fault>),
}

/// Asks for `/` once it is connected.
struct Asking {
    status: u16,
    body: Vec<u8>,
    told: Sender<Told>,
}

impl Handler for Asking {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        let details = context.transport_details();
        match event {
            Event::Opened => {
                let info = details.and_then(|it| it.downcast_ref::<Info>()).unwrap();
                let alpn = info.alpn().map(String::from);
                let is_http2 = alpn.as_deref() == Some("h2");
                self.told.send(Told::Opened(alpn)).unwrap();
                // Over HTTP/2 the server's settings come first.
                if !is_http2 {
                    ask(context);
                }
            }
            Event::Writable => ask(context),
            Event::Response { head, content } => {
                self.status = head.status.code();
                if let Content::Whole(body) = content {
                    let body = String::from_utf8(body.to_vec()).unwrap();
                    self.told.send(Told::Answer(self.status, body)).unwrap();
                }
            }
            Event::Body(content) => self.body.extend_from_slice(content),
            Event::End { .. } => {
                let body = String::from_utf8(std::mem::take(&mut self.body)).unwrap();
                self.told.send(Told::Answer(self.status, body)).unwrap();
            }
            Event::Ended(why) => {
                let error = details.and_then(|it| it.downcast_ref::<ConnectionError>());
                let fault = error.map(|it| it.fault().clone());
                self.told.send(Told::Ended(why, fault)).unwrap();
            }
            _ => {}
        }
    }
}

fn ask(context: &mut Context<'_>) {
    let host = [Field::new("host", "localhost")];
    let head = RequestHead {
        method: Method::GET,
        target: Target::parse(b"/", Method::GET).unwrap(),
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(&host),
    };
    context.request(&head, None).unwrap();
}

/// Dials a port of this machine, and has the loop turn until it was told this often.
fn dial(port: u16, tls: &Client, protocols: &[&str], count: usize) -> Vec<Told> {
    let (told, heard): (_, Receiver<Told>) = channel();
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let owner = events.add(Asking {
        status: 0,
        body: Vec::new(),
        told,
    });
    let profile = events.profile(barewire::link::Limits::DEFAULT);
    let over = tls.transport("localhost", protocols).unwrap();
    let destination = format!("127.0.0.1:{port}").parse().unwrap();
    events.enter(owner, |context| {
        context.dial_over(destination, &over, Speaks::Http, profile, 0);
    });
    let mut all = Vec::new();
    while all.len() < count {
        events.turn(None).unwrap();
        all.extend(heard.try_iter());
    }
    all
}

#[test]
fn a_dial_speaks_what_alpn_has_chosen() {
    let authority = Authority::new("dials");
    let certificates = authority.certificates(&["localhost"]);
    let server = app().listen_tls("127.0.0.1:0", certificates).unwrap();
    let server = server.spawn().unwrap();
    let tls = Client::new(trusting(&authority)).unwrap();
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let told = dial(port_of(&server, 0), &tls, offered, 2);
        assert_eq!(told[0], Told::Opened(chosen.map(String::from)));
        assert_eq!(told[1], Told::Answer(200, "hello".into()));
    }
    stop(server);
}

#[test]
fn the_end_of_a_dial_says_why_its_server_is_not_trusted() {
    let authority = Authority::new("servers");
    let certificates = authority.certificates(&["a.example"]);
    let server = app().listen_tls("127.0.0.1:0", certificates).unwrap();
    let server = server.spawn().unwrap();
    let tls = Client::new(trusting(&authority)).unwrap();
    let told = dial(port_of(&server, 0), &tls, &["http/1.1"], 1);
    let names = vec!["a.example".into()];
    let gone = EndReason::Unreachable(Unreachable::Handshake);
    assert_eq!(told, [Told::Ended(gone, Some(Fault::WrongName { names }))]);
    stop(server);
}
