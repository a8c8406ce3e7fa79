//! A call of the HTTP client, with what is kept of its connections, under any servers and
//! any time.
//!
//! The first byte has switches. What follows is what servers send, in parts that end with
//! `0xfe` and an act: `E` is the end of what comes, `R` a reset, `T` the deadline, `C` a
//! cancel; `U` lets the next server be out of reach, and `P` the next connections take ten
//! bytes only; any other byte is none.

use core::time::Duration;
use std::io;

use barewire::client::{
    Body, Client, ClientLimits, ClientOptions, Connection, ErrorKind, HttpCall, HttpEvent, Phase,
    RetryPolicy,
};
use barewire::wire::Instant;

const SECRET: &str = "s3cret";
/// `user:s3cret` as Authorization has it.
const CODED: &str = "dXNlcjpzM2NyZXQ=";

const LIMITS: ClientLimits = ClientLimits::DEFAULT
    .with_head(2000)
    .with_fields(20)
    .with_informational(3)
    .with_decoded(100_000)
    .with_total_time(Duration::from_secs(1000));

/// The request, by the switches.
struct Wanted {
    method: &'static str,
    is_http2: bool,
    /// A body that can be given once.
    is_stream: bool,
    expects: bool,
    is_secure: bool,
}

/// The connection that the call is on.
#[derive(Default)]
struct Attempt {
    origin: String,
    is_reused: bool,
    /// How much more its socket takes.
    room: usize,
    sent: Vec<u8>,
    received: usize,
}

struct World<'d> {
    wanted: &'d Wanted,
    call: HttpCall,
    now: Instant,
    kept: Vec<(String, Connection)>,
    on: Option<Attempt>,
    attempts: usize,
    /// More lies in the socket than was given to the call.
    more_waits: bool,
    next_is_out_of_reach: bool,
    room: usize,
    /// All that comes, to know whether it has the secret.
    data: &'d [u8],
    seen: Vec<String>,
    body: Vec<u8>,
    is_over: bool,
    has_failed: bool,
}

/// Whatever servers send: no request goes twice that must not, none goes to another origin with
/// the credentials, nor from https to http, each is well formed, the call comes to an end in
/// time, and how what comes is cut changes nothing.
pub fn client_http(data: &[u8]) {
    let [switches, data @ ..] = data else { return };
    let bit = |nth: u8| switches >> nth & 1 != 0;
    let wanted = Wanted {
        method: ["GET", "POST", "HEAD", "PUT"][usize::from(switches & 3)],
        is_http2: bit(2) && !bit(5),
        is_stream: bit(3),
        expects: bit(4),
        is_secure: bit(5),
    };
    let whole = run(&wanted, data, usize::MAX);
    // With an expectation, what was written depends on when the leave came.
    if !wanted.is_http2 && !wanted.expects {
        for size in [1, 7] {
            let cut = run(&wanted, data, size);
            assert_eq!(cut.seen, whole.seen);
            let common = cut.body.len().min(whole.body.len());
            assert_eq!(cut.body[..common], whole.body[..common]);
            assert!(whole.has_failed || cut.body.len() == whole.body.len());
        }
    }
}

fn run<'d>(wanted: &'d Wanted, data: &'d [u8], size: usize) -> World<'d> {
    let options = ClientOptions::new()
        .no_proxy()
        .limits(LIMITS)
        .retries(RetryPolicy::attempts(2));
    let client = Client::with(match wanted.is_http2 {
        true => options.http2_prior_knowledge(),
        false => options,
    });
    let url = match wanted.is_secure {
        true => "https://user:s3cret@a/",
        false => "http://user:s3cret@a/",
    };
    let request = client.unwrap().request(wanted.method, url);
    let request = match (wanted.method, wanted.is_stream) {
        ("GET" | "HEAD", _) => request,
        (_, true) => {
            let pieces = (0..3).map(|_| Ok(vec![b'y'; 3000].into()));
            request.body(Body::iterator(pieces))
        }
        (_, false) => request.body("x=1"),
    };
    let request = match wanted.expects {
        true => request.expect_continue().on_informational(|_, _| {}),
        false => request,
    };
    let now = Instant::START;
    let mut world = World {
        wanted,
        call: request.into_call(now).unwrap(),
        now,
        kept: Vec::new(),
        on: None,
        attempts: 0,
        more_waits: false,
        next_is_out_of_reach: false,
        room: usize::MAX,
        data,
        seen: Vec::new(),
        body: Vec::new(),
        is_over: false,
        has_failed: false,
    };
    world.settle();
    let mut rest = data;
    while !rest.is_empty() {
        let end = rest.iter().position(|&b| b == 0xfe);
        let part = &rest[..end.unwrap_or(rest.len())];
        let act = rest.get(part.len() + 1).copied();
        rest = rest.get(part.len() + 2..).unwrap_or_default();
        world.send(part, size);
        world.act(act.unwrap_or_default());
    }
    world.finish();
    world
}

impl World<'_> {
    /// Does what the call asks for.
    fn settle(&mut self) {
        while !self.is_over {
            let event = match self.call.next_event(self.now) {
                Ok(event) => event,
                Err(error) => {
                    let text = format!("{error} {error:?}");
                    assert!(self.knows_secret() || !text.contains(SECRET), "{text}");
                    // Of several codings, which is found to be at fault is a matter of cuts.
                    self.seen.push(match error.kind() {
                        ErrorKind::Coding(_) | ErrorKind::TooLarge("decoded" | "empty_members") => {
                            String::from("does not decode")
                        }
                        _ => text,
                    });
                    (self.is_over, self.has_failed) = (true, true);
                    return;
                }
            };
            match event {
                HttpEvent::Wait => return self.write(),
                HttpEvent::Connect { url, fresh, at } => {
                    let origin = format!("{}://{}:{}", url.scheme(), url.host(), url.port());
                    self.seen.push(format!("to {origin}"));
                    self.now = self.now.max(at);
                    self.connect(origin, fresh);
                }
                HttpEvent::Response(head) => self.seen.push(format!("{}", head.status)),
                HttpEvent::Informational(status, _) => self.seen.push(format!("{status}")),
                HttpEvent::Body(piece) => self.body.extend(piece),
                HttpEvent::End(trailers) => {
                    self.seen.push(format!("end {}", trailers.iter().count()));
                    self.is_over = true;
                }
                event => panic!("{event:?}"),
            }
        }
        assert!(self.body.len() <= 100_000 || self.body.len() <= self.data.len());
    }

    /// Gives it a connection: one that was kept, or a new one.
    fn connect(&mut self, origin: String, fresh: bool) {
        self.attempts += 1;
        assert!(self.attempts < 100, "it goes on and on");
        if self.wanted.is_secure {
            assert!(origin.starts_with("https"), "{origin}");
        }
        if let Some(last) = self.on.take() {
            self.look_at(&last);
            if let Some(connection) = self.call.take_connection()
                && !self.more_waits
            {
                self.kept.push((last.origin, connection));
            }
        }
        if core::mem::take(&mut self.next_is_out_of_reach) {
            let refused = io::ErrorKind::ConnectionRefused.into();
            return self.call.unreachable(Phase::Connect, refused, self.now);
        }
        let known = self.kept.iter().position(|it| !fresh && it.0 == origin);
        let mut attempt = Attempt {
            origin,
            room: self.room,
            ..Attempt::default()
        };
        match known.map(|at| self.kept.remove(at)) {
            Some((_, connection)) => {
                attempt.is_reused = true;
                self.call.resume_on(connection, self.now);
            }
            None => self.call.connected(self.now),
        }
        self.on = Some(attempt);
    }

    /// What an attempt has sent, if another one follows.
    fn look_at(&self, last: &Attempt) {
        let Wanted { is_http2, .. } = self.wanted;
        if !is_http2 && !last.sent.is_empty() && last.received == 0 {
            // A redirect may have made it a GET.
            let is_repeatable = !last.sent.starts_with(b"POST");
            assert!(last.is_reused && is_repeatable, "sent twice");
        }
    }

    fn write(&mut self) {
        let Some(on) = &mut self.on else { return };
        let output = self.call.output(self.now);
        let taken = output.len().min(on.room);
        on.sent.extend(&output[..taken]);
        on.room -= taken;
        self.call.sent(taken, self.now);
        let Some(on) = &self.on else { return };
        if self.wanted.is_http2 {
            return;
        }
        let text = String::from_utf8_lossy(&on.sent);
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let mut lines = head.split("\r\n");
            let line = lines.next().unwrap_or_default();
            assert!(
                line.ends_with(" HTTP/1.1") && line.split(' ').count() == 3,
                "{line}"
            );
            assert!(lines.all(|it| it.contains(": ") && !it.contains(['\r', '\n'])));
            assert_eq!(head.matches("\r\nHost: ").count(), 1, "{head}");
        }
        let is_home = on.origin.contains("://a:");
        assert!(
            is_home || self.knows_secret() || !text.contains(CODED),
            "{text}"
        );
    }

    fn knows_secret(&self) -> bool {
        let text = String::from_utf8_lossy(self.data);
        text.contains(SECRET) || text.contains(CODED)
    }

    /// Sends what a server says on the present connection.
    fn send(&mut self, part: &[u8], size: usize) {
        let attempt = self.attempts;
        let mut given = 0;
        for piece in part.chunks(size.min(part.len()).max(1)) {
            if self.is_over || self.attempts > attempt {
                break;
            }
            given += piece.len();
            self.more_waits = given < part.len();
            if let Some(on) = &mut self.on {
                on.received += piece.len();
            }
            self.call.receive(&mut piece.to_vec(), self.now);
            self.settle();
        }
        self.more_waits = false;
    }

    fn act(&mut self, act: u8) {
        match act {
            b'E' => self.call.receive_eof(self.now),
            b'R' => self.call.failed(self.now),
            b'C' => self.call.cancel(),
            b'U' => self.next_is_out_of_reach = true,
            b'P' => self.room = 10,
            b'T' => self.pass(),
            _ => {}
        }
        self.settle();
    }

    fn pass(&mut self) {
        let deadline = self.call.deadline();
        assert!(deadline < Instant::NEVER, "nothing ends it");
        self.now = self.now.max(deadline);
        self.call.elapsed(self.now);
    }

    /// Nothing more comes of anybody: the call has to end.
    fn finish(&mut self) {
        for _ in 0..300 {
            if self.is_over {
                return;
            }
            self.next_is_out_of_reach = true;
            self.pass();
            self.settle();
        }
        panic!("it does not end: {:?}", self.call);
    }
}
