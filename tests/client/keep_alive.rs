//! Keep-alives of a channel whose link is slow: who cannot have seen a ping yet is
//! not silent.
#![cfg(feature = "net")]

use core::time::Duration;
use std::sync::mpsc::{Receiver, channel};

use barewire::client::{CallOptions, CallResponse, Channel, Ending, GrpcChannelOptions};
use barewire::net::{KernelQueue, Limits, Loop, Scripted, ScriptedClient};

const SECOND: Duration = Duration::from_secs(1);
const ALIVE: &[u8] = b"\0\0\x08\x06\x01\0\0\0\0alive???";

/// A channel that pings after 10 seconds of silence and waits as long for the
/// answer, with a call under way.
struct Scene {
    world: Scripted,
    events: Loop<Scripted>,
    server: ScriptedClient,
    over: Receiver<String>,
    /// What the server has taken.
    taken: Vec<u8>,
    _channel: Channel,
}

impl Scene {
    /// A call with one message of so many bytes, to a server that has no bounds
    /// to what it takes.
    fn calling(bytes: usize, prepare: impl FnOnce(&Scripted, ScriptedClient)) -> Self {
        let world = Scripted::new();
        let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
        let limits = barewire::client::ChannelLimits::DEFAULT
            .with_keep_alive(10 * SECOND)
            .with_keep_alive_timeout(10 * SECOND);
        let setting = GrpcChannelOptions::new().limits(limits);
        let channel_on_loop = Channel::on(&mut events, "192.0.2.1:50051", setting).unwrap();
        let (send, over) = channel();
        let done = move |result: Result<CallResponse<Vec<u8>>, Ending>| {
            send.send(result.unwrap_err().to_string()).unwrap();
        };
        channel_on_loop
            .unary_then("/t.T/Hang", &vec![7; bytes], CallOptions::new(), done)
            .unwrap();
        (0..5).for_each(|_| events.turn(Some(Duration::ZERO)).unwrap());
        let server = world.dials().last().unwrap().0;
        world.complete(server);
        prepare(&world, server);
        let mut scene = Self {
            world,
            events,
            server,
            over,
            taken: Vec::new(),
            _channel: channel_on_loop,
        };
        let mut first = b"\0\0\x06\x04\0\0\0\0\0\0\x04\x7f\xff\xff\xff".to_vec();
        first.extend(b"\0\0\0\x04\x01\0\0\0\0");
        first.extend(b"\0\0\x04\x08\0\0\0\0\0\x7f\0\0\0");
        scene.say(&first);
        scene
    }

    fn turn(&mut self) {
        for _ in 0..20 {
            self.events.turn(Some(Duration::ZERO)).unwrap();
        }
    }

    fn say(&mut self, bytes: &[u8]) {
        self.world.send(self.server, bytes);
        self.turn();
    }

    /// Lets a second pass; whether the call is still open.
    fn pass(&mut self) -> bool {
        self.world.advance(SECOND);
        self.turn();
        self.taken.extend(self.world.take_output(self.server));
        match self.over.try_recv() {
            Ok(ending) => {
                let says = "UNAVAILABLE: server is silent";
                assert!(ending.starts_with(says), "{ending}");
                false
            }
            Err(_) => true,
        }
    }

    /// The PING frames that the server has taken.
    fn pings(&self) -> usize {
        let frames = self.taken.windows(9);
        frames.filter(|it| it == b"\0\0\x08\x06\0\0\0\0\0").count()
    }

    /// Lets time pass until the call ends; the seconds, at most 400.
    fn seconds_left(&mut self) -> usize {
        (1..400).find(|_| !self.pass()).unwrap_or(400)
    }
}

/// A kernel that holds megabytes for a server that reads so many bytes a second.
fn slow(rate: usize) -> impl FnOnce(&Scripted, ScriptedClient) {
    move |world, server| {
        let queue = KernelQueue {
            size: 2_700_000,
            rate,
            step: 1460,
        };
        world.set_kernel_queue(server, queue);
    }
}

#[test]
fn what_waits_in_the_loop_is_no_silence() {
    let mut scene = Scene::calling(60_000, |world, server| world.allow_write(server, 100));
    // A kilobyte a second for a minute; then all, and never an answer.
    for _ in 0..50 {
        scene.world.allow_write(scene.server, 1000);
        assert!(scene.pass());
    }
    scene.world.allow_all(scene.server);
    assert!((5..=25).contains(&scene.seconds_left()));
}

#[test]
fn a_ping_has_its_time_from_when_the_server_can_see_it() {
    let mut scene = Scene::calling(1_000_000, slow(9_000));
    // The ping is behind the message, which takes almost two minutes.
    while scene.pings() == 0 {
        assert!(scene.pass(), "after {} bytes", scene.taken.len());
    }
    assert!(scene.taken.len() > 1_000_000);
    for _ in 0..5 {
        assert!(scene.pass());
    }
    scene.say(ALIVE);
    // It is pinged again, which it can see in a moment.
    let seconds = scene.seconds_left();
    assert_eq!(scene.pings(), 2);
    assert!((19..=22).contains(&seconds), "{seconds}");
}

#[test]
fn what_was_acknowledged_may_still_be_in_front_of_the_server() {
    // All is acknowledged in a moment, and read at 9 kB a second.
    let mut scene = Scene::calling(900_000, slow(9_000_000));
    for _ in 0..110 {
        assert!(scene.pass());
    }
    assert_eq!(scene.pings(), 1);
    scene.say(ALIVE);
    // Behind silence there is nothing to be read first: long ago is long ago.
    let seconds = scene.seconds_left();
    assert!((19..=22).contains(&seconds), "{seconds}");
}

#[test]
fn who_had_nothing_to_read_has_the_time_that_is_set() {
    let mut scene = Scene::calling(1000, slow(9_000_000));
    let seconds = scene.seconds_left();
    assert!((19..=22).contains(&seconds), "{seconds}");
}

#[test]
fn who_takes_nothing_is_not_waited_for_without_end() {
    let mut scene = Scene::calling(1_000_000, slow(0));
    let seconds = scene.seconds_left();
    assert!((19..=60).contains(&seconds), "{seconds}");
}

#[test]
fn who_stops_to_take_is_not_waited_for_without_end() {
    let mut scene = Scene::calling(1_000_000, slow(9_000));
    for _ in 0..40 {
        assert!(scene.pass());
    }
    slow(0)(&scene.world, scene.server);
    let seconds = scene.seconds_left();
    assert!((20..=70).contains(&seconds), "{seconds}");
}
