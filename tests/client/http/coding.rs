//! Bodies in content codings.

use std::io::{Read as _, Write as _};

use barewire::client::{ClientLimits, ErrorKind};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::Client;
use super::hurried;
use super::script::{Act, Server, send};

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
    text_within(ClientLimits::DEFAULT, act)
}

fn text_within(limits: ClientLimits, act: Act) -> Result<String, ErrorKind> {
    let server = Server::once(vec![Act::Read, act]);
    let response = hurried(limits).get(server.url("/")).send();
    match response.and_then(|it| it.text()) {
        Ok(text) => Ok(text),
        Err(error) => match error.kind() {
            ErrorKind::Coding(text) => {
                assert_eq!(error.phase(), barewire::client::Phase::Body);
                Err(ErrorKind::Coding(text))
            }
            ErrorKind::TooLarge(limit) => Err(ErrorKind::TooLarge(limit)),
            other => panic!("{other:?}"),
        },
    }
}

#[test]
fn members_without_content_are_few() {
    let body = [gzip(b"").repeat(64), gzip(b"x"), gzip(b"").repeat(64)].concat();
    assert_eq!(text(coded("gzip", &body)).unwrap(), "x");
    let body = gzip(b"").repeat(65);
    assert!(matches!(
        text(coded("gzip", &body)),
        Err(ErrorKind::TooLarge("empty_members"))
    ));
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn codings_on_codings_are_taken_off_from_the_last_one() {
    let plain = "hello, hello, hello ".repeat(20_000);
    let stacked = gzip(&zlib(&gzip(plain.as_bytes())));
    let names = "gzip, deflate, x-gzip";
    assert_eq!(text(coded(names, &stacked)).unwrap(), plain);
    let apart = "gzip\r\nContent-Encoding: deflate\r\nContent-Encoding: gzip";
    assert_eq!(text(coded(apart, &stacked)).unwrap(), plain);
    let other_way = text(coded("deflate, gzip, gzip", &stacked));
    assert!(matches!(other_way, Err(ErrorKind::Coding(_))));
    for cut in [stacked.len() - 1, stacked.len() / 2, 3] {
        let cut = text(coded(names, &stacked[..cut]));
        assert!(matches!(cut, Err(ErrorKind::Coding(_))), "{cut:?}");
    }
    // What lies within may be damaged, too.
    let inner = gzip(plain.as_bytes());
    for inner in [&inner[..inner.len() - 1], &[&inner[..], b"x"].concat()] {
        let damaged = text(coded("gzip, deflate", &zlib(inner)));
        assert!(matches!(damaged, Err(ErrorKind::Coding(_))), "{damaged:?}");
    }
    assert_eq!(text(coded("gzip, gzip", &gzip(&gzip(b"")))).unwrap(), "");
    assert_eq!(text(coded("gzip, gzip", b"")).unwrap(), "");
}

#[test]
fn what_codings_may_cost_is_limited() {
    let over = |limits, names, body: &[u8]| match text_within(limits, coded(names, body)) {
        Err(ErrorKind::TooLarge(limit)) => limit,
        other => panic!("{other:?}"),
    };
    let default = ClientLimits::DEFAULT;
    let body = gzip(b"x");
    assert_eq!(over(default, "gzip, gzip, gzip, gzip", &body), "codings");
    let small = default.with_decoding_window((32 << 10) - 1);
    assert_eq!(over(small, "gzip", &body), "decoding_window");
    assert_eq!(over(small, "deflate", &body), "decoding_window");
    // Nothing but empty blocks within: each layer counts.
    let empty = [b"\0\0\0\xff\xff".repeat(1 << 20), vec![3, 0]].concat();
    let small = default.with_decoded(1 << 20);
    assert_eq!(over(small, "deflate, gzip", &gzip(&empty)), "decoded");
}

#[test]
fn each_coding_is_taken_off_however_it_is_cut() {
    let plain = "hello, hello, hello ".repeat(5000);
    let mut bare = DeflateEncoder::new(Vec::new(), Compression::fast());
    bare.write_all(plain.as_bytes()).unwrap();
    let mut members = gzip(&plain.as_bytes()[..1000]);
    members.extend(gzip(&plain.as_bytes()[1000..]));
    for (coding, body) in [
        ("gzip", gzip(plain.as_bytes())),
        ("X-GZip", members),
        ("deflate", zlib(plain.as_bytes())),
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
        coded("compress", b"?"),
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
        Some("compress"),
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

#[test]
fn what_was_decoded_is_counted() {
    let plain = "a text that is long enough to become shorter. ".repeat(40);
    let (packed, other) = (gzip(plain.as_bytes()), zlib(plain.as_bytes()));
    let nested = gzip(&other);
    let server = Server::once(vec![
        Act::Read,
        coded("x-gzip", &packed),
        Act::Read,
        coded("deflate, gzip", &nested),
    ]);
    let client = Client::new();
    assert!(client.metrics().decoded().is_empty());
    for _ in 0..2 {
        let response = client.get(server.url("/")).send().unwrap();
        assert_eq!(response.text().unwrap(), plain);
    }
    let metrics = client.metrics();
    let decoded = metrics.decoded().iter();
    let decoded: Vec<_> = decoded.map(|it| (it.coding, it.coded, it.plain)).collect();
    let gzip = (packed.len() + nested.len(), plain.len() + other.len());
    let expected = [
        ("gzip", gzip.0 as u64, gzip.1 as u64),
        ("deflate", other.len() as u64, plain.len() as u64),
    ];
    assert_eq!(decoded, expected);
    let text = metrics.to_prometheus();
    for (coding, coded, plain) in expected {
        let line = |what, value| {
            format!("barewire_client_coding_{what}_bytes_total{{coding=\"{coding}\"}} {value}\n")
        };
        assert!(text.contains(&line("coded", coded)), "{text}");
        assert!(text.contains(&line("plain", plain)), "{text}");
    }
}
