//! The client's side: dials, requests of ours, upgrades of ours.

use core::time::Duration;
use std::io::ErrorKind;

use barewire::http::{Field, Fields, Method, RequestHead, Target, Version};
use barewire::link::{Body, Event};
use barewire::net::{Destination, Exchange, Fate, Scripted, ScriptedClient, Speaks};
use barewire::websocket::{Kind, handshake};

use crate::scene::{Scene, Setting};

fn dial(scene: &mut Scene, to: &str, speaks: Speaks) -> Exchange {
    let destination: Destination = to.parse().unwrap();
    let profile = scene.profile;
    scene.act(|context| context.dial(destination, speaks, profile, 7))
}

fn last_dial(world: &Scripted) -> ScriptedClient {
    world.dials().last().unwrap().0
}

pub(crate) fn head<'a>(method: Method<'a>, path: &'a str, fields: Fields<'a>) -> RequestHead<'a> {
    RequestHead {
        method,
        target: Target::parse(path.as_bytes(), method).unwrap(),
        version: Version::Http11,
        protocol: None,
        fields,
    }
}

pub(crate) const HOST: Fields<'static> = Fields::new(&[Field::new("Host", "a")]);

fn nothing(_: &mut barewire::net::Context<'_>, _: Event<'_>) {}

#[test]
fn a_peer_that_speaks_first_is_heard() {
    let mut scene = Scene::with(Setting::default(), nothing);
    dial(&mut scene, "192.0.2.9:25", Speaks::Raw);
    let server = last_dial(&scene.world);
    // Connected, greeted and finished in a single event.
    scene.world.complete(server);
    scene.world.send(server, b"220 hello");
    scene.world.eof(server);
    scene.settle();
    let lines = scene.log.borrow().join(", ");
    assert_eq!(lines, "Opened, Data 9, HalfClosed");
}

#[test]
fn a_dial_that_nobody_answers_ends_in_its_time() {
    let mut scene = Scene::with(Setting::default(), nothing);
    dial(&mut scene, "192.0.2.9:80", Speaks::Http);
    scene.pass(4);
    assert!(!scene.has("Gone"));
    scene.pass(2);
    assert!(scene.has("Gone Unreachable(TimedOut)"));
    assert_eq!(scene.active(), 0);
    assert_eq!(scene.world.last_timeout(), None);
}

#[test]
fn a_dial_that_is_refused_ends_at_once() {
    let mut scene = Scene::with(Setting::default(), nothing);
    scene
        .world
        .refuse_connects(Some(ErrorKind::NetworkUnreachable));
    dial(&mut scene, "192.0.2.9:80", Speaks::Http);
    assert!(scene.has("Gone Unreachable(NoRoute)"));
    scene.world.refuse_connects(None);
    dial(&mut scene, "192.0.2.9:80", Speaks::Http);
    let server = last_dial(&scene.world);
    scene.world.break_with(server, ErrorKind::ConnectionRefused);
    scene.settle();
    assert_eq!(scene.count("Gone Unreachable(Refused)"), 1);
    assert_eq!(scene.active(), 0);
}

#[test]
fn all_addresses_of_a_name_are_tried() {
    let mut scene = Scene::with(Setting::default(), nothing);
    let destination: Destination = "localhost:80".parse().unwrap();
    let profile = scene.profile;
    scene.act(|context| context.dial(destination, Speaks::Http, profile, 7));
    let began = std::time::Instant::now();
    while scene.world.dials().is_empty() && began.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(5)); // the system's resolver has a thread
        scene.settle();
    }
    let mut tried = 0;
    while !scene.has("Gone") {
        let server = last_dial(&scene.world);
        scene.world.break_with(server, ErrorKind::ConnectionRefused);
        scene.settle();
        tried += 1;
    }
    assert_eq!(scene.world.dials().len(), tried);
    assert!(tried >= 1 && scene.has("Gone Unreachable(Refused)"));
}

#[test]
fn events_of_a_failed_attempt_do_not_reach_the_next() {
    let mut scene = Scene::with(Setting::default(), nothing);
    dial(&mut scene, "192.0.2.9:80", Speaks::Raw);
    let server = last_dial(&scene.world);
    scene.world.complete(server);
    scene.settle();
    assert!(scene.has("Opened") && !scene.has("HalfClosed"));
}

#[test]
fn a_client_asks_and_asks_again() {
    let mut scene = Scene::with(Setting::default(), |context, event| match event {
        Event::Opened => {
            let head = head(Method::GET, "/a", HOST);
            context.request(&head, None).unwrap();
        }
        Event::End { .. } => {
            let head = head(Method::POST, "/b", HOST);
            context.request(&head, Some(Body::Whole(b"body"))).unwrap();
        }
        _ => {}
    });
    dial(&mut scene, "192.0.2.9:80", Speaks::Http);
    let server = last_dial(&scene.world);
    scene.world.complete(server);
    scene.settle();
    assert!(scene.take(server).starts_with("GET /a HTTP/1.1\r\n"));
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".chunks(1) {
        scene.send(server, byte);
    }
    assert!(scene.take(server).ends_with("\r\n\r\nbody"));
    scene.send(server, b"HTTP/1.1 204 No Content\r\n\r\n");
    assert!(scene.has("Response 204"));
    assert_eq!(scene.active(), 1);
    scene.eof(server);
    assert_eq!((scene.active(), scene.count("Gone Disconnected")), (0, 1));
}

#[test]
fn a_client_whose_owner_panics_sends_no_response() {
    let mut scene = Scene::with(Setting::default(), |context, event| match event {
        Event::Opened => {
            let head = head(Method::GET, "/a", HOST);
            context.request(&head, None).unwrap();
        }
        Event::Informational(_) => panic!("as asked"),
        _ => {}
    });
    dial(&mut scene, "192.0.2.9:80", Speaks::Http);
    let server = last_dial(&scene.world);
    scene.world.complete(server);
    scene.settle();
    scene.take(server);
    scene.send(server, b"HTTP/1.1 103 Early Hints\r\n\r\n");
    assert_eq!(scene.take(server), "");
    assert!(scene.is_over(server));
}

#[test]
fn a_response_that_does_not_come_ends_the_connection() {
    let mut scene = Scene::with(Setting::default(), |context, event| {
        if let Event::Opened = event {
            let head = head(Method::GET, "/a", HOST);
            context.request(&head, None).unwrap();
        }
    });
    dial(&mut scene, "192.0.2.9:80", Speaks::Http);
    let server = last_dial(&scene.world);
    scene.world.complete(server);
    scene.pass(62);
    assert!(scene.has("Gone ProtocolError"), "{:?}", scene.log.borrow());
    assert!(!scene.has("Overdue"));
}

/// A client that upgrades as soon as it is connected.
fn upgrading() -> Scene {
    let mut scene = Scene::with(Setting::default(), |context, event| {
        let offer = handshake::Offer::new(handshake::Key::new([7; 16]));
        match event {
            Event::Opened => {
                let fields = offer.fields();
                let mut all = fields.as_slice().to_vec();
                all.push(Field::new("Host", "a"));
                let head = head(Method::GET, "/ws", Fields::new(&all));
                context.request(&head, None).unwrap();
            }
            Event::Response { head, .. } => {
                offer.check_response(&head).unwrap();
                context.switched_to_websocket(false).unwrap();
                context.send(Kind::Text, b"hello");
            }
            _ => {}
        }
    });
    dial(&mut scene, "192.0.2.9:80", Speaks::Http);
    scene
}

#[test]
fn a_client_upgrades_and_loses_no_frame() {
    let mut scene = upgrading();
    let server = last_dial(&scene.world);
    scene.world.complete(server);
    scene.settle();
    assert!(scene.take(server).starts_with("GET /ws HTTP/1.1\r\n"));
    let accept = handshake::Key::new([7; 16]).accept();
    let answer = [
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
          Upgrade: websocket\r\nSec-WebSocket-Accept: ",
        &accept[..],
        b"\r\n\r\n\x81\x05early",
    ]
    .concat();
    scene.send(server, &answer);
    assert!(scene.has("Message 5"));
    let out = scene.world.take_output(server);
    assert_eq!((out[0], out[1], out.len()), (0x81, 0x85, 11));
    // What is published to a client's connection is masked as well.
    let member = scene.exchange_of("Message");
    let taken = scene.act(|context| context.publish([member], Kind::Text, b"news"));
    let out = scene.world.take_output(server);
    assert_eq!((taken, out[0], out[1], out.len()), (1, 0x81, 0x84, 10));
    let mask: Vec<u8> = out[2..6].to_vec();
    let plain: Vec<u8> = out[6..].iter().zip(&mask).map(|(a, b)| a ^ b).collect();
    assert_eq!(plain, b"news");
    scene.send(server, b"\x89\x01?");
    assert_eq!(scene.world.take_output(server)[..2], [0x8a, 0x81]);
    scene.eof(server);
    assert!(scene.is_over(server));
    assert_ne!(scene.fate(server), Fate::Open);
}
