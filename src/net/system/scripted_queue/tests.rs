use super::*;
use crate::net::{Fate, ListenOptions, Poller, Readiness, Scripted};
use std::io::IoSlice;

const QUEUE: KernelQueue = KernelQueue {
    size: 90,
    rate: 10,
    step: 20,
};

#[test]
fn a_queue_drains_in_steps_and_says_so_when_a_third_is_free() {
    let world = Scripted::new();
    let mut system = world.clone();
    let (address, options) = ("0.0.0.0:0".parse().unwrap(), ListenOptions::DEFAULT);
    let mut listener = system.listen(&address, &options, 1).unwrap();
    let client = world.connect_client(0);
    let (mut stream, _) = system.accept(&mut listener).unwrap();
    system.register(&mut stream, 7).unwrap();
    world.set_kernel_queue(client, QUEUE);
    let polled = |system: &mut Scripted| {
        let mut ready: Vec<Readiness> = Vec::new();
        system.poll(&mut ready, None).unwrap();
        ready.iter().any(|event| event.token == 7 && event.writable)
    };
    polled(&mut system);
    let parts = [IoSlice::new(&[b'x'; 80]), IoSlice::new(&[b'y'; 80])];
    assert_eq!(system.write(&mut stream, &parts).unwrap(), 90);
    for (seconds, left, writable) in [(1, 90, false), (1, 70, false), (2, 50, true)] {
        world.advance(Duration::from_secs(seconds));
        assert_eq!(system.under_way(&stream), Some(left));
        assert_eq!(polled(&mut system), writable, "{left}");
    }
    system.shutdown_write(&mut stream).unwrap();
    assert_eq!(system.under_way(&stream), Some(51));
    world.tell_under_way(false);
    assert_eq!(system.under_way(&stream), None);
    system.close(stream);
    world.advance(Duration::from_secs(2));
    assert_eq!((world.output(client).len(), world.queued(client)), (60, 30));
    world.send(client, b"more");
    world.advance(Duration::from_secs(9));
    assert_eq!(world.output(client).len(), 60, "the rest is lost");
    assert_eq!(world.fate(client), Fate::Reset);
}

#[test]
fn what_is_left_is_taken_together() {
    let (mut queue, mut output) = (Filled::new(QUEUE), Vec::new());
    assert_eq!(queue.put(&[1; 25]), 25);
    queue.pass(Duration::from_millis(2400), &mut output);
    assert_eq!(output.len(), 20);
    queue.pass(Duration::from_millis(100), &mut output);
    assert_eq!((output.len(), queue.under_way()), (25, 0));
    queue.pass(Duration::from_secs(100), &mut output);
    queue.put(&[1; 25]);
    queue.pass(Duration::from_secs(1), &mut output);
    assert_eq!(
        output.len(),
        25,
        "who has nothing to read reads nothing ahead"
    );
}
