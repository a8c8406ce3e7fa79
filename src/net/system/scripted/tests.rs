use super::*;
use crate::net::{ListenOptions, Poller};
use alloc::vec;
use std::io::IoSlice;

fn opened() -> (Scripted, Scripted, ScriptedClient, ScriptedStream) {
    let world = Scripted::new();
    let mut system = world.clone();
    let address = "0.0.0.0:0".parse().unwrap();
    let mut listener = system.listen(&address, &ListenOptions::DEFAULT, 1).unwrap();
    let client = world.connect_client(0);
    let (mut stream, _) = system.accept(&mut listener).unwrap();
    system.register(&mut stream, 7).unwrap();
    (world, system, client, stream)
}

fn poll(system: &mut Scripted) -> Vec<Readiness> {
    let mut ready = Vec::new();
    system.poll(&mut ready, None).unwrap();
    ready.retain(|event| event.token == 7);
    ready
}

#[test]
fn an_edge_comes_once() {
    let (world, mut system, client, mut stream) = opened();
    assert!(poll(&mut system)[0].writable);
    assert_eq!(poll(&mut system), []);
    world.send(client, b"ab");
    assert!(poll(&mut system)[0].readable);
    assert_eq!((world.unread(client), world.output(client).len()), (2, 0)); // looking changes nothing
    assert_eq!(poll(&mut system), []);
    let mut one = [0];
    let read = system.read(&mut stream, &mut one).unwrap();
    assert_eq!((read.bytes, read.drained), (1, false));
    assert_eq!(poll(&mut system), []); // who stops here waits for ever
    world.send(client, b"c");
    assert!(poll(&mut system)[0].readable);
}

#[test]
fn a_short_read_in_front_of_the_end_says_nothing_of_it() {
    let (world, mut system, client, mut stream) = opened();
    world.send(client, b"ab");
    world.eof(client);
    assert!(poll(&mut system)[0].read_closed);
    let mut buffer = [0; 9];
    let read = system.read(&mut stream, &mut buffer).unwrap();
    assert_eq!((read.bytes, read.drained, read.end), (2, true, false));
    assert!(system.read(&mut stream, &mut buffer).unwrap().end);
    assert_eq!(poll(&mut system), []);
}

#[test]
fn room_comes_back_with_an_event_after_a_short_write_only() {
    let (world, mut system, client, mut stream) = opened();
    poll(&mut system);
    world.stop_reading(client);
    world.allow_write(client, 3);
    assert_eq!(poll(&mut system), []);
    let parts = [IoSlice::new(b"ab"), IoSlice::new(b"cd")];
    assert_eq!(system.write(&mut stream, &parts).unwrap(), 3);
    assert_eq!(system.write(&mut stream, &parts).unwrap(), 0);
    world.allow_all(client);
    assert!(poll(&mut system)[0].writable);
    assert_eq!(world.output(client), b"abc");
}

#[test]
fn closing_over_unread_input_resets() {
    let (world, mut system, client, stream) = opened();
    world.send(client, b"more");
    system.close(stream);
    assert_eq!(world.fate(client), Fate::Reset);
    assert_eq!(world.unread(client), 4);
    let (world, mut system, client, stream) = opened();
    system.close(stream);
    assert_eq!(world.fate(client), Fate::Closed);
}

#[test]
fn a_reset_is_an_event_and_an_error() {
    let (world, mut system, client, mut stream) = opened();
    world.send(client, b"lost");
    world.reset(client);
    assert!(poll(&mut system)[0].closed);
    let error = system.read(&mut stream, &mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_dial_completes_when_the_script_says_so() {
    let world = Scripted::new();
    let mut system = world.clone();
    let address: Address = "192.0.2.9:80".parse().unwrap();
    let mut stream = system.connect(&address).unwrap();
    system.register(&mut stream, 7).unwrap();
    assert_eq!(poll(&mut system), []);
    assert!(!system.connected(&stream).unwrap());
    let (client, dialled) = world.dials()[0].clone();
    assert_eq!(dialled, address);
    world.complete(client);
    assert!(poll(&mut system)[0].writable);
    assert!(system.connected(&stream).unwrap());
    world.refuse_connects(Some(ErrorKind::ConnectionRefused));
    assert!(system.connect(&address).is_err());
}

#[test]
fn time_and_chance_are_the_scripts() {
    let world = Scripted::new();
    let mut system = world.clone();
    let start = system.now();
    world.advance(Duration::from_secs(2));
    assert_eq!(system.now(), start + Duration::from_secs(2));
    world.set_auto_advance(true);
    system
        .poll(&mut vec![], Some(Duration::from_secs(3)))
        .unwrap();
    assert_eq!(system.now(), start + Duration::from_secs(5));
    assert_eq!(system.unix_seconds(), 784_111_777 + 5);
    let mut entropy = system.entropy().unwrap();
    let first: [u8; 11] = entropy.take();
    assert_ne!(first, entropy.take());
    world.seed(0);
    assert_eq!(first, entropy.take());
}
