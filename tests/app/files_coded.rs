//! Files that are compressed when they are asked for.
#![cfg(all(
    unix,
    feature = "files",
    feature = "gzip",
    feature = "brotli",
    feature = "zstd"
))]

use core::time::Duration;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::app_support::{Answer, Running};
use crate::codings::{available, complete, decode};
use crate::http2_support::{content, ended, fields};
use crate::peer::Peer;
use barewire::app::{App, Compression, CompressionLimits, Files};
use barewire::net::FilePart;

/// A directory of its own for each test.
struct TestDirectory(PathBuf);

impl TestDirectory {
    fn new(name: &str) -> Self {
        let place =
            std::env::temp_dir().join(format!("barewire-coded-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        Self(place)
    }

    /// A file that was changed so many seconds after 1994 had begun, so that its tag is
    /// strong.
    fn put_at(&self, name: &str, bytes: impl AsRef<[u8]>, second: u64) {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(757_382_400 + second);
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(time).unwrap();
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        self.put_at(name, bytes, 0);
    }

    fn serve(&self, compression: Compression) -> Running {
        let files = Files::new(&self.0).precompressed();
        Running::start(App::new().with(compression).files("/s", files))
    }
}

impl Drop for TestDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A reply, and its body as it came.
fn ask(server: &Running, method: &str, path: &str, fields: &[&str]) -> (Answer, Vec<u8>) {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let mut stream = server.connect();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"
    )
    .unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let at = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap() + 4;
    let body = bytes.split_off(at);
    (Answer::new(&bytes), body)
}

fn get(server: &Running, path: &str, accepted: &str) -> (Answer, Vec<u8>) {
    let field = format!("Accept-Encoding: {accepted}");
    ask(server, "GET", path, &[&field])
}

/// So many bytes of lines.
fn text(length: usize, seed: usize) -> Vec<u8> {
    let lines = (seed..).map(|it| format!("line {} of it\n", it * 7919 % 1000));
    lines.flat_map(String::into_bytes).take(length).collect()
}

fn without_date(answer: &Answer) -> Vec<String> {
    let lines = answer.head.lines();
    lines
        .filter(|it| !it.starts_with("Date: "))
        .map(String::from)
        .collect()
}

const SIZES: [(&str, usize); 5] = [
    ("a.txt", 2000),
    ("b.js", 16_384),
    ("c.json", 16_385),
    ("d.css", 100_000),
    ("e.html", 256 << 10),
];

#[test]
fn a_file_is_compressed_for_who_takes_it_and_once() {
    let place = TestDirectory::new("once");
    for (name, size) in SIZES {
        place.put(name, text(size, size));
    }
    let files = Files::new(&place.0);
    let app = App::new().with(Compression::new()).files("/s", files);
    let (metrics, server) = (app.metrics(), Running::start(app));
    let mut peer = Peer::connect(&server);
    for (name, size) in SIZES {
        let path = format!("/s/{name}");
        let (plain, body) = get(&server, &path, "identity");
        assert!(body == text(size, size));
        assert_eq!(plain.header("vary"), "Accept-Encoding", "{name}");
        assert_eq!(plain.header("accept-ranges"), "bytes");
        let tag = plain.header("etag");
        assert!(tag.starts_with('"'), "{tag}");
        for coding in available() {
            let mut before = None;
            for turn in 0..3 {
                let (answer, coded) = get(&server, &path, coding);
                assert_eq!(answer.header("content-encoding"), coding, "{name}");
                assert_eq!(answer.header("etag"), format!("W/{tag}"));
                assert_eq!(answer.header("vary"), "Accept-Encoding");
                assert_eq!(answer.header("accept-ranges"), "");
                assert_eq!(
                    answer.header("last-modified"),
                    plain.header("last-modified")
                );
                assert_eq!(answer.header("content-length"), coded.len().to_string());
                assert!(complete(coding, &coded) == text(size, size), "{name}");
                let before = before.get_or_insert_with(|| coded.clone());
                assert!(*before == coded, "{turn}");

                let field = format!("Accept-Encoding: {coding}");
                let (head, nothing) = ask(&server, "HEAD", &path, &[&field]);
                assert_eq!(without_date(&head), without_date(&answer), "{name}");
                assert!(nothing.is_empty());
            }
            let accepts = [("accept-encoding", coding)];
            let id = peer.side.ask("GET", &path, None, &accepts, None);
            peer.until(|seen| ended(seen, id));
            let list = format!("{:?}", fields(&peer.seen, id));
            assert!(list.contains("content-encoding"), "{list}");
            assert!(content(&peer.seen, id) == before.unwrap(), "{name}");
        }
    }
    // It was made once: nothing tells that this is another text.
    place.put("a.txt", vec![b'?'; 2000]);
    let (_, coded) = get(&server, "/s/a.txt", "gzip");
    assert!(complete("gzip", &coded) == text(2000, 2000));
    let (_, plain) = get(&server, "/s/a.txt", "identity");
    assert_eq!(plain[..], [b'?'; 2000]);

    // Each sending counts, to HEAD there is no content.
    let sums = metrics.snapshot().codings;
    let bytes: usize = SIZES.iter().map(|it| it.1 * 4).sum();
    let plain = |coding| {
        if coding == "gzip" {
            bytes + 2000
        } else {
            bytes
        }
    };
    assert_eq!(sums.len(), available().len());
    assert!(
        sums.iter().all(|it| it.plain == plain(it.coding) as u64),
        "{sums:?}"
    );
}

#[test]
fn what_is_long_or_of_another_kind_goes_as_it_is() {
    let place = TestDirectory::new("plain");
    place.put("long.txt", text((256 << 10) + 1, 1));
    place.put("short.txt", text(1023, 1));
    place.put("a.png", text(20_000, 1));
    place.put("b.png", text(2000, 1));
    let files = Files::new(&place.0);
    let app = App::new().with(Compression::new()).files("/s", files);
    let server = Running::start(app);
    let mut peer = Peer::connect(&server);
    for (name, length) in [
        ("long.txt", (256 << 10) + 1),
        ("short.txt", 1023),
        ("a.png", 20_000),
        ("b.png", 2000),
    ] {
        let path = format!("/s/{name}");
        let (answer, body) = get(&server, &path, "zstd, br, gzip");
        assert_eq!(answer.header("content-encoding"), "", "{name}");
        assert_eq!(answer.header("vary"), "", "no client gets it otherwise");
        assert_eq!(answer.header("content-length"), length.to_string());
        assert!(body == text(length, 1));
        let field = "Accept-Encoding: zstd, br, gzip";
        let (head, _) = ask(&server, "HEAD", &path, &[field]);
        assert_eq!(without_date(&head), without_date(&answer), "{name}");
        let accepts = [("accept-encoding", "gzip")];
        let id = peer.side.ask("GET", &path, None, &accepts, None);
        peer.until(|seen| ended(seen, id));
        assert!(content(&peer.seen, id) == text(length, 1), "{name}");
    }
}

#[test]
fn ranges_are_those_of_the_plain_file() {
    let place = TestDirectory::new("ranges");
    let plain = text(40_000, 3);
    place.put("a.txt", &plain);
    let server = place.serve(Compression::new());
    let (whole, _) = get(&server, "/s/a.txt", "identity");
    let tag = whole.header("etag");
    let gzip = "Accept-Encoding: gzip";
    for (range, first, last) in [
        ("5-9", 5, 9),
        ("100-30000", 100, 30_000),
        ("-1", 39_999, 39_999),
    ] {
        let range = format!("Range: bytes={range}");
        let (part, body) = ask(&server, "GET", "/s/a.txt", &[gzip, &range]);
        assert_eq!((part.status, &*part.header("content-encoding")), (206, ""));
        assert!(body == plain[first..=last]);
        assert_eq!(part.header("etag"), tag, "of the plain file");
        assert_eq!(part.header("vary"), "Accept-Encoding");
        // The same file as before: the strong tag says so, the weak one cannot.
        let same = format!("If-Range: {tag}");
        let (part, _) = ask(&server, "GET", "/s/a.txt", &[gzip, &range, &same]);
        assert_eq!(part.status, 206);
        let weak = format!("If-Range: W/{tag}");
        let (answer, body) = ask(&server, "GET", "/s/a.txt", &[gzip, &range, &weak]);
        assert_eq!(
            (answer.status, &*answer.header("content-encoding")),
            (200, "gzip")
        );
        assert!(complete("gzip", &body) == plain);
    }
    let (parts, _) = ask(&server, "GET", "/s/a.txt", &[gzip, "Range: bytes=0-1,7-8"]);
    assert_eq!(
        (parts.status, &*parts.header("vary")),
        (206, "Accept-Encoding")
    );
    assert_eq!(parts.header("content-encoding"), "");
}

#[test]
fn a_client_that_has_it_coded_hears_of_no_change_with_the_tag_that_it_has() {
    let place = TestDirectory::new("unchanged");
    place.put("a.txt", text(5000, 3));
    let server = place.serve(Compression::new());
    let (coded, _) = get(&server, "/s/a.txt", "br");
    let (plain, _) = get(&server, "/s/a.txt", "identity");
    let (weak, strong) = (coded.header("etag"), plain.header("etag"));
    assert_eq!(weak, format!("W/{strong}"));
    for (tag, accepted) in [
        (&weak, "br"),
        (&strong, "br"),
        (&weak, "identity"),
        (&strong, ""),
    ] {
        for method in ["GET", "HEAD"] {
            let fields = [
                format!("If-None-Match: {tag}"),
                format!("Accept-Encoding: {accepted}"),
            ];
            let (answer, body) = ask(&server, method, "/s/a.txt", &[&fields[0], &fields[1]]);
            assert_eq!((answer.status, body.len()), (304, 0));
            assert_eq!(answer.header("etag"), **tag, "{accepted}");
            assert_eq!(answer.header("vary"), "Accept-Encoding");
        }
    }
    // A weak tag is like none where it has to be the very same bytes.
    let (failed, _) = ask(&server, "GET", "/s/a.txt", &[&format!("If-Match: {weak}")]);
    assert_eq!(failed.status, 412);
}

#[test]
fn a_file_that_has_changed_is_compressed_anew() {
    let place = TestDirectory::new("changed");
    let server = place.serve(Compression::new());
    for second in 0..4 {
        // Of one length, and as of the second turn in one place.
        let plain = text(30_000, 1 + second as usize);
        place.put_at("a.txt", &plain, second);
        for _ in 0..2 {
            let (_, coded) = get(&server, "/s/a.txt", "zstd");
            assert!(complete("zstd", &coded) == plain, "{second}");
        }
    }
    // Two of the same time and length, one of them in the other's place.
    place.put("b.txt", text(30_000, 91));
    place.put("c.txt", text(30_000, 92));
    for (name, seed) in [("b.txt", 91), ("c.txt", 92)] {
        let (_, coded) = get(&server, &format!("/s/{name}"), "zstd");
        assert!(complete("zstd", &coded) == text(30_000, seed));
    }
    fs::rename(place.0.join("c.txt"), place.0.join("b.txt")).unwrap();
    let (_, coded) = get(&server, "/s/b.txt", "zstd");
    assert!(complete("zstd", &coded) == text(30_000, 92));
    // Changed just now, and changed again within its second.
    for seed in 100..103 {
        fs::write(place.0.join("young.txt"), text(9000, seed)).unwrap();
        let (_, coded) = get(&server, "/s/young.txt", "zstd");
        assert!(complete("zstd", &coded) == text(9000, seed), "{seed}");
    }
}

#[test]
fn what_lies_beside_a_file_goes_first() {
    let place = TestDirectory::new("beside");
    place.put("a.txt", text(5000, 3));
    place.put("a.txt.gz", "beside");
    let server = place.serve(Compression::new());
    let (answer, body) = get(&server, "/s/a.txt", "gzip, zstd;q=0.5");
    assert_eq!(
        (&*answer.header("content-encoding"), &*body),
        ("gzip", &b"beside"[..])
    );
    assert!(answer.header("etag").starts_with('"'));
    assert_eq!(answer.header("vary"), "Accept-Encoding");
    // Not for this client: it is made.
    let (answer, body) = get(&server, "/s/a.txt", "zstd");
    assert_eq!(answer.header("content-encoding"), "zstd");
    assert!(complete("zstd", &body) == text(5000, 3));
}

#[test]
fn limits_bound_what_is_compressed_and_kept() {
    let place = TestDirectory::new("limits");
    for number in 0..20 {
        place.put(&format!("{number}.txt"), text(9000, number));
    }
    for kept in [0, 1000, 4000, 1 << 20] {
        let limits = CompressionLimits::DEFAULT
            .with_file(9000)
            .with_files_kept(kept);
        let server = place.serve(Compression::new().limits(limits));
        for turn in 0..3 {
            for number in 0..20 {
                let (_, coded) = get(&server, &format!("/s/{number}.txt"), "gzip");
                assert!(complete("gzip", &coded) == text(9000, number), "{turn}");
            }
        }
    }
    let limits = CompressionLimits::DEFAULT.with_file(8999);
    let server = place.serve(Compression::new().limits(limits));
    let (answer, _) = get(&server, "/s/1.txt", "gzip");
    assert_eq!(answer.header("content-encoding"), "");
}

#[test]
fn a_file_of_the_applications_own_is_alike_to_head_and_get() {
    let place = TestDirectory::new("own");
    place.put("a.txt", text(9000, 3));
    place.put("b.txt", text(20_000, 3));
    let root = place.0.clone();
    let app = App::new()
        .with(Compression::new())
        .get("/{name}", move |request, reply| {
            let name = request.param("name");
            let part = FilePart::whole(File::open(root.join(name)).unwrap()).unwrap();
            reply.file("text/plain", part)
        });
    let server = Running::start(app);
    for (path, coding) in [("/a.txt", "br"), ("/b.txt", "")] {
        let (answer, body) = get(&server, path, "br");
        assert_eq!(answer.header("content-encoding"), coding, "{path}");
        assert_eq!(decode(coding, &body).0[..100], text(100, 3)[..]);
        let (head, _) = ask(&server, "HEAD", path, &["Accept-Encoding: br"]);
        assert_eq!(without_date(&head), without_date(&answer));
    }
}
