//! Files over HTTP/2: several at once on one connection, in pieces as the
//! windows allow.
#![cfg(all(unix, feature = "files"))]

use core::cell::RefCell;
use core::time::Duration;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use crate::app_support::Running;
use barewire::app::App;
use barewire::http::{Content, Field, Fields, Method, RequestHead, Target, Version};
use barewire::link::{self, Event};
use barewire::net::{Context, Destination, Handler, Limits, Loop, Speaks};

/// What came back on one stream.
#[derive(Debug, Default)]
struct Got {
    status: u16,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
    end: Option<&'static str>,
}

type All = Rc<RefCell<BTreeMap<u32, Got>>>;

/// A client that asks for everything at once.
struct Reader {
    asks: Vec<(Method<'static>, &'static str, &'static str)>, // method, path, range
    got: All,
    started: bool,
}

impl Reader {
    fn ask(&mut self, context: &mut Context<'_>) {
        for &(method, path, range) in &self.asks {
            let fields = [Field::new("Host", "a"), Field::new("Range", range)];
            let fields = &fields[..if range.is_empty() { 1 } else { 2 }];
            let head = RequestHead {
                method,
                target: Target::parse(path.as_bytes(), method).unwrap(),
                version: Version::Http11,
                protocol: None,
                fields: Fields::new(fields),
            };
            context.request(&head, None).unwrap();
            let stream = context.exchange().stream;
            self.got.borrow_mut().insert(stream, Got::default());
        }
    }
}

impl Handler for Reader {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        if let Event::Opened = event
            && !core::mem::replace(&mut self.started, true)
        {
            return self.ask(context);
        }
        let mut all = self.got.borrow_mut();
        let Some(got) = all.get_mut(&context.exchange().stream) else {
            return;
        };
        match event {
            Event::Response { head, content } => {
                got.status = head.status.code();
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                got.fields = head
                    .fields
                    .iter()
                    .map(|field| (text(field.name), text(field.value)))
                    .collect();
                match content {
                    Content::None => got.end = Some("whole"),
                    Content::Whole(data) => {
                        got.body.extend_from_slice(data);
                        got.end = Some("whole");
                    }
                    Content::Follows { .. } => {}
                }
            }
            Event::Body(data) => got.body.extend_from_slice(data),
            Event::End { .. } => got.end = Some("whole"),
            Event::Ended(_) => got.end = got.end.or(Some("cut")),
            _ => {}
        }
    }
}

impl Got {
    fn header(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Asks for all on one connection; `between` is called in every turn.
fn ask(
    server: &Running,
    asks: &[(Method<'static>, &'static str, &'static str)],
    mut between: impl FnMut(&BTreeMap<u32, Got>),
) -> Vec<Got> {
    let got = All::default();
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let owner = events.add(Reader {
        asks: asks.to_vec(),
        got: got.clone(),
        started: false,
    });
    let profile = events.profile(link::Limits::DEFAULT);
    let address = server.server().local_addresses()[0].clone();
    events.enter(owner, |context| {
        let to = Destination::Address(address);
        context.dial(to, Speaks::Http2, profile, 0);
    });
    let start = Instant::now();
    while got.borrow().len() < asks.len() || got.borrow().values().any(|it| it.end.is_none()) {
        events.turn(Some(Duration::from_millis(50))).unwrap();
        between(&got.borrow());
        assert!(start.elapsed() < Duration::from_secs(60), "not done");
    }
    drop(events);
    let all = Rc::try_unwrap(got).unwrap().into_inner();
    all.into_values().collect()
}

struct TestDirectory(PathBuf);

impl TestDirectory {
    fn new(name: &str) -> Self {
        let name = format!("barewire-http2-{}-{name}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        Self(place)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).unwrap();
    }

    fn serve(&self) -> Running {
        Running::start(App::new().files("/s", &*self.0))
    }
}

impl Drop for TestDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bytes(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|at| ((at + seed) / 5 % 251) as u8).collect()
}

#[test]
fn several_files_share_a_connection() {
    let place = TestDirectory::new("several");
    let (long, other) = (bytes(3_000_000, 1), bytes(1_000_000, 2));
    place.put("long", &long);
    place.put("other", &other);
    place.put("short", b"short");
    place.put("empty", b"");
    let asks = [
        (Method::GET, "/s/long", ""),
        (Method::GET, "/s/short", ""),
        (Method::GET, "/s/other", ""),
        (Method::GET, "/s/empty", ""),
        (Method::GET, "/s/long", "bytes=100000-2000000"),
        (Method::GET, "/s/long", "bytes=0-99999,2900000-"),
        (Method::HEAD, "/s/long", ""),
        (Method::GET, "/s/none", ""),
        (Method::GET, "/s/../none", ""),
    ];
    let got = ask(&place.serve(), &asks, |_| {});
    let statuses: Vec<u16> = got.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 206, 206, 200, 404, 404]);
    assert!(got.iter().all(|it| it.end == Some("whole")));
    for (at, expected) in [
        (0, &long[..]),
        (1, b"short"),
        (2, &other),
        (3, b""),
        (4, &long[100_000..=2_000_000]),
        (6, b""),
    ] {
        assert!(got[at].body == expected, "{:?}", asks[at]);
    }
    assert_eq!(
        got[4].header("content-range"),
        "bytes 100000-2000000/3000000"
    );
    assert_eq!(got[6].header("content-length"), "3000000");
    let kind = got[5].header("content-type");
    assert!(
        kind.starts_with("multipart/byteranges; boundary="),
        "{kind}"
    );
    assert_eq!(
        got[5].header("content-length"),
        got[5].body.len().to_string()
    );
    let holds = |part: &[u8]| got[5].body.windows(part.len()).any(|it| it == part);
    assert!(holds(&long[..1000]) && holds(&long[2_999_000..]));
}

#[test]
fn a_file_that_is_cut_short_resets_its_stream_alone() {
    let place = TestDirectory::new("short");
    let other = bytes(2_000_000, 3);
    place.put("sparse", b"");
    place.put("other", &other);
    let sparse = File::options()
        .write(true)
        .open(place.0.join("sparse"))
        .unwrap();
    // Far more than windows and buffers hold.
    sparse.set_len(256 << 20).unwrap();
    let asks = [
        (Method::GET, "/s/sparse", ""),
        (Method::GET, "/s/other", ""),
    ];
    let got = ask(&place.serve(), &asks, |got| {
        if got.values().next().is_some_and(|it| it.status == 200) {
            sparse.set_len(1000).unwrap();
        }
    });
    assert_eq!(got[0].header("content-length"), "268435456");
    assert_eq!((got[0].status, got[0].end), (200, Some("cut")));
    assert!(got[0].body.len() < 256 << 20);
    assert_eq!(got[1].end, Some("whole"), "another's file");
    assert!(got[1].body == other);
}
