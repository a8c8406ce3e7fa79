//! A directory that an app serves.
#![cfg(all(unix, feature = "files"))]

use core::time::Duration;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::app_support::{self, Answer, Running, wait_until};
use barewire::app::{App, Files};
use barewire::net::{Error, FilePart};

/// A directory of its own for each test.
struct TestDirectory(PathBuf);

/// Sun, 06 Nov 1994 08:49:37 GMT
const MODIFIED: u64 = 784_111_777;
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

impl TestDirectory {
    fn new(name: &str) -> Self {
        let place =
            std::env::temp_dir().join(format!("barewire-files-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(place.join("www")).unwrap();
        Self(place)
    }

    fn www(&self) -> PathBuf {
        self.0.join("www")
    }

    /// A file of the past, so that its tag is strong.
    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.www().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        touch(
            &path,
            SystemTime::UNIX_EPOCH + Duration::from_secs(MODIFIED),
        );
        path
    }

    fn serve(&self) -> Running {
        Running::start(App::new().files("/s", &*self.www()))
    }
}

impl Drop for TestDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn touch(path: &Path, time: SystemTime) {
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

/// GET with these field lines.
fn ask(server: &Running, path: &str, fields: &[&str]) -> Answer {
    ask_as(server, "GET", path, fields)
}

fn ask_as(server: &Running, method: &str, path: &str, fields: &[&str]) -> Answer {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    server.exchange(&format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"
    ))
}

fn long() -> Vec<u8> {
    // ASCII, so that answers are text.
    (0..3_000_000_u32)
        .map(|at| b'a' + (at / 3 % 26) as u8)
        .collect()
}

#[test]
fn a_file_comes_with_its_type_length_and_validators() {
    let place = TestDirectory::new("plain");
    place.put("a.txt", "hello");
    place.put("b/page.HTML", "<p>");
    place.put("c", "?");
    let server = place.serve();
    let answer = server.get("/s/a.txt");
    assert_eq!((answer.status, &*answer.body), (200, "hello"));
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("content-length"), "5");
    assert_eq!(answer.header("last-modified"), DATE);
    assert_eq!(answer.header("accept-ranges"), "bytes");
    let tag = answer.header("etag");
    assert!(
        tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2,
        "{tag}"
    );
    assert_eq!(
        server.get("/s/b/page.HTML").header("content-type"),
        "text/html; charset=utf-8"
    );
    assert_eq!(
        server.get("/s/c").header("content-type"),
        "application/octet-stream"
    );

    let head = ask_as(&server, "HEAD", "/s/a.txt", &[]);
    let fields = |answer: &Answer| {
        answer
            .head
            .lines()
            .map(str::to_owned)
            .filter(|it| !it.starts_with("Date"))
            .collect::<Vec<_>>()
    };
    assert_eq!(fields(&head), fields(&answer));
    assert_eq!(head.body, "");
}

#[test]
fn a_long_file_arrives_in_whole_and_the_connection_goes_on() {
    let (place, bytes) = (TestDirectory::new("long"), long());
    place.put("long", &bytes);
    place.put("short", "short");
    place.put("empty", "");
    let server = place.serve();
    let mut stream = server.connect();
    for _ in 0..2 {
        let requests = ["long", "empty", "short", "long"]
            .map(|name| format!("GET /s/{name} HTTP/1.1\r\nHost: a\r\n\r\n"));
        stream.write_all(requests.concat().as_bytes()).unwrap();
        for expected in [&bytes[..], b"", b"short", &bytes] {
            let mut head = app_support::read_until(&mut stream, "\r\n\r\n");
            head.make_ascii_lowercase();
            assert!(
                head.contains(&format!("content-length: {}\r\n", expected.len())),
                "{head}"
            );
            let mut body = vec![0; expected.len()];
            stream.read_exact(&mut body).unwrap();
            assert!(body == expected);
        }
    }
}

#[test]
fn what_is_not_served_is_not_found() {
    let place = TestDirectory::new("absent");
    place.put("a.txt", "hello");
    place.put(".env", "secret");
    place.put("folder/x", "x");
    fs::write(place.0.join("secret"), "secret").unwrap();
    symlink("../secret", place.www().join("link")).unwrap();
    symlink("/etc", place.www().join("etc")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        place.www().join("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place.www().join("socket")).unwrap();
    let server = place.serve();
    for path in [
        "/s/none",
        "/s/a.txt/",
        "/s/a.txt/x",
        "/s/folder",
        "/s/folder/",
        "/s",
        "/s/",
        "/s/.env",
        "/s/link",
        "/s/etc/passwd",
        "/s/fifo",
        "/s/socket",
        "/s/../secret",
        "/s/..%2fsecret",
        "/s/%2e%2e/secret",
        "/s/folder/../../secret",
        "/s/folder/../a.txt",
        "/s//a.txt",
        "/s/.//a.txt",
        "/s/%2Fetc/passwd",
        "/s//etc/passwd",
        "/s/a.txt%00",
        "/s/..%5c..%5csecret",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.body.contains("secret"), "{path}");
    }
    assert_eq!(server.get("/s/%ff").status, 400);
    assert_eq!(server.get("/s/..\\secret").status, 400);
    let post = server.post("/s/a.txt", "x");
    assert_eq!(
        (post.status, &*post.header("allow")),
        (405, "GET, HEAD, OPTIONS")
    );
}

#[test]
fn a_file_that_may_not_be_read_is_forbidden() {
    let place = TestDirectory::new("forbidden");
    let path = place.put("a.txt", "hello");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    let expected = match File::open(&path) {
        Ok(_) => 200, // nothing is forbidden to root
        Err(_) => 403,
    };
    assert_eq!(place.serve().get("/s/a.txt").status, expected);
}

#[test]
fn a_directory_is_its_index() {
    let place = TestDirectory::new("index");
    place.put("index.html", "<p>top");
    place.put("sub/index.html", "<p>sub");
    place.put("sub/other.htm", "<p>other");
    let server = place.serve();
    for (path, body) in [
        ("/s/", "<p>top"),
        ("/s/sub/", "<p>sub"),
        ("/s/sub/index.html", "<p>sub"),
    ] {
        let answer = server.get(path);
        assert_eq!((answer.status, &*answer.body), (200, body), "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    }
    for (path, location) in [
        ("/s", "./s/"),
        ("/s/sub", "./sub/"),
        ("/s/sub?a=b", "./sub/?a=b"),
        ("/s/s%75b", "./s%75b/"),
    ] {
        let answer = server.get(path);
        assert_eq!(
            (answer.status, &*answer.header("location")),
            (301, location),
            "{path}"
        );
    }
    let other = Running::start(App::new().files("/s", Files::new(place.www()).index("other.htm")));
    assert_eq!(other.get("/s/sub/").body, "<p>other");
    assert_eq!(other.get("/s/").status, 404);
    let none = Running::start(App::new().files("/s", Files::new(place.www()).no_index()));
    assert_eq!(
        (none.get("/s/sub/").status, none.get("/s/sub").status),
        (404, 404)
    );
    assert_eq!(none.get("/s/sub/index.html").status, 200);
}

#[test]
fn files_stand_behind_all_other_routes() {
    let place = TestDirectory::new("root");
    place.put("index.html", "index");
    place.put("hello", "file");
    place.put("a/b", "deep");
    let app = App::new()
        .get("/hello", |_request, reply| reply.text("route"))
        .files("/", &*place.www());
    let server = Running::start(app);
    let got = ["/", "/hello", "/a/b"].map(|path| server.get(path).body);
    assert_eq!(got, ["index", "route", "deep"]);
    assert_eq!(server.get("/a").status, 404);
    assert_eq!(server.get("//a/b").status, 404);
}

#[test]
fn one_range_is_one_part() {
    let place = TestDirectory::new("range");
    place.put("a.txt", "0123456789");
    let server = place.serve();
    for (range, content, body) in [
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=-4", "bytes 6-9/10", "6789"),
        ("bytes=8-100", "bytes 8-9/10", "89"),
        ("bytes=1-1,99-", "bytes 1-1/10", "1"),
        ("bytes=0-9", "bytes 0-9/10", "0123456789"),
    ] {
        let answer = ask(&server, "/s/a.txt", &[&format!("Range: {range}")]);
        assert_eq!((answer.status, &*answer.body), (206, body), "{range}");
        assert_eq!(answer.header("content-range"), content);
        assert_eq!(answer.header("content-length"), body.len().to_string());
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
    for range in ["bytes=10-", "bytes=-0", "bytes=20-30, 40-"] {
        let answer = ask(&server, "/s/a.txt", &[&format!("Range: {range}")]);
        assert_eq!(
            (answer.status, &*answer.header("content-range")),
            (416, "bytes */10"),
            "{range}"
        );
    }
    for whole in ["bytes=5-2", "lines=1-2", "bytes=0-,0-", "bytes"] {
        let answer = ask(&server, "/s/a.txt", &[&format!("Range: {whole}")]);
        assert_eq!(
            (answer.status, &*answer.body),
            (200, "0123456789"),
            "{whole}"
        );
    }
    let head = ask_as(&server, "HEAD", "/s/a.txt", &["Range: bytes=2-4"]);
    assert_eq!((head.status, &*head.header("content-length")), (200, "10"));
}

#[test]
fn parts_of_a_long_file_are_exact() {
    let (place, bytes) = (TestDirectory::new("parts"), long());
    place.put("a.txt", &bytes);
    let server = place.serve();
    for (first, last) in [
        (0, 0),
        (1, 20_000),
        (12_345, 2_345_678),
        (2_999_999, 2_999_999),
    ] {
        let answer = ask(
            &server,
            "/s/a.txt",
            &[&format!("Range: bytes={first}-{last}")],
        );
        assert_eq!(answer.status, 206);
        assert!(
            answer.body.as_bytes() == &bytes[first..=last],
            "{first}-{last}"
        );
    }
}

/// The parts of a multipart body: the range that each says it is, and its text.
fn parts(answer: &Answer) -> Vec<(String, String)> {
    let kind = answer.header("content-type");
    let boundary = kind
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap();
    assert_eq!(
        answer.header("content-length"),
        answer.body.len().to_string()
    );
    let body = answer
        .body
        .strip_suffix(&format!("\r\n--{boundary}--\r\n"))
        .unwrap();
    let delimiter = format!("\r\n--{boundary}\r\n");
    let mut parts = body.split(&delimiter);
    assert_eq!(parts.next(), Some(""));
    let part = |part: &str| {
        let (head, body) = part.split_once("\r\n\r\n").unwrap();
        let (kind, range) = head.split_once("\r\n").unwrap();
        assert_eq!(kind, "Content-Type: text/plain; charset=utf-8");
        (
            range.strip_prefix("Content-Range: ").unwrap().to_owned(),
            body.to_owned(),
        )
    };
    parts.map(part).collect()
}

#[test]
fn several_ranges_are_several_parts() {
    let (place, bytes) = (TestDirectory::new("multipart"), long());
    place.put("short.txt", "0123456789");
    place.put("long.txt", &bytes);
    let server = place.serve();
    let answer = ask(&server, "/s/short.txt", &["Range: bytes=8-9, 0-1,-1,50-"]);
    assert_eq!(answer.status, 206);
    assert_eq!(answer.header("content-range"), "");
    let expected = [
        ("bytes 8-9/10", "89"),
        ("bytes 0-1/10", "01"),
        ("bytes 9-9/10", "9"),
    ];
    assert_eq!(
        parts(&answer),
        expected.map(|(range, text)| (range.into(), text.into()))
    );

    let answer = ask(
        &server,
        "/s/long.txt",
        &["Range: bytes=1000000-1999999,0-999,-500000"],
    );
    let found = parts(&answer);
    assert_eq!(found.len(), 3);
    assert!(found[0].1.as_bytes() == &bytes[1_000_000..2_000_000]);
    assert!(found[1].1.as_bytes() == &bytes[..1000]);
    assert!(found[2].1.as_bytes() == &bytes[2_500_000..]);
    assert_eq!(found[2].0, "bytes 2500000-2999999/3000000");
}

#[test]
fn conditions_are_weighed_before_ranges() {
    let place = TestDirectory::new("conditions");
    place.put("a.txt", "0123456789");
    let server = place.serve();
    let tag = server.get("/s/a.txt").header("etag");
    let before = "Sun, 06 Nov 1994 08:49:36 GMT";
    let cases: [(&[&str], u16); 13] = [
        (&[&format!("If-None-Match: {tag}")], 304),
        (&[&format!("If-None-Match: \"x\", W/{tag}")], 304),
        (&["If-None-Match: *"], 304),
        (
            &[
                "If-None-Match: \"x\"",
                &format!("If-Modified-Since: {DATE}"),
            ],
            200,
        ),
        (&[&format!("If-Modified-Since: {DATE}")], 304),
        (&[&format!("If-Modified-Since: {before}")], 200),
        (&[&format!("If-Match: {tag}")], 200),
        (&["If-Match: \"x\""], 412),
        (&[&format!("If-Unmodified-Since: {before}")], 412),
        (&[&format!("If-None-Match: {tag}"), "Range: bytes=99-"], 304),
        (&["Range: bytes=1-2", &format!("If-Range: {tag}")], 206),
        (&["Range: bytes=1-2", &format!("If-Range: {DATE}")], 206),
        (&["Range: bytes=99-", "If-Range: \"x\""], 200),
    ];
    for (fields, status) in cases {
        let answer = ask(&server, "/s/a.txt", fields);
        assert_eq!(answer.status, status, "{fields:?}");
        if status == 304 {
            assert_eq!(answer.header("etag"), tag);
            assert_eq!((&*answer.body, &*answer.header("content-type")), ("", ""));
            assert_ne!(answer.header("date"), "");
        }
    }
    // Conditions are for what is there (RFC 9110 §13.2.1).
    assert_eq!(ask(&server, "/s/none", &["If-None-Match: *"]).status, 404);
    assert_eq!(
        ask_as(
            &server,
            "HEAD",
            "/s/a.txt",
            &[&format!("If-None-Match: {tag}")]
        )
        .status,
        304
    );
}

#[test]
fn another_file_has_another_tag_and_a_fresh_one_a_weak_tag() {
    let place = TestDirectory::new("tags");
    let path = place.put("a.txt", "one");
    let server = place.serve();
    let first = server.get("/s/a.txt").header("etag");
    place.put("a.txt", "three");
    let second = server.get("/s/a.txt").header("etag");
    assert_ne!(first, second);
    touch(&path, SystemTime::UNIX_EPOCH + Duration::new(MODIFIED, 1));
    let third = server.get("/s/a.txt");
    assert_ne!(second, third.header("etag"));
    assert_eq!(third.header("last-modified"), DATE);

    touch(&path, SystemTime::now() + Duration::from_secs(1000));
    let answer = ask(&server, "/s/a.txt", &["Range: bytes=0-1"]);
    let tag = answer.header("etag");
    assert!(tag.starts_with("W/\""), "{tag}");
    assert_eq!(
        answer.header("last-modified"),
        answer.header("date"),
        "not in the future"
    );
    assert_eq!(
        ask(&server, "/s/a.txt", &[&format!("If-None-Match: {tag}")]).status,
        304
    );
    let fields = ["Range: bytes=0-1", &format!("If-Range: {tag}")];
    assert_eq!(ask(&server, "/s/a.txt", &fields).status, 200);
}

#[test]
fn what_lies_beside_a_file_is_sent_in_its_place() {
    let place = TestDirectory::new("encoded");
    place.put("a.css", "plain");
    place.put("a.css.gz", "gzip");
    place.put("a.css.br", "br");
    place.put("a.css.zst", "zstd");
    place.put("b.css", "plain");
    place.put("c.css.gz", "alone");
    let files = Files::new(place.www()).precompressed();
    let server = Running::start(App::new().files("/s", files));
    let get =
        |path: &str, accept: &str| ask(&server, path, &[&format!("Accept-Encoding: {accept}")]);
    for (accept, coding, body) in [
        ("gzip, br", "br", "br"),
        ("gzip, br, zstd", "br", "br"),
        ("gzip, zstd", "zstd", "zstd"),
        ("zstd, br;q=0.9", "zstd", "zstd"),
        ("gzip", "gzip", "gzip"),
        ("identity", "", "plain"),
        ("br;q=0", "", "plain"),
    ] {
        let answer = get("/s/a.css", accept);
        assert_eq!(
            (&*answer.header("content-encoding"), &*answer.body),
            (coding, body),
            "{accept}"
        );
        assert_eq!(answer.header("content-type"), "text/css; charset=utf-8");
        assert_eq!(answer.header("vary"), "Accept-Encoding");
    }
    let (gzip, br) = (
        get("/s/a.css", "gzip").header("etag"),
        get("/s/a.css", "br").header("etag"),
    );
    assert_ne!(gzip, br);
    assert_eq!(get("/s/b.css", "gzip, br").body, "plain");
    assert_eq!(
        get("/s/b.css", "gzip, br").header("vary"),
        "Accept-Encoding"
    );
    assert_eq!(get("/s/c.css", "gzip").status, 404);
    let part = ask(
        &server,
        "/s/a.css",
        &["Accept-Encoding: gzip", "Range: bytes=1-2"],
    );
    assert_eq!(
        (&*part.body, &*part.header("content-range")),
        ("zi", "bytes 1-2/4")
    );
    assert_eq!(
        ask(
            &server,
            "/s/a.css",
            &["Accept-Encoding: br", &format!("If-None-Match: {gzip}")]
        )
        .status,
        200
    );
    // Not unless it was asked for.
    assert_eq!(
        ask(&place.serve(), "/s/a.css", &["Accept-Encoding: br"]).body,
        "plain"
    );
}

#[test]
fn options_show_in_every_answer_that_they_are_for() {
    let place = TestDirectory::new("options");
    place.put("a.wxyz", "text");
    place.put(".hidden", "hidden");
    let files = Files::new(place.www())
        .max_age(Duration::from_secs(3600))
        .media_type("WXYZ", "text/x-wxyz")
        .header("X-Content-Type-Options", "nosniff")
        .hidden();
    let server = Running::start(App::new().files("/s/", files));
    let answer = server.get("/s/a.wxyz");
    assert_eq!(answer.header("cache-control"), "public, max-age=3600");
    assert_eq!(answer.header("content-type"), "text/x-wxyz");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let tag = answer.header("etag");
    let known = ask(&server, "/s/a.wxyz", &[&format!("If-None-Match: {tag}")]);
    assert_eq!(
        (known.status, &*known.header("cache-control")),
        (304, "public, max-age=3600")
    );
    for (fields, status) in [(["Range: bytes=9-"], 416), (["If-Match: \"x\""], 412)] {
        let refused = ask(&server, "/s/a.wxyz", &fields);
        assert_eq!(
            (refused.status, &*refused.header("cache-control")),
            (status, ""),
            "for an hour?"
        );
    }
    assert_eq!(server.get("/s/.hidden").body, "hidden");
}

#[test]
fn what_cannot_be_served_is_said_at_the_start() {
    let spawn = |files: Files| {
        App::new()
            .files("/s", files)
            .listen("127.0.0.1:0")
            .unwrap()
            .spawn()
    };
    let error = spawn(Files::new("/nowhere/at/all")).unwrap_err();
    assert!(
        matches!(&error, Error::Files { directory, .. } if directory == "/nowhere/at/all"),
        "{error}"
    );
    let place = TestDirectory::new("wrong");
    for wrong in [
        Files::new(place.www()).header("no token", "x"),
        Files::new(place.www()).cache_control("a\r\nb"),
        Files::new(place.www()).media_type("x", "\n"),
        Files::new(place.put("file", "")),
    ] {
        assert!(matches!(spawn(wrong), Err(Error::Files { .. })));
    }
}

#[test]
fn a_file_that_is_replaced_is_seen_in_whole() {
    let place = TestDirectory::new("replaced");
    let (old, new) = (vec![b'o'; 2_000_000], vec![b'n'; 1_000_000]);
    place.put("a", &old);
    let server = place.serve();
    let mut stream = server.connect();
    stream
        .write_all(b"GET /s/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    app_support::read_until(&mut stream, "\r\n\r\n");
    let next = place.put("next", &new);
    fs::rename(next, place.www().join("a")).unwrap();
    let mut body = Vec::new();
    stream.read_to_end(&mut body).unwrap();
    assert!(body == old);
    assert!(server.get("/s/a").body.as_bytes() == new);
}

#[test]
fn a_file_that_is_cut_short_cuts_the_connection() {
    let place = TestDirectory::new("truncated");
    let path = place.put("a", "");
    // Far more than the buffers of both sockets hold.
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(256 << 20)
        .unwrap();
    let server = place.serve();
    let mut stream = server.connect();
    stream
        .write_all(b"GET /s/a HTTP/1.1\r\nHost: a\r\n\r\nGET /s/a HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let head = app_support::read_until(&mut stream, "\r\n\r\n");
    assert!(head.contains("Content-Length: 268435456\r\n"), "{head}");
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(1)
        .unwrap();
    let mut body = Vec::new();
    let end = stream.read_to_end(&mut body);
    assert!(end.is_err(), "a clean end could be taken for the whole");
    assert!(body.len() < 256 << 20);
    assert_eq!(server.get("/s/a").body.len(), 1);
}

#[test]
fn a_client_that_leaves_does_not_hold_the_file() {
    let place = TestDirectory::new("leaves");
    let bytes = vec![7; 64 << 20];
    let path = place.put("a", &bytes);
    let file = Arc::new(File::open(path).unwrap());
    let shared = file.clone();
    let app = App::new().get("/film", move |_request, reply| {
        reply.file("video/mp4", FilePart::new(shared.clone(), 0, 64 << 20))
    });
    let metrics = app.metrics();
    let server = Running::start(app);
    for _ in 0..4 {
        let mut stream = server.connect();
        stream
            .write_all(b"GET /film HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        let mut some = [0; 100_000];
        stream.read_exact(&mut some).unwrap();
    }
    wait_until("all connections are gone", || {
        metrics.snapshot().connections_active == 0
    });
    assert_eq!(Arc::strong_count(&file), 2);
    let answer = server.get("/film");
    assert_eq!(answer.header("content-length"), bytes.len().to_string());
}

#[test]
fn many_clients_get_their_files_at_the_same_time() {
    let (place, bytes) = (TestDirectory::new("many"), long());
    place.put("a", &bytes);
    let server = place.serve();
    let bytes = &bytes;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..3 {
                    assert!(server.get("/s/a").body.as_bytes() == bytes);
                }
            });
        }
    });
}
