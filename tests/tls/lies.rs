//! Channels to servers that begin as TLS does, and lie: each lie is refused with its
//! alert.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};

use barewire::tls::Fault;

use crate::dialling::{dial, fault, peer, tls, trusting};
use crate::support::Authority;

/// A server that answers a hello so, and what each of its clients says to that.
fn liar(lie: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> (u16, Receiver<Vec<u8>>) {
    let (send, heard) = channel();
    let port = peer(move |mut stream: TcpStream| {
        let mut hello = vec![0; 5];
        stream.read_exact(&mut hello).unwrap();
        hello.resize(5 + usize::from(u16::from_be_bytes([hello[3], hello[4]])), 0);
        stream.read_exact(&mut hello[5..]).unwrap();
        let _ = stream.write_all(&lie(&hello)); // it may be gone before it has all
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        drop(send.send(said)); // the test may be over
    });
    (port, heard)
}

/// A server's hello to a client's, with a version, a suite, and extensions.
fn server_hello(hello: &[u8], version: [u8; 2], suite: [u8; 2], extensions: &[u8]) -> Vec<u8> {
    // Behind the heads of the record and the message, the version and 32 random bytes.
    let session = &hello[43..][..33];
    let mut body = version.to_vec();
    body.extend([9; 32]);
    body.extend_from_slice(session);
    body.extend(suite);
    body.push(0);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend_from_slice(extensions);
    let len = body.len() as u8;
    [&[22, 3, 3, 0, len + 4, 2, 0, 0, len][..], &body].concat()
}

const SUITE: [u8; 2] = [0x13, 0x01];
const TLS13: &[u8] = b"\0\x2b\0\x02\x03\x04";
/// A share of the group X25519 that no secret comes of.
fn share() -> Vec<u8> {
    [&b"\0\x33\0\x24\0\x1d\0\x20"[..], &[0; 32]].concat()
}

#[test]
fn a_server_that_lies_is_refused_with_the_alert_for_that() {
    let authority = Authority::new("lies");
    type Lie = fn(&[u8]) -> Vec<u8>;
    let lies: [(&str, u8, Lie); 10] = [
        ("a suite that was not offered", 47, |hello| {
            server_hello(hello, [3, 3], [0x13, 9], &[TLS13, &share()].concat())
        }),
        ("an older version", 70, |hello| {
            server_hello(hello, [3, 2], [0, 0x2f], b"")
        }),
        ("a share without a secret", 47, |hello| {
            server_hello(hello, [3, 3], SUITE, &[TLS13, &share()].concat())
        }),
        ("no share", 109, |hello| {
            server_hello(hello, [3, 3], SUITE, TLS13)
        }),
        ("another session", 47, |hello| {
            let mut other = hello.to_vec();
            other[50] ^= 1;
            server_hello(&other, [3, 3], SUITE, &[TLS13, &share()].concat())
        }),
        ("content in front of the keys", 10, |_| {
            b"\x17\x03\x03\0\x05hello".to_vec()
        }),
        ("a change of ciphers that nobody has", 10, |_| {
            b"\x14\x03\x03\0\x01\x01".repeat(10_000)
        }),
        ("a record that is too long", 22, |_| {
            [&b"\x16\x03\x03\xff\xff"[..], &[0; 70_000]].concat()
        }),
        ("a message that is too long", 50, |_| {
            let first = b"\x16\x03\x03\x40\0\x02\xff\xff\xff";
            let record = [&b"\x16\x03\x03\x40\0"[..], &[0; 0x4000]].concat();
            [&first[..], &[0; 0x4000 - 4], &record.repeat(8)].concat()
        }),
        ("a record of no type", 10, |_| vec![0; 10_000]),
    ];
    for (name, alert, lie) in lies {
        let (port, heard) = liar(lie);
        let fault = fault(&dial(port, &tls(trusting(&authority))));
        assert!(
            matches!(fault, Fault::NotTls | Fault::Other(_)),
            "{name}: {fault:?}"
        );
        let said = heard.recv().unwrap();
        assert_eq!(said, [21, 3, 3, 0, 2, 2, alert], "{name}: {fault:?}");
    }
    // A refusal is told by its number.
    let (port, heard) = liar(|_| vec![21, 3, 3, 0, 2, 2, 40]);
    let fault = fault(&dial(port, &tls(trusting(&authority))));
    assert_eq!(fault, Fault::Alert { code: 40 });
    assert!(heard.recv().unwrap().is_empty());
}
