use super::*;
use crate::link;
use crate::net::{Context, Exchange, Fate, Handler, Limits, Scripted, Speaks};
use alloc::rc::Rc;
use alloc::string::{String, ToString as _};
use core::cell::RefCell;
use core::time::Duration;

struct Logging(Rc<RefCell<Vec<String>>>);

impl Handler for Logging {
    fn event(&mut self, _: &mut Context<'_>, event: Event<'_>) {
        self.0.borrow_mut().push(alloc::format!("{event:?}"));
    }
}

/// A loop whose dial has just been told these addresses.
struct Race {
    world: Scripted,
    events: Loop<Scripted>,
    log: Rc<RefCell<Vec<String>>>,
    dial: Exchange,
}

impl Race {
    fn new(addresses: &[&str]) -> Self {
        let world = Scripted::new();
        let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
        let log = Rc::new(RefCell::new(Vec::new()));
        let owner = events.add(Logging(log.clone()));
        let profile = events.profile(link::Limits::DEFAULT);
        let name: Destination = "name.invalid:80".parse().unwrap();
        let dial = events.enter(owner, |it| it.dial(name.clone(), Speaks::Raw, profile, 0));
        let times = DialTimes::of(&Limits::DEFAULT);
        let mut answered = Dial::new(&name, events.dispatch.state.now, &times);
        let found = addresses.iter().map(|it| it.parse().unwrap());
        answered.resolved(Ok(found.collect()), &times, events.dispatch.state.now);
        events.dispatch.state.dials.clear();
        events.dials.push(Dialling {
            key: dial.connection,
            dial: answered,
            running: Vec::new(),
            is_touched: false,
            speaks: Speaks::Raw,
            transport: None,
            times,
        });
        events.attempt(dial.connection);
        Self {
            world,
            events,
            log,
            dial,
        }
    }

    /// Has time pass, in turns.
    fn pass(&mut self, millis: u64) {
        for _ in 0..millis {
            self.world.advance(Duration::from_millis(1));
            self.events.turn(Some(Duration::ZERO)).unwrap();
        }
    }

    fn tried(&self) -> Vec<String> {
        let dials = self.world.dials();
        dials.iter().map(|(_, to)| to.to_string()).collect()
    }

    fn stream(&self, nth: usize) -> crate::net::ScriptedClient {
        self.world.dials()[nth].0
    }

    fn log(&self) -> String {
        self.log.borrow().join(", ")
    }
}

const TWO: [&str; 2] = ["[2001:db8::1]:80", "192.0.2.1:80"];

#[test]
fn a_black_hole_costs_the_delay_and_a_round_trip() {
    let mut race = Race::new(&TWO);
    race.pass(249);
    assert_eq!(race.tried(), [TWO[0]]);
    race.pass(2);
    assert_eq!(race.tried(), TWO);
    // Greeted and left, in one event with the end of the first attempt.
    race.world.complete(race.stream(1));
    race.world.send(race.stream(1), b"220 hello");
    race.world.eof(race.stream(1));
    race.world.reset(race.stream(0));
    race.pass(2);
    assert_eq!(
        race.log(),
        "Opened, Data([50, 50, 48, 32, 104, 101, 108, 108, 111]), HalfClosed"
    );
    assert_eq!(race.world.fate(race.stream(0)), Fate::Reset);
    assert_eq!(race.world.fate(race.stream(1)), Fate::Open);
}

#[test]
fn the_slow_first_one_may_still_be_taken() {
    let mut race = Race::new(&TWO);
    race.pass(300);
    race.world.complete(race.stream(0));
    race.pass(2);
    assert_eq!(race.log(), "Opened");
    assert_eq!(race.world.fate(race.stream(1)), Fate::Reset);
    race.world.send(race.stream(0), b"!");
    race.pass(1);
    assert_eq!(race.log(), "Opened, Data([33])");
}

#[test]
fn an_attempt_that_fails_hands_on_and_the_last_one_says_why() {
    let mut race = Race::new(&TWO);
    race.world
        .break_with(race.stream(0), ErrorKind::HostUnreachable);
    race.pass(1);
    assert_eq!(race.tried(), TWO);
    race.world
        .break_with(race.stream(1), ErrorKind::ConnectionRefused);
    race.pass(1);
    assert_eq!(race.log(), "Ended(Unreachable(Refused))");
    assert!(race.events.dials.is_empty());
}

#[test]
fn attempts_have_their_time_and_go_with_their_connection() {
    let mut race = Race::new(&TWO);
    race.pass(5001);
    assert_eq!(race.world.fate(race.stream(0)), Fate::Reset);
    assert_eq!(race.log(), "");
    race.pass(251);
    assert_eq!(race.log(), "Ended(Unreachable(TimedOut))");
    let mut race = Race::new(&TWO);
    race.pass(300);
    race.events.end(race.dial.connection, EndReason::Aborted);
    let fates = [0, 1].map(|nth| race.world.fate(race.stream(nth)));
    assert_eq!(fates, [Fate::Reset; 2]);
    assert!(race.events.dials.is_empty());
}
