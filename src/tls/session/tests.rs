use alloc::string::ToString;
use std::vec;

use rustls::crypto::cipher::{OutboundChunks, OutboundPlainMessage};
use rustls::{
    AlertDescription, ConnectionTrafficSecrets, ContentType, ProtocolVersion, RootCertStore,
};

use super::*;
use crate::tls::names::{Chooser, UnknownName};

/// The two ends, each with what it has not opened yet.
struct Pair {
    client: Session,
    server: Session,
    to_client: Vec<u8>,
    to_server: Vec<u8>,
}

fn configs(
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_string()]).unwrap();
    let key = made.signing_key.serialize_der();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificates = crate::tls::Certificates::from_der([made.cert.der().to_vec()], key).unwrap();
    let keys = certificates.keys(&provider).unwrap();
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Chooser::new(keys, UnknownName::Default, true)));
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

impl Pair {
    fn new(configs: &(Arc<ServerConfig>, Arc<ClientConfig>)) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        Self {
            client: Session::client(configs.1.clone(), name, vec![]).unwrap(),
            server: Session::server(configs.0.clone()).unwrap(),
            to_client: Vec::new(),
            to_server: Vec::new(),
        }
    }

    /// Lets both open what they have, `cut` bytes more in each call, until neither
    /// says anything. What the server and the client have received.
    fn talk(&mut self, cut: usize) -> (Vec<u8>, Vec<u8>) {
        let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
        let mut begun = !self.client.is_agreed() && self.to_server.is_empty();
        loop {
            let before = (self.to_server.len(), self.to_client.len());
            drain(
                &mut self.server,
                &mut self.to_server,
                cut,
                &mut self.to_client,
                &mut at_server,
            );
            if begun || !self.to_client.is_empty() {
                drain(
                    &mut self.client,
                    &mut self.to_client,
                    cut,
                    &mut self.to_server,
                    &mut at_client,
                );
                begun = false;
            }
            if before == (0, 0) && self.to_server.is_empty() && self.to_client.is_empty() {
                return (at_server, at_client);
            }
        }
    }
}

fn drain(
    session: &mut Session,
    sealed: &mut Vec<u8>,
    cut: usize,
    out: &mut Vec<u8>,
    plain: &mut Vec<u8>,
) {
    let mut kept: Vec<u8> = Vec::new();
    let all = core::mem::take(sealed);
    let mut pieces = all.chunks(cut);
    loop {
        let was_agreed = session.is_agreed();
        let (used, found) = session.receive(&mut kept, out).unwrap();
        if let Found::Content(range) = found {
            assert!(was_agreed, "content in the call that ended the handshake");
            plain.extend_from_slice(&kept[range]);
        }
        kept.drain(..used);
        if used == 0 {
            match pieces.next() {
                Some(piece) => kept.extend_from_slice(piece),
                None => break,
            }
        }
    }
    assert!(kept.is_empty(), "{} bytes were not opened", kept.len());
}

#[test]
fn both_ends_agree_and_talk_however_it_is_cut() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let configs = configs(&[version]);
        for cut in [1, 2, 3, 5, 7, 64, 1_000, 100_000] {
            let mut pair = Pair::new(&configs);
            pair.talk(cut);
            assert!(pair.client.is_agreed() && pair.server.is_agreed());
            let text = vec![7; 50_000];
            let parts = [
                IoSlice::new(b"one "),
                IoSlice::new(b""),
                IoSlice::new(b"record"),
                IoSlice::new(&text),
            ];
            pair.client.send(&parts, &mut pair.to_server).unwrap();
            pair.server
                .send(&[IoSlice::new(b"hello")], &mut pair.to_client)
                .unwrap();
            let (at_server, at_client) = pair.talk(cut);
            assert_eq!(at_server[..10], *b"one record");
            assert_eq!(at_server[10..], text);
            assert_eq!(at_client, b"hello");
        }
    }
}

#[test]
fn a_panic_of_rustls_is_the_end_of_the_connection() {
    let mut session = Session::server(configs(rustls::ALL_VERSIONS).0).unwrap();
    let mut out = Vec::new();
    let mut front = *b"\x16\x03\x01\x00\x05\x01\x00\x01\x00\x03"; // of a hello
    assert_eq!(session.receive(&mut front, &mut out), Ok((0, Found::Own)));
    // What was looked at has to be given again: rustls indexes beyond its input.
    let error = session.receive(&mut [], &mut out).unwrap_err();
    assert_eq!(error, panicked());
    assert!(out.is_empty());
}

#[test]
fn a_closed_end_is_said_and_heard() {
    let mut pair = Pair::new(&configs(rustls::ALL_VERSIONS));
    pair.talk(100_000);
    pair.server.close(&mut pair.to_client);
    let (used, found) = pair
        .client
        .receive(&mut pair.to_client, &mut pair.to_server)
        .unwrap();
    assert_eq!((used, found), (pair.to_client.len(), Found::Closed));
}

/// A server that has agreed with a client, and what makes records of that client: with
/// messages of TLS's own, cut as it likes.
fn cutting() -> (Session, impl FnMut(&[u8]) -> Vec<u8>) {
    let (server, client) = configs(&[&rustls::version::TLS13]);
    let mut client = ClientConfig::clone(&client);
    client.enable_secret_extraction = true;
    let mut pair = Pair::new(&(server, Arc::new(client)));
    pair.talk(100_000);
    let Side::Client(connection) = pair.client.side else {
        unreachable!()
    };
    let (secrets, _) = connection.dangerous_into_kernel_connection().unwrap();
    let (mut number, ConnectionTrafficSecrets::Aes256Gcm { key, iv }) = secrets.tx else {
        unreachable!()
    };
    let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_256_GCM_SHA384;
    let mut keys = suite.tls13().unwrap().aead_alg.encrypter(key, iv);
    let record = move |content: &[u8]| {
        let message = OutboundPlainMessage {
            typ: ContentType::Handshake,
            version: ProtocolVersion::TLSv1_2,
            payload: OutboundChunks::Single(content),
        };
        number += 1;
        keys.encrypt(message, number - 1).unwrap().encode()
    };
    (pair.server, record)
}

#[test]
fn the_front_of_a_message_may_come_alone() {
    let (mut server, mut record) = cutting();
    let (mut input, mut out) = (Vec::new(), Vec::new());
    let key_update = [24, 0, 0, 1, 1]; // one of ours is requested
    for part in key_update.chunks(2) {
        input.extend_from_slice(&record(part));
        // Cut off, and complete.
        for end in [input.len() - 1, input.len()] {
            let (used, found) = server.receive(&mut input[..end], &mut out).unwrap();
            assert_eq!(found, Found::Own);
            input.drain(..used);
            server.send(&[IoSlice::new(b"hello")], &mut out).unwrap();
            if used > 0 {
                break;
            }
        }
    }
    assert!(input.is_empty());
    out.clear();
    server.send(&[IoSlice::new(b"hello")], &mut out).unwrap();
    assert_eq!(out.len(), 5 + 22);
    server.close(&mut out);
}

#[test]
fn the_pieces_of_a_long_message_are_moved_over_heads_of_records() {
    let (mut server, mut record) = cutting();
    let (mut input, mut out) = (Vec::new(), Vec::new());
    input.extend_from_slice(&record(&[24, 0, 1, 0]));
    for _ in 0..6 {
        input.extend_from_slice(&record(&[0xff; 40]));
        let taken = server.receive(&mut input, &mut out).unwrap();
        assert_eq!(taken, (0, Found::Own));
        server.send(&[IoSlice::new(b"hello")], &mut out).unwrap();
    }
    input.extend_from_slice(&record(&[0xff; 16]));
    server.receive(&mut input, &mut out).unwrap_err(); // no update is that long
}

#[test]
fn one_that_has_received_the_front_of_a_message_can_be_closed() {
    let mut session = Session::server(configs(rustls::ALL_VERSIONS).0).unwrap();
    let mut out = Vec::new();
    let input = &mut b"\x16\x03\x01\x00\x05\x01\x00\x02\x00\x03".to_vec();
    let taken = session.receive(input, &mut out).unwrap();
    assert_eq!(taken, (0, Found::Own));
    session.close(&mut out);
    assert!(out.is_empty());
}

#[test]
fn a_refused_certificate_gets_its_alert_however_it_came() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for fragment in [None, Some(32), Some(1000)] {
            let (mut server, _) = configs(&[version]);
            Arc::get_mut(&mut server).unwrap().max_fragment_size = fragment;
            let mut pair = Pair::new(&(server, configs(&[version]).1));
            let mut hello = Vec::new();
            pair.client.receive(&mut [], &mut hello).unwrap();
            let (mut flight, mut out) = (Vec::new(), Vec::new());
            let used = pair.server.receive(&mut hello, &mut flight).unwrap().0;
            assert_eq!(used, hello.len());
            let error = loop {
                match pair.client.receive(&mut flight, &mut out) {
                    Ok((used, _)) if used > 0 => drop(flight.drain(..used)),
                    Ok(_) => panic!("it was not refused"),
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, Error::InvalidCertificate(_)), "{error}");
            assert!(!out.is_empty(), "{version:?} {fragment:?}");
        }
    }
}

#[test]
fn records_are_sealed_over_what_the_room_held() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut pair = Pair::new(&configs(&[version]));
        pair.talk(100_000);
        let mut room = vec![7; 3];
        for len in [100, 40_000, 0, 1, 16_384, 5] {
            let content: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let parts = [IoSlice::new(b"head"), IoSlice::new(&content)];
            let sealed = pair.server.send_over(&parts, &mut room).unwrap();
            let mut came = room[..sealed].to_vec();
            let mut opened = Vec::new();
            drain(
                &mut pair.client,
                &mut came,
                100_000,
                &mut pair.to_server,
                &mut opened,
            );
            assert_eq!(opened, [b"head", &content[..]].concat());
        }
        assert!(room.len() < 41_000, "{}", room.len());
    }
}

#[test]
fn messages_of_many_records_may_come_while_content_is_sent() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (mut server, client) = configs(&[version]);
        // Tickets come in many records, after the handshake.
        let config = Arc::get_mut(&mut server).unwrap();
        config.max_fragment_size = Some(32);
        config.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
        let mut pair = Pair::new(&(server, client));
        let mut at_server = Vec::new();
        for _ in 0..20 {
            // Not all that there is: one record after another.
            let Pair {
                client,
                server,
                to_client,
                to_server,
            } = &mut pair;
            drain(server, to_server, 100_000, to_client, &mut at_server);
            let mut input = Vec::new();
            loop {
                let (used, _) = client.receive(&mut input, to_server).unwrap();
                input.drain(..used);
                if client.is_agreed() {
                    client.send(&[IoSlice::new(b"x")], to_server).unwrap();
                }
                let record = record_at(to_client).unwrap_or(0);
                if record == 0 {
                    break;
                }
                input.extend(to_client.drain(..record));
            }
            assert!(input.is_empty());
        }
        assert!(at_server.len() > 10, "{} bytes", at_server.len());
    }
}

#[test]
fn a_record_that_was_changed_is_told_by_an_alert() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut pair = Pair::new(&configs(&[version]));
        pair.talk(100_000);
        let plain = [IoSlice::new(b"hello")];
        pair.client.send(&plain, &mut pair.to_server).unwrap();
        for at in HEAD..pair.to_server.len() {
            let mut pair = Pair::new(&configs(&[version]));
            pair.talk(100_000);
            pair.client.send(&plain, &mut pair.to_server).unwrap();
            pair.to_server[at] ^= 1;
            let refused = pair
                .server
                .receive(&mut pair.to_server, &mut pair.to_client);
            assert_eq!(refused, Err(Error::DecryptError));
            let heard = pair
                .client
                .receive(&mut pair.to_client, &mut pair.to_server);
            let alert = Error::AlertReceived(AlertDescription::BadRecordMac);
            assert_eq!(heard, Err(alert));
        }
    }
}

/// A hello of TLS 1.1, in records with so much content.
fn old_hello(cut: usize) -> Vec<u8> {
    let mut hello = vec![1, 0, 0, 41, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0, 0x2f, 1, 0]); // one suite, no compression, no extension
    let record = |piece: &[u8]| [&[22, 3, 1, 0, piece.len() as u8], piece].concat();
    hello.chunks(cut).flat_map(record).collect()
}

#[test]
fn what_is_no_tls_gets_an_alert() {
    use AlertDescription::{DecodeError, ProtocolVersion, RecordOverflow, UnexpectedMessage};
    for (input, alert) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), UnexpectedMessage),
        (b"\x16\x03\x01\xff\xff\x01".to_vec(), RecordOverflow),
        (b"\x16\x03\x01\x00\x00".to_vec(), DecodeError),
        (b"\x16\x03\x01\x00\x05hello".to_vec(), DecodeError),
        (old_hello(100), ProtocolVersion),
        (old_hello(7), ProtocolVersion),
        (old_hello(1), ProtocolVersion),
    ] {
        let mut session = Session::server(configs(rustls::ALL_VERSIONS).0).unwrap();
        let mut out = Vec::new();
        let error = session.receive(&mut input.clone(), &mut out).unwrap_err();
        assert_eq!(out, [21, 3, 3, 0, 2, 2, alert.into()], "{error}");
    }
}

#[test]
fn a_record_that_has_no_place_behind_the_handshake_is_unexpected() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let is_new = *version == rustls::version::TLS13;
        let plain = [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x14\x03\x03\x00\x01\x01"];
        let sealed_before = [
            &b"\x16\x03\x03\x00\x05hello"[..],
            b"\x15\x03\x03\x00\x02\x02\x32",
        ];
        for input in plain.iter().chain(sealed_before.iter().filter(|_| is_new)) {
            let mut pair = Pair::new(&configs(&[version]));
            pair.talk(100_000);
            let mut input = input.to_vec();
            pair.server
                .receive(&mut input, &mut pair.to_client)
                .unwrap_err();
            let heard = pair
                .client
                .receive(&mut pair.to_client, &mut pair.to_server);
            let alert = Error::AlertReceived(AlertDescription::UnexpectedMessage);
            assert_eq!(heard, Err(alert), "{version:?} {input:?}");
        }
    }
}

#[test]
fn a_limit_is_told_in_the_clear_before_the_keys() {
    use TransportLimit::{Handshake, Record, Time};
    let canceled = &[21, 3, 3, 0, 2, 1, 90, 21, 3, 3, 0, 2, 1, 0][..];
    for (limit, said) in [
        (Time, canceled),
        (Record, &[21, 3, 3, 0, 2, 2, 22]),
        (Handshake, &[21, 3, 3, 0, 2, 2, 50]),
    ] {
        for front in [
            &b""[..],
            b"\x16\x03",
            b"\x16\x03\x01\x00\x05\x01\x00\x02\x00\x03",
        ] {
            let mut session = Session::server(configs(rustls::ALL_VERSIONS).0).unwrap();
            let mut out = Vec::new();
            let taken = session.receive(&mut front.to_vec(), &mut out).unwrap();
            assert_eq!(taken, (0, Found::Own));
            session.end_at(limit, &mut out);
            assert_eq!(out, said, "{limit:?} behind {front:?}");
        }
    }
    // TLS 1.2 seals nothing before the client's last message.
    let mut pair = Pair::new(&configs(&[&rustls::version::TLS12]));
    pair.client.receive(&mut [], &mut pair.to_server).unwrap();
    pair.server
        .receive(&mut pair.to_server, &mut pair.to_client)
        .unwrap();
    pair.to_client.clear();
    pair.server.end_at(Time, &mut pair.to_client);
    assert_eq!(pair.to_client, canceled);
}

#[test]
fn a_limit_is_told_under_the_keys() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for (limit, heard) in [
            (TransportLimit::Time, None),
            (TransportLimit::Record, Some(AlertDescription::DecodeError)),
        ] {
            let mut pair = Pair::new(&configs(&[version]));
            pair.talk(100_000);
            pair.server.end_at(limit, &mut pair.to_client);
            let (input, out) = (&mut pair.to_client, &mut pair.to_server);
            let came = pair.client.receive(input, out).map(|(_, found)| found);
            let expected = match heard {
                None => Ok(Found::Closed),
                Some(alert) => Err(Error::AlertReceived(alert)),
            };
            assert_eq!(came, expected, "{version:?} {limit:?}");
        }
    }
    // A handshake that is sealed and not over: no alert fits that rustls would say.
    let mut pair = Pair::new(&configs(&[&rustls::version::TLS13]));
    pair.client.receive(&mut [], &mut pair.to_server).unwrap();
    pair.server
        .receive(&mut pair.to_server, &mut pair.to_client)
        .unwrap();
    pair.to_client.clear();
    pair.server
        .end_at(TransportLimit::Time, &mut pair.to_client);
    assert!(pair.to_client.is_empty());
}
