//! A server over TLS on the whole loop: the input says how the client's records are
//! cut, spoiled, put into another order, left out or sent twice.
//! Nothing is drawn from the system (`fixed_tls`).

use std::io::{Read, Write};
use std::sync::Arc;

use barewire::app::App;
use barewire::net::{Limits, Loop, Scripted, ScriptedClient};
use rustls::ClientConnection;

use super::fixed_tls;
use super::input::Input;

/// A client, what it has sealed and not sent, and what came.
struct Peer {
    client: ScriptedClient,
    tls: ClientConnection,
    sealed: Vec<u8>,
    text: Vec<u8>,
    /// What it has sealed does not arrive as it was.
    is_spoiled: bool,
    asked: u32,
    /// How often it has taken new keys.
    refreshed: u32,
}

/// As often a client may ask for new keys: rustls takes more for an attack.
const REFRESHES: u32 = 32;

/// The length of the record at the front.
fn record(sealed: &[u8]) -> usize {
    match sealed {
        [_, _, _, a, b, ..] => (5 + usize::from(u16::from_be_bytes([*a, *b]))).min(sealed.len()),
        _ => sealed.len(),
    }
}

impl Peer {
    fn new(client: ScriptedClient, flags: u8) -> Self {
        let versions: &[&rustls::SupportedProtocolVersion] = match flags & 1 {
            0 => &[&rustls::version::TLS13],
            _ => &[&rustls::version::TLS12],
        };
        let mut config = fixed_tls::client(versions);
        config.enable_sni = flags & 2 == 0;
        // Hellos and messages in pieces.
        config.max_fragment_size = (flags & 4 != 0).then_some(64);
        let name = "localhost".try_into().unwrap();
        Self {
            client,
            tls: ClientConnection::new(Arc::new(config), name).unwrap(),
            sealed: Vec::new(),
            text: Vec::new(),
            is_spoiled: false,
            asked: 0,
            refreshed: 0,
        }
    }

    /// Asks for the next number, in a request of some length.
    fn ask(&mut self, padding: u8) {
        let padding = "p".repeat(usize::from(padding) * 8);
        let number = self.asked;
        let request = format!("GET /{number} HTTP/1.1\r\nHost: localhost\r\nX: {padding}\r\n\r\n");
        if self.tls.writer().write_all(request.as_bytes()).is_ok() {
            self.asked += 1;
        }
    }

    fn seal(&mut self) {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.sealed).unwrap();
        }
    }

    /// Reads what the server says. Nothing is wrong with that unless something was
    /// with what it has received.
    fn hear(&mut self, mut sealed: &[u8]) {
        while !sealed.is_empty() {
            if self.tls.read_tls(&mut sealed).is_err() {
                break;
            }
            if let Err(error) = self.tls.process_new_packets() {
                assert!(self.is_spoiled, "{error}");
                break;
            }
            let mut piece = [0; 4096];
            while let Ok(n @ 1..) = self.tls.reader().read(&mut piece) {
                self.text.extend_from_slice(&piece[..n]);
            }
        }
    }

    /// Changes, repeats, swaps or leaves out what waits.
    fn spoil(&mut self, how: u8, input: &mut Input<'_>) {
        let first = record(&self.sealed);
        let (at, byte) = (usize::from(input.byte()), input.byte());
        match how {
            5 => match self.sealed.get_mut(at) {
                Some(changed) if byte != 0 => *changed ^= byte,
                _ => return,
            },
            6 => {
                let second = record(&self.sealed[first..]);
                if second == 0 || self.sealed[..first] == self.sealed[first..first + second] {
                    return;
                }
                self.sealed[..first + second].rotate_left(first);
            }
            7 => {
                let again = self.sealed[..first].to_vec();
                self.sealed.splice(..0, again);
            }
            8 => drop(self.sealed.drain(..first)),
            _ => {
                let at = at.min(self.sealed.len());
                self.sealed.splice(at..at, input.run().iter().copied());
            }
        }
        self.is_spoiled = true;
    }

    /// The numbers that were answered, in their order.
    fn answered(&self) -> Vec<u32> {
        let text = String::from_utf8_lossy(&self.text);
        let bodies = text.split("answer ").skip(1);
        bodies
            .map(|it| it.split('.').next().unwrap().parse().unwrap())
            .collect()
    }
}

/// A client is answered what it has asked, in its order, and nothing else, whatever
/// becomes of its records; all of it, if nothing does.
pub fn tls(data: &[u8]) {
    fixed_tls::begin();
    let mut input = Input::new(data);
    let world = Scripted::new();
    world.set_auto_advance(false);
    let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
    let app = App::new().get("/{number}", |request, reply| {
        reply.text(format!("answer {}.", request.param("number")))
    });
    app.listen_tls("127.0.0.1:0", fixed_tls::server())
        .unwrap()
        .join(&mut events)
        .unwrap();
    let client = world.connect_client(0);
    let mut peer = Peer::new(client, input.byte());
    let mut step = |peer: &mut Peer, n: usize| {
        peer.seal();
        let n = n.min(peer.sealed.len());
        world.send(client, &peer.sealed[..n]);
        peer.sealed.drain(..n);
        for _ in 0..4 {
            events.turn(None).unwrap();
        }
        peer.hear(&world.take_output(client));
    };
    let mut steps = 0;
    while !input.is_empty() && steps < 300 {
        steps += 1;
        match input.byte() % 12 {
            0 => step(&mut peer, 1),
            1 | 2 => step(&mut peer, usize::from(input.byte()) + 1),
            3 => step(&mut peer, usize::MAX),
            4 => peer.ask(input.byte()),
            how @ 5..=9 => {
                peer.seal();
                peer.spoil(how, &mut input);
            }
            10 if !peer.tls.is_handshaking() && peer.refreshed < REFRESHES => {
                peer.refreshed += 1;
                let _ = peer.tls.refresh_traffic_keys(); // TLS 1.2 has none
            }
            10 => {}
            _ => world.allow_write(client, usize::from(input.byte())),
        }
    }
    world.allow_all(client);
    for _ in 0..8 {
        step(&mut peer, usize::MAX);
    }
    let answered = peer.answered();
    let expected: Vec<u32> = (0..peer.asked).collect();
    assert!(expected.starts_with(&answered), "{answered:?}");
    assert!(
        peer.is_spoiled || answered == expected,
        "{answered:?} of {}",
        peer.asked
    );
}
