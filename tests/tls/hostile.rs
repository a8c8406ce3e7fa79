//! Peers that have keys, and send what no implementation of TLS does.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::crypto::cipher::{MessageEncrypter, OutboundChunks, OutboundPlainMessage};
use rustls::{ConnectionTrafficSecrets, ContentType, ProtocolVersion};

use crate::support::{Authority, app, connect, get, port_of, stop};

/// A client that has agreed with a server, and makes each record itself.
struct Raw {
    socket: TcpStream,
    keys: Box<dyn MessageEncrypter>,
    number: u64,
}

impl Raw {
    fn connect(port: u16, authority: &Authority) -> Self {
        let mut config = authority.client_with(&["http/1.1"], &[&rustls::version::TLS13], None);
        config.enable_secret_extraction = true;
        let mut client = connect(port, "localhost", &Arc::new(config));
        while client.conn.is_handshaking() {
            client.conn.complete_io(&mut client.sock).unwrap();
        }
        while client.conn.wants_write() {
            client.conn.write_tls(&mut client.sock).unwrap();
        }
        let (connection, socket) = client.into_parts();
        let secrets = connection.dangerous_extract_secrets().unwrap();
        let (number, ConnectionTrafficSecrets::Aes256Gcm { key, iv }) = secrets.tx else {
            unreachable!()
        };
        let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_256_GCM_SHA384;
        let keys = suite.tls13().unwrap().aead_alg.encrypter(key, iv);
        Self {
            socket,
            keys,
            number,
        }
    }

    fn record(&mut self, typ: ContentType, content: &[u8]) -> Vec<u8> {
        let message = OutboundPlainMessage {
            typ,
            version: ProtocolVersion::TLSv1_2,
            payload: OutboundChunks::Single(content),
        };
        self.number += 1;
        let record = self.keys.encrypt(message, self.number - 1).unwrap();
        record.encode()
    }
}

#[test]
fn no_message_of_the_handshake_ends_more_than_its_connection() {
    let authority = Authority::new("one");
    let server = app()
        .get("/large", |_request, reply| reply.text("x".repeat(100_000)))
        .listen_tls("127.0.0.1:0", authority.certificates(&["localhost"]))
        .unwrap()
        .threads(1)
        .spawn()
        .unwrap();
    let port = port_of(&server, 0);
    // Less than is written at the end of a turn, and more.
    for requests in [0, 1, 4, 30] {
        for message in [
            &[24, 0xff, 0xff, 0xff][..], // no message is that long
            &[24, 0],
            &[24, 0, 0, 1, 1, 24],
            &[1, 0, 0, 0],
        ] {
            let mut peer = Raw::connect(port, &authority);
            let asked = "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(requests);
            let mut all = peer.record(ContentType::ApplicationData, asked.as_bytes());
            all.extend(peer.record(ContentType::Handshake, message));
            all.extend_from_slice(&[23, 3, 3, 0, 20]);
            all.extend_from_slice(&[0; 20]); // a record that cannot be opened
            peer.socket.write_all(&all).unwrap();
            // It ends by itself, however much was asked for.
            let end = peer.socket.read_to_end(&mut Vec::new());
            assert!(
                end.as_ref()
                    .map_or_else(|it| it.kind() == ErrorKind::ConnectionReset, |_| true),
                "{end:?}"
            );
        }
    }
    let config = Arc::new(authority.client(&["http/1.1"]));
    let answer = get(&mut connect(port, "localhost", &config), "/");
    assert!(answer.ends_with("hello"));
    stop(server);
}
