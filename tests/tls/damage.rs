//! Records that are damaged on their way, in a handshake and behind it: nothing is
//! received that was not sent, and the connection ends. And a server over TLS on a
//! scripted system, which says the same each time.

use core::time::Duration;
use std::io::{Read, Write};
use std::sync::Arc;

use barewire::app::App;
use barewire::net::{Fate, Limits, Loop, Scripted, ScriptedClient};
use proptest::prelude::*;
use proptest::sample::Index;
use rustls::SupportedProtocolVersion as Version;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConnection, Error};

use crate::fixed_tls;
use crate::sans_io::{Caller, Peer, scene};

/// What becomes of a record.
#[derive(Debug, Clone)]
enum Damage {
    /// A bit is another.
    Flip(Index, u8),
    /// It ends too early.
    Cut(Index),
    /// It comes behind the next one.
    Swap,
    /// It comes twice.
    Again,
    /// It does not come.
    Drop,
}

fn any_damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        8 => (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        2 => any::<Index>().prop_map(Damage::Cut),
        1 => Just(Damage::Swap),
        1 => Just(Damage::Again),
        1 => Just(Damage::Drop),
    ]
}

fn any_version() -> impl Strategy<Value = &'static Version> {
    prop_oneof![Just(&TLS12), Just(&TLS13)]
}

/// Takes the record at the front.
fn next_record(sealed: &mut Vec<u8>) -> Vec<u8> {
    let len = match sealed[..] {
        [_, _, _, a, b, ..] => 5 + usize::from(u16::from_be_bytes([a, b])),
        _ => sealed.len(),
    };
    sealed.drain(..len.min(sealed.len())).collect()
}

/// The way from one side to the other, on which the record of a number is damaged.
struct Way {
    damage: Damage,
    left: usize,
    /// A record that comes behind the next one.
    held: Vec<u8>,
    is_damaged: bool,
}

impl Way {
    fn new(damage: Damage, number: usize) -> Self {
        Self {
            damage,
            left: number,
            held: Vec::new(),
            is_damaged: false,
        }
    }

    /// What arrives for what is sent.
    fn carry(&mut self, mut sealed: Vec<u8>) -> Vec<u8> {
        let mut arrives = Vec::new();
        while !sealed.is_empty() {
            let mut record = next_record(&mut sealed);
            let is_hit = self.left == 0;
            self.left = self.left.wrapping_sub(1);
            if is_hit {
                self.is_damaged = true;
                match &self.damage {
                    Damage::Flip(at, bit) => {
                        let at = at.index(record.len());
                        record[at] ^= 1 << bit;
                    }
                    Damage::Cut(at) => record.truncate(at.index(record.len())),
                    Damage::Swap => self.held = core::mem::take(&mut record),
                    Damage::Again => record.extend_from_within(..),
                    Damage::Drop => record.clear(),
                }
            } else {
                record.append(&mut self.held);
            }
            arrives.append(&mut record);
        }
        arrives
    }
}

/// A server on a scripted system, and a client of it.
struct Site {
    world: Scripted,
    events: Loop<Scripted>,
    client: ScriptedClient,
    tls: ClientConnection,
    /// What the server has said, sealed.
    said: Vec<u8>,
    text: String,
    fault: Option<Error>,
}

impl Site {
    fn new(version: &'static Version, fragment: Option<usize>, seed: u64) -> Self {
        fixed_tls::begin();
        let world = Scripted::new();
        world.seed(seed);
        world.set_auto_advance(false);
        let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
        App::new()
            .get("/{number}", |request, reply| {
                reply.text(format!("answer {}.", request.param("number")))
            })
            .listen_tls("127.0.0.1:0", fixed_tls::server())
            .unwrap()
            .join(&mut events)
            .unwrap();
        let mut config = fixed_tls::client(&[version]);
        config.max_fragment_size = fragment;
        let name = "localhost".try_into().unwrap();
        Self {
            client: world.connect_client(0),
            tls: ClientConnection::new(Arc::new(config), name).unwrap(),
            world,
            events,
            said: Vec::new(),
            text: String::new(),
            fault: None,
        }
    }

    fn ask(&mut self, number: usize) {
        let request = format!("GET /{number} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.tls.writer().write_all(request.as_bytes()).unwrap();
    }

    fn turns(&mut self) {
        for _ in 0..4 {
            self.events.turn(None).unwrap();
        }
    }

    /// Sends what waits, on the given way, and hears the server.
    fn exchange(&mut self, carry: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let mut sealed = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut sealed).unwrap();
        }
        self.world.send(self.client, &carry(sealed));
        self.turns();
        self.hear();
    }

    fn hear(&mut self) {
        let came = self.world.take_output(self.client);
        self.said.extend_from_slice(&came);
        let mut rest = &came[..];
        while !rest.is_empty() && self.fault.is_none() {
            self.tls.read_tls(&mut rest).unwrap();
            self.fault = self.tls.process_new_packets().err();
            let mut piece = Vec::new();
            let _ = self.tls.reader().read_to_end(&mut piece); // its end is not here yet
            self.text.push_str(&String::from_utf8(piece).unwrap());
        }
    }

    /// The numbers that were answered, in their order.
    fn answered(&self) -> Vec<usize> {
        let bodies = self.text.split("answer ").skip(1);
        let number = |it: &str| it.split('.').next().unwrap().parse().unwrap();
        bodies.map(number).collect()
    }
}

proptest! {
    #[test]
    fn a_server_takes_nothing_from_a_damaged_record(
        version in any_version(),
        fragment in prop_oneof![Just(None), Just(Some(64))],
        damage in any_damage(),
        number in 0..12usize,
    ) {
        let mut site = Site::new(version, fragment, 1);
        let mut way = Way::new(damage, number);
        let mut asked = 0;
        for _ in 0..8 {
            if !site.tls.is_handshaking() {
                site.ask(asked);
                asked += 1;
            }
            site.exchange(|sealed| way.carry(sealed));
            if site.fault.is_some() {
                break;
            }
        }
        let all: Vec<usize> = (0..asked).collect();
        let answered = site.answered();
        prop_assert!(all.starts_with(&answered), "{answered:?}");
        prop_assert!(way.is_damaged || answered == all);
        // A fault behind the handshake is told by an alert, and time ends what nobody sees.
        if let Some(fault) = &site.fault
            && !site.tls.is_handshaking()
        {
            prop_assert!(matches!(fault, Error::AlertReceived(_)), "{fault}");
        }
        for _ in 0..8 {
            site.world.advance(Duration::from_secs(25));
            site.turns();
        }
        site.hear();
        prop_assert!(site.world.fate(site.client) != Fate::Open);
        prop_assert_eq!(site.events.counters().active, 0);
        prop_assert_eq!(site.answered(), answered, "nothing comes later");
    }

    #[test]
    fn a_client_takes_nothing_from_a_damaged_record(
        version in any_version(),
        damage in any_damage(),
        number in 0..16usize,
    ) {
        let (tls, config) = scene(version);
        let (mut caller, mut peer) = (Caller::new(&tls), Peer::new(&config));
        let mut way = Way::new(damage, number);
        loop {
            let said = caller.output();
            if said.is_empty() || caller.ended.is_some() {
                break;
            }
            let arrives = way.carry(peer.take(&said));
            caller.receive(&arrives);
        }
        let answer = caller.answer();
        prop_assert!(answer.is_none() || answer.as_deref() == Some(&b"hello"[..]));
        prop_assert!(way.is_damaged || answer.is_some());
        if caller.ended.is_none() {
            caller.hang_up();
        }
        prop_assert!(caller.ended.is_some());
    }
}

/// All that a server has said, on the wire, in a connection with pauses and cut records.
fn transcript(version: &'static Version, seed: u64) -> Vec<u8> {
    let mut site = Site::new(version, Some(64), seed);
    for number in 0..20 {
        if !site.tls.is_handshaking() {
            site.ask(number);
        }
        let mut late = Vec::new();
        site.exchange(|mut sealed| {
            late = sealed.split_off(sealed.len() / 3);
            sealed
        });
        site.world.send(site.client, &late);
        site.world.advance(Duration::from_secs(1));
        site.turns();
        site.hear();
    }
    site.tls.send_close_notify();
    site.exchange(|sealed| sealed);
    assert_eq!(site.fault, None);
    assert!(site.answered().len() > 10);
    site.said
}

#[test]
fn a_server_on_a_scripted_system_says_the_same_each_time() {
    for version in [&TLS12, &TLS13] {
        for seed in 0..3 {
            let first = transcript(version, seed);
            assert!(first.len() > 2_000, "{} bytes", first.len());
            for _ in 0..3 {
                assert!(transcript(version, seed) == first, "{version:?} {seed}");
            }
        }
    }
    assert!(transcript(&TLS12, 0) != transcript(&TLS13, 0));
}
