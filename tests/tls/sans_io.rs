//! A client's connection over TLS without I/O, whose bytes a test carries, against
//! rustls as server.

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;

use barewire::client::{CallOptions, Calls, ChannelLimits, Connection, LinkId, NextMessage};
use barewire::http2;
use barewire::link::{EndReason, Event, Unreachable};
use barewire::net::{Key, Transport};
use barewire::tls::{Client, ConnectionError, Fault, Info, Version};
use barewire::wire::Instant;
use rustls::{ServerConfig, ServerConnection};

use crate::client_support::Server;
use crate::dialling::{config, trusting};
use crate::support::Authority;

const NOW: Instant = Instant::START;

/// A server that answers each call with what it asked.
pub(crate) struct Peer {
    tls: ServerConnection,
    server: Server,
    answered: Vec<u32>,
}

impl Peer {
    pub(crate) fn new(config: &Arc<ServerConfig>) -> Self {
        Self {
            tls: ServerConnection::new(config.clone()).unwrap(),
            server: Server::new(http2::Limits::DEFAULT, NOW),
            answered: Vec::new(),
        }
    }

    /// Takes what a client has written; what it writes itself.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        while !bytes.is_empty() {
            self.tls.read_tls(&mut bytes).unwrap();
            if self.tls.process_new_packets().is_err() {
                return self.sealed();
            }
        }
        let mut plain = Vec::new();
        match self.tls.reader().read_to_end(&mut plain) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        self.server.take(&plain);
        let seen = self.server.seen.iter();
        let due: Vec<_> = seen
            .filter(|(stream, it)| it.ended && !self.answered.contains(stream))
            .map(|(&stream, it)| (stream, it.body.clone()))
            .collect();
        for (stream, body) in due {
            self.answered.push(stream);
            self.server.head(stream, &[]);
            self.server.body(stream, &body);
            self.server.status(stream, &[("grpc-status", "0")]);
        }
        self.tls.writer().write_all(&self.server.out).unwrap();
        self.server.out.clear();
        self.sealed()
    }

    fn sealed(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut out).unwrap();
        }
        out
    }
}

/// One call, and its connection.
pub(crate) struct Caller {
    calls: Calls<()>,
    call: Key,
    link: LinkId,
    connection: Connection,
    pub(crate) ended: Option<EndReason>,
    opened: usize,
}

impl Caller {
    pub(crate) fn new(tls: &Client) -> Self {
        let mut calls = Calls::new("localhost", ChannelLimits::DEFAULT, 1).with_https();
        let call = calls.start("/t.T/Echo", &CallOptions::new(), (), NOW);
        let call = call.unwrap();
        calls.send(call, b"hello").unwrap();
        calls.close_sending(call);
        let link = calls.dial(NOW).unwrap();
        let session = tls.session("localhost", &["h2"]).unwrap();
        Self {
            connection: Connection::over(session, calls.link_limits(), NOW),
            calls,
            call,
            link,
            ended: None,
            opened: 0,
        }
    }

    fn on(
        &mut self,
        act: impl FnOnce(&mut Connection, &mut dyn FnMut(&mut barewire::client::Wire, u32, Event<'_>)),
    ) {
        let Self {
            calls,
            link,
            connection,
            ended,
            opened,
            ..
        } = self;
        act(connection, &mut |wire, stream, event| {
            match event {
                Event::Ended(why) if stream == 0 => *ended = Some(why),
                Event::Opened => *opened += 1,
                _ => {}
            }
            calls.event(*link, stream, event, wire, NOW);
        });
    }

    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        self.on(|connection, owner| connection.receive(&mut bytes, NOW, owner));
    }

    /// What is to be written.
    pub(crate) fn output(&mut self) -> Vec<u8> {
        self.calls.flush(self.link, self.connection.wire(), NOW);
        let mut out = Vec::new();
        loop {
            let mut more = false;
            self.on(|connection, owner| more = connection.flush(NOW, owner));
            if !more {
                return out;
            }
            out.append(self.connection.output());
        }
    }

    /// What the call has received, when it is over.
    pub(crate) fn answer(&mut self) -> Option<Vec<u8>> {
        match self.calls.next(self.call) {
            NextMessage::Message(message) => Some(message.bytes.to_vec()),
            NextMessage::Wait | NextMessage::Over => None,
        }
    }

    /// The server has hung up.
    pub(crate) fn hang_up(&mut self) {
        self.on(|connection, owner| connection.receive_eof(NOW, owner));
    }

    fn fault(&self) -> Fault {
        let details = self.connection.transport_details().unwrap();
        let error = details.downcast_ref::<ConnectionError>().unwrap();
        error.fault().clone()
    }
}

/// Has both talk until neither says anything: what comes from the server is given in
/// pieces that end at `cuts`, counted from its first byte. How many bytes that were.
fn talk(caller: &mut Caller, peer: &mut Peer, mut cuts: impl FnMut(usize) -> bool) -> usize {
    let mut count = 0;
    loop {
        let said = caller.output();
        if said.is_empty() {
            return count;
        }
        let mut piece = Vec::new();
        for byte in peer.take(&said) {
            piece.push(byte);
            count += 1;
            if cuts(count) {
                caller.receive(&piece);
                piece.clear();
            }
        }
        caller.receive(&piece);
    }
}

pub(crate) fn scene(
    version: &'static rustls::SupportedProtocolVersion,
) -> (Client, Arc<ServerConfig>) {
    let authority = Authority::new("sans I/O");
    let client = Client::new(trusting(&authority)).unwrap();
    (client, config(&authority, &[version], false, &["h2"]))
}

#[test]
fn a_call_goes_over_tls_however_its_bytes_are_cut() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let (tls, config) = scene(version);
        let talked = |cuts: &mut dyn FnMut(usize) -> bool| {
            let (mut caller, mut peer) = (Caller::new(&tls), Peer::new(&config));
            let count = talk(&mut caller, &mut peer, cuts);
            assert_eq!(caller.answer().unwrap(), b"hello");
            assert_eq!((caller.opened, caller.ended), (1, None));
            count
        };
        // The first connection has most to say; the others resume it.
        let first = talked(&mut |_| true);
        let resumed = talked(&mut |_| false);
        assert!(resumed < first, "{resumed} of {first}");
        for cut in 1..resumed + 8 {
            talked(&mut |at| at == cut);
        }
    }
}

#[test]
fn a_full_handshake_may_be_cut_anywhere() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let authority = Authority::new("cuts");
        let config = config(&authority, &[version], false, &["h2"]);
        let tls = Client::new(trusting(&authority).sessions(0)).unwrap();
        let mut cut = 1;
        loop {
            let (mut caller, mut peer) = (Caller::new(&tls), Peer::new(&config));
            let count = talk(&mut caller, &mut peer, |at| at == cut);
            assert_eq!(caller.answer().unwrap(), b"hello");
            if cut > count {
                break;
            }
            cut += 1;
        }
    }
}

#[test]
fn requests_say_that_they_go_over_tls() {
    let (tls, config) = scene(&rustls::version::TLS13);
    let (mut caller, mut peer) = (Caller::new(&tls), Peer::new(&config));
    talk(&mut caller, &mut peer, |_| false);
    let seen = &peer.server.seen[&1];
    assert_eq!((&*seen.scheme, &*seen.authority), ("https", "localhost"));
}

#[test]
fn a_connection_may_go_to_another_thread() {
    const fn is_send<T: Send>() {}
    is_send::<Connection>();
}

#[test]
fn its_owner_sees_what_was_agreed_on() {
    let (tls, config) = scene(&rustls::version::TLS13);
    let (mut caller, mut peer) = (Caller::new(&tls), Peer::new(&config));
    assert!(caller.connection.transport_details().is_none());
    talk(&mut caller, &mut peer, |_| false);
    let details = caller.connection.transport_details().unwrap();
    let info = details.downcast_ref::<Info>().unwrap();
    assert_eq!((info.version(), info.alpn()), (Version::Tls13, Some("h2")));
    assert_eq!(info.server_name(), Some("localhost"));
    assert_eq!(info.peer_certificates().len(), 1);
}

#[test]
fn a_refused_certificate_is_told_and_the_server_hears_of_it() {
    let (_, config) = scene(&rustls::version::TLS13);
    let other = Client::new(trusting(&Authority::new("other"))).unwrap();
    for cuts in [false, true] {
        let (mut caller, mut peer) = (Caller::new(&other), Peer::new(&config));
        let flight = peer.take(&caller.output());
        match cuts {
            true => flight.chunks(1).for_each(|it| caller.receive(it)),
            false => caller.receive(&flight),
        }
        assert!(matches!(caller.fault(), Fault::UnknownIssuer { .. }));
        let gone = Some(EndReason::Unreachable(Unreachable::Handshake));
        assert_eq!(caller.ended, gone);
        assert!(caller.connection.is_over());
        let alert = caller.output();
        let mut alert = &alert[..];
        peer.tls.read_tls(&mut alert).unwrap();
        let heard = peer.tls.process_new_packets().unwrap_err();
        let unknown = rustls::AlertDescription::UnknownCA;
        assert_eq!(heard, rustls::Error::AlertReceived(unknown));
    }
}

#[test]
fn why_a_session_has_failed_does_not_change() {
    let (_, config) = scene(&rustls::version::TLS13);
    let other = Client::new(trusting(&Authority::new("other"))).unwrap();
    let mut session = other.session("localhost", &["h2"]).unwrap();
    let fault = |session: &dyn Transport| {
        let details = session.details().unwrap();
        let error = details.downcast_ref::<ConnectionError>().unwrap();
        error.to_string()
    };
    let mut out = Vec::new();
    session.open(&mut [], &mut out).unwrap();
    let mut flight = Peer::new(&config).take(&out);
    let mut used = 0;
    while let Ok(received) = session.open(&mut flight[used..], &mut out) {
        used += received.used;
    }
    let first = fault(&*session);
    session.seal(&[IoSlice::new(b"a")], &mut out).unwrap_err();
    session.open(&mut [], &mut out).unwrap_err();
    assert_eq!(fault(&*session), first);
}

#[test]
fn an_end_that_was_not_announced_is_no_end() {
    let (tls, config) = scene(&rustls::version::TLS13);
    // In the handshake, behind it, and as it should be.
    let (mut caller, mut peer) = (Caller::new(&tls), Peer::new(&config));
    let flight = peer.take(&caller.output());
    caller.receive(&flight[..100]);
    caller.hang_up();
    let gone = Some(EndReason::Unreachable(Unreachable::Handshake));
    assert_eq!(caller.ended, gone);

    let (mut caller, mut peer) = (Caller::new(&tls), Peer::new(&config));
    talk(&mut caller, &mut peer, |_| false);
    caller.hang_up();
    assert_eq!(caller.ended, Some(EndReason::Reset));

    let (mut caller, mut peer) = (Caller::new(&tls), Peer::new(&config));
    talk(&mut caller, &mut peer, |_| false);
    peer.tls.send_close_notify();
    let closed = peer.sealed();
    caller.receive(&closed);
    assert_eq!(caller.ended, Some(EndReason::Disconnected));
    // Our side says so, too.
    let output = caller.output();
    let mut said = &output[..];
    peer.tls.read_tls(&mut said).unwrap();
    assert!(peer.tls.process_new_packets().unwrap().peer_has_closed());
    caller.hang_up();
}

#[test]
fn a_broken_record_ends_the_connection() {
    let (tls, config) = scene(&rustls::version::TLS13);
    let (mut caller, mut peer) = (Caller::new(&tls), Peer::new(&config));
    talk(&mut caller, &mut peer, |_| false);
    peer.tls.writer().write_all(b"anything").unwrap();
    let mut sealed = peer.sealed();
    *sealed.last_mut().unwrap() ^= 1;
    caller.receive(&sealed);
    assert_eq!(caller.ended, Some(EndReason::Transport));
    assert!(matches!(caller.fault(), Fault::Other(_)));
    assert!(!caller.output().is_empty()); // bad_record_mac
}

#[test]
fn a_handshake_has_its_time() {
    let (tls, _) = scene(&rustls::version::TLS13);
    let mut caller = Caller::new(&tls);
    let hello = caller.output();
    assert!(!hello.is_empty());
    let deadline = caller.connection.deadline().unwrap();
    assert_eq!(deadline, NOW + ChannelLimits::DEFAULT.greeting);
    caller.on(|connection, owner| connection.elapsed(deadline, owner));
    let gone = Some(EndReason::Unreachable(Unreachable::HandshakeTimedOut));
    assert_eq!(caller.ended, gone);
    assert_eq!(caller.connection.deadline(), None);
    let said = caller.output();
    assert!(said.ends_with(&[21, 3, 3, 0, 2, 1, 90, 21, 3, 3, 0, 2, 1, 0])); // user_canceled
}
