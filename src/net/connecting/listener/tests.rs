use super::*;
use crate::net::{Fate, ListenOptions, Scripted, ScriptedClient};

const LIMITS: Limits = Limits::DEFAULT.with_accepts(4);

struct Fixture {
    world: Scripted,
    system: Scripted,
    listeners: Listeners<Scripted, u32>,
    caps: Caps,
    accepted: Vec<Accepted<<Scripted as Poller>::Stream, u32>>,
}

impl Fixture {
    fn new(listeners: u32) -> Self {
        let world = Scripted::new();
        let mut fixture = Self {
            system: world.clone(),
            world,
            listeners: Listeners::new(),
            caps: Caps::new(),
            accepted: Vec::new(),
        };
        for owner in 0..listeners {
            let address = "[::]:0".parse().unwrap();
            let options = ListenOptions::DEFAULT;
            let system = &mut fixture.system;
            let open = |token| system.listen(&address, &options, token);
            assert_eq!(fixture.listeners.add(open, owner).unwrap(), owner);
        }
        fixture
    }

    fn connect(&self, listener: usize, n: usize) -> Vec<ScriptedClient> {
        (0..n)
            .map(|_| self.world.connect_client(listener))
            .collect()
    }

    /// One turn: how many were accepted.
    fn turn(&mut self, limits: &Limits) -> usize {
        let mut ready = Vec::new();
        self.system.poll(&mut ready, None).unwrap();
        for event in ready {
            let number = self.listeners.number_of(event.token).unwrap();
            self.listeners.ready(number);
        }
        self.listeners.elapsed(self.system.now());
        let before = self.accepted.len();
        self.listeners.accept(
            &mut self.system,
            &self.caps,
            limits,
            |_, _| u32::MAX,
            &mut self.accepted,
        );
        self.accepted.len() - before
    }
}

#[test]
fn a_storm_of_connections_is_accepted_in_shares() {
    let mut fixture = Fixture::new(2);
    fixture.connect(0, 9);
    fixture.connect(1, 2);
    assert_eq!(fixture.turn(&LIMITS), 4 + 2);
    assert_eq!(fixture.turn(&LIMITS), 4); // without a further event
    assert_eq!(fixture.turn(&LIMITS), 1);
    assert!(!fixture.listeners.is_ready());
    assert_eq!(fixture.accepted.iter().filter(|a| a.owner == 1).count(), 2);
    assert_eq!(fixture.listeners.admissions().accepted, 11);
}

#[test]
fn a_loop_out_of_descriptors_neither_spins_nor_sleeps_for_ever() {
    let mut fixture = Fixture::new(1);
    fixture.world.fail_accept(0, 24, 3);
    fixture.connect(0, 1);
    let mut pauses = Vec::new();
    while fixture.turn(&LIMITS) == 0 {
        assert!(!fixture.listeners.is_ready());
        let now = fixture.system.now();
        let pause = fixture.listeners.next().unwrap().saturating_since(now);
        fixture.world.advance(pause - Duration::from_nanos(1));
        assert_eq!(fixture.turn(&LIMITS), 0);
        fixture.world.advance(Duration::from_nanos(1));
        pauses.push(pause.as_millis());
    }
    assert_eq!(pauses, [100, 200, 400]);
    assert_eq!(fixture.listeners.admissions().pauses, 3);
    assert_eq!(fixture.listeners.next(), None);
    // The next trouble begins with a short pause again.
    fixture.world.fail_accept(0, 23, 1);
    fixture.connect(0, 1);
    fixture.turn(&LIMITS);
    assert_eq!(fixture.listeners.listeners[0].pause, FIRST_PAUSE * 2);
}

#[test]
fn a_connection_that_was_aborted_hides_no_other() {
    let mut fixture = Fixture::new(1);
    fixture.world.fail_accept(0, 103, 2); // ECONNABORTED on Linux
    fixture.connect(0, 1);
    let accepted = fixture.turn(&LIMITS);
    let admissions = fixture.listeners.admissions();
    if cfg!(target_os = "linux") {
        assert_eq!((accepted, admissions.aborted, admissions.pauses), (1, 2, 0));
    }
}

#[test]
fn connections_beyond_the_caps_are_closed_at_once_and_counted() {
    let mut fixture = Fixture::new(1);
    let limits = LIMITS
        .with_accepts(100)
        .with_connections(3)
        .with_per_address(2);
    let near = fixture.connect(0, 3);
    let far = "[2001:db8::1]:1".parse::<core::net::SocketAddr>().unwrap();
    for _ in 0..2 {
        fixture.world.connect_client_from(0, Peer::from(far));
    }
    assert_eq!(fixture.turn(&limits), 3);
    let admissions = fixture.listeners.admissions();
    assert_eq!((admissions.refused, admissions.refused_address), (1, 1));
    assert_eq!(fixture.world.fate(near[2]), Fate::Closed);
    // Who leaves makes room.
    fixture.caps.release(fixture.accepted[0].peer);
    fixture.connect(0, 1);
    assert_eq!(fixture.turn(&limits), 1);
}

#[test]
fn draining_loses_nobody_who_has_connected() {
    let mut fixture = Fixture::new(2);
    fixture.connect(0, 9);
    let Fixture {
        system,
        listeners,
        caps,
        accepted,
        ..
    } = &mut fixture;
    listeners.drain(system, caps, &LIMITS, accepted);
    assert_eq!(accepted.len(), 9);
    assert_eq!((listeners.open(), fixture.world.listening()), (0, 0));
    let late = fixture.connect(0, 1);
    assert_eq!(fixture.world.fate(late[0]), Fate::Reset);
    assert_eq!(fixture.turn(&LIMITS), 0);
}
