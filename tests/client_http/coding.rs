//! Bodies in content codings.

use std::io::{Read as _, Write as _};

use barewire::client::{Client, ClientLimits, ErrorKind};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use crate::hurried;
use crate::script::{Act, Server, send};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn coded(coding: &str, body: &[u8]) -> Act {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    send([head.as_bytes(), body].concat())
}

/// What a client makes of a coded body.
fn text(act: Act) -> Result<String, ErrorKind> {
    let server = Server::once(vec![Act::Read, act]);
    let response = Client::new().get(server.url("/")).send().unwrap();
    match response.text() {
        Ok(text) => Ok(text),
        Err(error) => {
            assert_eq!(error.phase(), barewire::client::Phase::Body);
            match error.kind() {
                ErrorKind::Coding(text) => Err(ErrorKind::Coding(text)),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn members_without_content_are_few() {
    let body = [gzip(b"").repeat(64), gzip(b"x"), gzip(b"").repeat(64)].concat();
    assert_eq!(text(coded("gzip", &body)).unwrap(), "x");
    let body = gzip(b"").repeat(65);
    assert!(matches!(
        text(coded("gzip", &body)),
        Err(ErrorKind::Coding(_))
    ));
}

#[test]
fn each_coding_is_taken_off_however_it_is_cut() {
    let plain = "hello, hello, hello ".repeat(5000);
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(plain.as_bytes()).unwrap();
    let mut bare = DeflateEncoder::new(Vec::new(), Compression::fast());
    bare.write_all(plain.as_bytes()).unwrap();
    let mut members = gzip(&plain.as_bytes()[..1000]);
    members.extend(gzip(&plain.as_bytes()[1000..]));
    for (coding, body) in [
        ("gzip", gzip(plain.as_bytes())),
        ("X-GZip", members),
        ("deflate", zlib.finish().unwrap()),
        ("DEFLATE", bare.finish().unwrap()),
        ("identity", plain.clone().into_bytes()),
        ("identity, gzip", gzip(plain.as_bytes())),
    ] {
        assert_eq!(text(coded(coding, &body)).unwrap(), plain, "{coding}");
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
        let mut cut = format!("{head}Content-Encoding: {coding}\r\n\r\n").into_bytes();
        for piece in body.chunks(7) {
            cut.extend(format!("{:x}\r\n", piece.len()).bytes());
            cut.extend(piece);
            cut.extend(b"\r\n");
        }
        cut.extend(b"0\r\n\r\n");
        assert_eq!(text(send(cut)).unwrap(), plain, "{coding} in pieces");
    }
}

#[test]
fn a_decoded_response_tells_nothing_of_its_coding() {
    let server = Server::once(vec![
        Act::Read,
        coded("gzip", &gzip(b"x")),
        Act::Read,
        coded("br", b"?"),
    ]);
    let client = Client::new();
    let response = client.get(server.url("/")).send().unwrap();
    assert_eq!(
        (
            response.header("content-encoding"),
            response.header("content-length")
        ),
        (None, None)
    );
    assert_eq!(response.content_length(), None);
    drop(response.text().unwrap());
    let response = client.get(server.url("/")).send().unwrap();
    assert_eq!(
        response.header("content-encoding"),
        Some("br"),
        "what is not known stays"
    );
    assert_eq!(response.bytes().unwrap(), b"?");
}

#[test]
fn a_caller_that_wants_it_as_it_comes_gets_it_so() {
    let body = gzip(b"hello");
    let act = || coded("gzip", &body);
    let server = Server::once(vec![Act::Read, act(), Act::Read, act(), Act::Read, act()]);
    let client = Client::new();
    let get = || client.get(server.url("/"));
    for request in [
        get().without_decoding(),
        get().header("Accept-Encoding", "gzip"),
        get().header("Range", "bytes=0-"),
    ] {
        assert_eq!(request.send().unwrap().bytes().unwrap(), body);
    }
    assert_eq!(server.seen()[0].field("accept-encoding"), None);
    assert_eq!(server.seen()[1].field("accept-encoding"), Some("gzip"));
}

#[test]
fn a_coding_that_is_damaged_is_an_error() {
    let whole = gzip(b"hello, hello");
    let mut flipped = whole.clone();
    let sum = flipped.len() - 6;
    flipped[sum] ^= 1;
    let mut behind = whole.clone();
    behind.extend(b"junk");
    for body in [
        &whole[..whole.len() - 1],
        &whole[..4],
        &flipped,
        &behind,
        b"plain",
    ] {
        assert!(text(coded("gzip", body)).is_err(), "{body:x?}");
    }
    for body in [&b"\x78\x9c"[..], b"\xff\xff\xff", b"x"] {
        assert!(text(coded("deflate", body)).is_err(), "{body:x?}");
    }
    assert_eq!(
        text(coded("gzip", b"")).unwrap(),
        "",
        "nothing is nothing in any coding"
    );
}

#[test]
fn a_bomb_goes_off_at_the_limit_however_it_is_read() {
    let bomb = gzip(&vec![0; 50 << 20]);
    assert!(bomb.len() < 100_000);
    let limits = ClientLimits::DEFAULT.with_decoded(1 << 20);
    let server = Server::start([
        vec![Act::Read, coded("gzip", &bomb), Act::Stall],
        vec![Act::Read, coded("gzip", &bomb), Act::Stall],
    ]);
    let client = hurried(limits);
    let error = client
        .get(server.url("/"))
        .send()
        .unwrap()
        .bytes()
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TooLarge("decoded")));
    let mut reader = client.get(server.url("/")).send().unwrap().reader();
    let (mut buffer, mut read) = (vec![0; 100_000], 0);
    let error = loop {
        match reader.read(&mut buffer) {
            Ok(bytes) => read += bytes,
            Err(error) => break error,
        }
    };
    assert!(
        read <= 1 << 20 && error.to_string().contains("`decoded`"),
        "{read} {error}"
    );
}
