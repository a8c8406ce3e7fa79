//! What a server connection does with requests and responses.
#![cfg(feature = "alloc")]

use crate::http1_driver::date;
use barewire::http::{
    CallContext, Content, Field, Fields, InvalidField, OwnedScratch, ResponseHead, Status,
};
use barewire::http1::{BodyLength, Closing, Connection, Event, Limits, ProtocolError, UsageError};
use barewire::wire::{Instant, Received, Role, Slice, Step};

const NOW: Instant = Instant::START;

/// A server that has received `input` and what it sent.
struct Server {
    connection: Connection,
    out: Vec<u8>,
    unread: Vec<u8>,
    scratch: OwnedScratch,
}

/// What a step was, without its loans.
#[derive(Debug, PartialEq, Eq)]
enum Was {
    Request(Option<Vec<u8>>, Option<Option<u64>>),
    Body(Vec<u8>),
    End(usize),
    Need,
    Paused,
    Done,
    Full,
    Failed(ProtocolError),
}

impl Server {
    fn new(input: &str) -> Self {
        let mut server = Self {
            connection: Connection::new(Role::Server, NOW),
            out: Vec::new(),
            unread: input.as_bytes().to_vec(),
            scratch: OwnedScratch::new(100),
        };
        if !input.is_empty() {
            assert!(matches!(server.next(), Was::Request(..)));
        }
        server
    }

    fn step(&mut self, eof: bool) -> Was {
        let lent = CallContext {
            now: NOW,
            date: None,
            mask_key: [0; 4],
            limits: &Limits::DEFAULT,
            scratch: self.scratch.lend(),
        };
        let received = match eof {
            false => self
                .connection
                .receive(&mut self.unread, lent, &mut self.out),
            true => self
                .connection
                .receive_eof(&mut self.unread, lent, &mut self.out),
        };
        let (used, was) = match received {
            Err(violation) => (0, Was::Failed(violation)),
            Ok(Received { used, step }) => (
                used,
                match step {
                    Step::Event(Event::Request { content, .. }) => match content {
                        Content::None => Was::Request(None, None),
                        Content::Whole(body) => Was::Request(Some(body.to_vec()), None),
                        Content::Follows { length } => Was::Request(None, Some(length)),
                    },
                    Step::Event(Event::Body(body)) => Was::Body(body.to_vec()),
                    Step::Event(Event::End { trailers, .. }) => Was::End(trailers.len()),
                    Step::Event(event) => panic!("{event:?}"),
                    Step::Need(_) => Was::Need,
                    Step::Paused => Was::Paused,
                    Step::Done => Was::Done,
                    Step::Full => Was::Full,
                },
            ),
        };
        self.unread.drain(..used);
        was
    }

    fn next(&mut self) -> Was {
        self.step(false)
    }

    fn whole(
        &mut self,
        status: Status,
        fields: &[Field<'_>],
        body: &str,
    ) -> Result<(), UsageError> {
        let head = ResponseHead::new(status, Fields::new(fields));
        self.connection
            .send_whole(&head, body.as_bytes(), None, NOW, &mut self.out)
    }

    fn start(&mut self, status: Status, length: BodyLength) -> Result<(), UsageError> {
        let head = ResponseHead::new(status, Fields::EMPTY);
        self.connection
            .send_response(&head, length, None, NOW, &mut self.out)
    }

    fn end(&mut self) -> Result<(), UsageError> {
        self.connection.send_end(Fields::EMPTY, NOW, &mut self.out)
    }

    fn sent(&mut self) -> String {
        String::from_utf8(core::mem::take(&mut self.out)).unwrap()
    }
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn a_pipelined_request_waits_for_the_response_before_it() {
    let mut server = Server::new(&GET.repeat(2));
    assert_eq!(server.next(), Was::Paused);
    assert_eq!(server.unread, GET.as_bytes());
    server.start(Status::OK, BodyLength::Unknown).unwrap();
    assert_eq!(server.next(), Was::Paused);
    server.end().unwrap();
    assert_eq!(server.next(), Was::Request(None, None));
    server.whole(Status::OK, &[], "").unwrap();
    assert_eq!(server.next(), Was::Need);
    assert!(server.connection.is_idle());
}

#[test]
fn a_whole_body_comes_with_its_head_and_a_split_one_in_pieces() {
    let mut server = Server::new("");
    server.unread = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".to_vec();
    assert_eq!(server.next(), Was::Request(Some(b"hello".to_vec()), None));
    let mut server = Server::new("");
    server.unread = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe".to_vec();
    assert_eq!(server.next(), Was::Request(None, Some(Some(5))));
    assert_eq!(server.next(), Was::Paused);
    server.connection.accept_body(NOW, &mut server.out).unwrap();
    assert_eq!(server.sent(), "");
    assert_eq!(server.next(), Was::Body(b"he".to_vec()));
    assert_eq!(server.next(), Was::Need);
    server.unread = b"lloGET".to_vec();
    assert_eq!(server.next(), Was::Body(b"llo".to_vec()));
    assert_eq!(server.next(), Was::End(0));
    assert_eq!(server.next(), Was::Paused);
    assert_eq!(server.unread, b"GET");
}

#[test]
fn continue_is_sent_when_the_body_is_wanted_whether_or_not_it_came() {
    for body in ["", "hello"] {
        let input = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n{body}"
        );
        let mut server = Server::new("");
        server.unread = input.into_bytes();
        assert_eq!(server.next(), Was::Request(None, Some(Some(5))));
        assert_eq!(server.next(), Was::Paused);
        assert_eq!(server.sent(), "");
        server.connection.accept_body(NOW, &mut server.out).unwrap();
        assert_eq!(server.sent(), "HTTP/1.1 100 Continue\r\n\r\n");
        let twice = server.connection.accept_body(NOW, &mut server.out);
        assert_eq!(twice, Err(UsageError::State));
    }
}

#[test]
fn a_refused_expectation_closes_because_nobody_knows_what_follows() {
    let mut server = Server::new(
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    );
    server.whole(Status::CONTENT_TOO_LARGE, &[], "").unwrap();
    assert!(server.sent().contains("Connection: close\r\n"));
    assert_eq!(server.next(), Was::Done);
    assert_eq!(server.connection.closing(), Some(Closing::Linger));
}

#[test]
fn an_unknown_expectation_is_417() {
    let mut server = Server::new("");
    server.unread = b"GET / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n".to_vec();
    assert_eq!(server.next(), Was::Failed(ProtocolError::Expectation));
    assert_eq!(server.next(), Was::Failed(ProtocolError::Expectation));
    let refusal =
        "HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(server.sent(), refusal);
}

#[test]
fn an_early_answer_discards_a_short_body_and_lives_on() {
    let mut server = Server::new("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    server.whole(Status::NOT_FOUND, &[], "").unwrap();
    assert_eq!(
        server.sent(),
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(server.next(), Was::Need);
    server.unread.extend_from_slice(b"llo");
    server.unread.extend_from_slice(GET.as_bytes());
    assert_eq!(server.next(), Was::Request(None, None));
}

#[test]
fn an_early_answer_to_a_long_body_lingers() {
    let mut server = Server::new("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n");
    server
        .start(Status::NOT_FOUND, BodyLength::Known(2))
        .unwrap();
    assert!(server.sent().contains("Connection: close\r\n"));
    assert_eq!(server.next(), Was::Paused);
    server.connection.send_body(b"no", &mut server.out).unwrap();
    server.end().unwrap();
    assert_eq!(server.connection.closing(), Some(Closing::Linger));
}

#[test]
fn an_early_answer_discards_chunks_and_lives_on() {
    let mut server =
        Server::new("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhel");
    server.whole(Status::NOT_FOUND, &[], "").unwrap();
    assert_eq!(
        server.sent(),
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(server.next(), Was::Need);
    let rest = format!("lo\r\n0\r\nX: y\r\n\r\n{GET}");
    server.unread.extend_from_slice(rest.as_bytes());
    assert_eq!(server.next(), Was::Request(None, None));
}

#[test]
fn chunks_without_an_end_that_nobody_wants_end_the_connection() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut server = Server::new(head);
    server.whole(Status::NOT_FOUND, &[], "").unwrap();
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000)); // two make the limit
    for _ in 0..2 {
        assert_eq!(server.next(), Was::Need);
        assert_eq!(server.connection.closing(), None);
        server.unread.extend_from_slice(chunk.as_bytes());
    }
    assert_eq!(server.next(), Was::Need);
    server.unread.extend_from_slice(b"1\r\nx\r\n");
    assert_eq!(server.next(), Was::Done);
    assert_eq!(server.connection.closing(), Some(Closing::Linger));
}

#[test]
fn a_body_refused_half_way_ends_the_connection_after_the_answer() {
    let mut server = Server::new(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    );
    server.connection.accept_body(NOW, &mut server.out).unwrap();
    assert_eq!(server.next(), Was::Body(b"hello".to_vec()));
    server.connection.refuse_body();
    assert_eq!(server.next(), Was::Paused);
    server.whole(Status::CONTENT_TOO_LARGE, &[], "").unwrap();
    assert!(server.sent().contains("Connection: close\r\n"));
    assert_eq!(server.connection.closing(), Some(Closing::Linger));
}

#[test]
fn an_answer_before_the_end_of_accepted_chunks_discards_the_rest() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n";
    for is_streamed in [false, true] {
        let mut server = Server::new(head);
        server.connection.accept_body(NOW, &mut server.out).unwrap();
        assert_eq!(server.next(), Was::Body(b"hi".to_vec()));
        if is_streamed {
            server.start(Status::OK, BodyLength::Unknown).unwrap();
            server.end().unwrap();
        } else {
            server.whole(Status::OK, &[], "").unwrap();
        }
        assert!(!server.sent().contains("Connection"));
        assert_eq!(server.next(), Was::Need);
        let rest = format!("3\r\nall\r\n0\r\nX: y\r\n\r\n{GET}");
        server.unread.extend_from_slice(rest.as_bytes());
        assert_eq!(server.next(), Was::Request(None, None));
    }
}

#[test]
fn accepted_chunks_without_an_end_end_the_connection_after_the_answer() {
    let mut server =
        Server::new("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    server.connection.accept_body(NOW, &mut server.out).unwrap();
    server.whole(Status::OK, &[], "").unwrap();
    assert_eq!(server.next(), Was::Need);
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000)); // two make the limit
    server.unread.extend_from_slice(chunk.repeat(2).as_bytes());
    assert_eq!(server.next(), Was::Need);
    server.unread.extend_from_slice(b"1\r\nx\r\n");
    assert_eq!(server.next(), Was::Done);
    assert_eq!(server.connection.closing(), Some(Closing::Linger));
}

/// RFC 9112 §9.6: the last response says that it is.
#[test]
fn an_answer_before_the_end_of_an_accepted_long_body_says_close() {
    for (left, closes) in [(65536, false), (65537, true)] {
        let length = left + 2;
        let mut server = Server::new(&format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"
        ));
        server.connection.accept_body(NOW, &mut server.out).unwrap();
        server.unread.extend_from_slice(b"hi");
        assert_eq!(server.next(), Was::Body(b"hi".to_vec()));
        server.whole(Status::OK, &[], "").unwrap();
        assert_eq!(server.sent().contains("Connection: close\r\n"), closes);
        let closing = closes.then_some(Closing::Linger);
        assert_eq!(server.connection.closing(), closing);
    }
}

#[test]
fn request_and_response_bodies_may_run_side_by_side() {
    let mut server =
        Server::new("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
    server.connection.accept_body(NOW, &mut server.out).unwrap();
    server.start(Status::OK, BodyLength::Unknown).unwrap();
    assert_eq!(server.next(), Was::Body(b"hi".to_vec()));
    server.connection.send_body(b"hi", &mut server.out).unwrap();
    assert_eq!(server.next(), Was::Need);
    server.unread = b"0\r\nX: y\r\n\r\n".to_vec();
    assert_eq!(server.next(), Was::End(1));
    assert!(server.connection.is_responding());
    server.end().unwrap();
    let sent = server.sent();
    assert_eq!(
        sent,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    );
    assert!(server.connection.is_idle());
}

#[test]
fn a_broken_body_is_answered_unless_the_response_has_begun() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx";
    let mut server = Server::new(head);
    server.connection.accept_body(NOW, &mut server.out).unwrap();
    assert_eq!(server.next(), Was::Failed(ProtocolError::ChunkSize));
    assert!(server.sent().starts_with("HTTP/1.1 400 "));
    let mut server = Server::new(head);
    server.connection.accept_body(NOW, &mut server.out).unwrap();
    server.start(Status::OK, BodyLength::Known(5)).unwrap();
    server.sent();
    assert_eq!(server.next(), Was::Failed(ProtocolError::ChunkSize));
    assert_eq!(server.sent(), "");
    let late = server.connection.send_body(b"hello", &mut server.out);
    assert_eq!(late, Err(UsageError::State));
}

#[test]
fn head_has_the_fields_of_get_and_no_body() {
    let head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (body, unknown) in [("hello", false), ("hello", true)] {
        let answer = |input: &str| {
            let mut server = Server::new(input);
            let length = match unknown {
                true => BodyLength::Unknown,
                false => BodyLength::Known(5),
            };
            server.start(Status::OK, length).unwrap();
            server
                .connection
                .send_body(body.as_bytes(), &mut server.out)
                .unwrap();
            server.end().unwrap();
            assert!(server.connection.is_idle());
            server.sent()
        };
        let (of_head, of_get) = (answer(head), answer(GET));
        assert!(of_head.ends_with("\r\n\r\n"));
        assert_eq!(
            of_get.strip_prefix(&of_head),
            Some(match unknown {
                true => "5\r\nhello\r\n0\r\n\r\n",
                false => "hello",
            })
        );
    }
    let mut server = Server::new(head);
    server.start(Status::OK, BodyLength::Known(5)).unwrap();
    assert_eq!(server.end(), Ok(()), "HEAD owes no bytes");
}

#[test]
fn statuses_without_content_have_neither_length_nor_body() {
    for (status, body, sent) in [
        (Status::NO_CONTENT, "", "HTTP/1.1 204 No Content\r\n\r\n"),
        (
            Status::NOT_MODIFIED,
            "",
            "HTTP/1.1 304 Not Modified\r\n\r\n",
        ),
        (
            Status::RESET_CONTENT,
            "",
            "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
        ),
    ] {
        let mut server = Server::new(GET);
        server.whole(status, &[], body).unwrap();
        assert_eq!(server.sent(), sent);
        let mut server = Server::new(GET);
        server.start(status, BodyLength::Unknown).unwrap();
        server.end().unwrap();
        assert_eq!(server.sent(), sent);
    }
    let mut server = Server::new(GET);
    assert_eq!(
        server.whole(Status::NO_CONTENT, &[], "x"),
        Err(UsageError::BodyTooLong)
    );
    assert_eq!(server.sent(), "");
    // What comes in pieces is taken and dropped.
    server
        .start(Status::NO_CONTENT, BodyLength::Unknown)
        .unwrap();
    let body = server.connection.send_body(b"x", &mut server.out);
    assert_eq!(body, Ok(()));
    server.end().unwrap();
    assert_eq!(server.sent(), "HTTP/1.1 204 No Content\r\n\r\n");
    // The length of what was not modified may be told (RFC 9110 §8.6).
    let mut server = Server::new(GET);
    server.whole(Status::NOT_MODIFIED, &[], "dropped").unwrap();
    let told = "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n";
    assert_eq!(server.sent(), told);
}

#[test]
fn version_1_0_is_kept_only_when_asked_and_never_sent_chunks() {
    let mut server = Server::new("GET / HTTP/1.0\r\n\r\n");
    server.whole(Status::OK, &[], "x").unwrap();
    assert_eq!(
        server.sent(),
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
    );
    assert_eq!(server.connection.closing(), Some(Closing::Now));
    let kept = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
    let mut server = Server::new(kept);
    server.whole(Status::OK, &[], "x").unwrap();
    assert_eq!(
        server.sent(),
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx"
    );
    assert_eq!(server.connection.closing(), None);
    let mut server = Server::new(kept);
    server.start(Status::OK, BodyLength::Unknown).unwrap();
    server.connection.send_body(b"x", &mut server.out).unwrap();
    server.end().unwrap();
    assert_eq!(
        server.sent(),
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nx"
    );
    assert_eq!(server.connection.closing(), Some(Closing::Now));
    let mut server =
        Server::new("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
    server.connection.accept_body(NOW, &mut server.out).unwrap();
    let hints = ResponseHead::new(Status::EARLY_HINTS, Fields::EMPTY);
    server
        .connection
        .send_informational(&hints, &mut server.out)
        .unwrap();
    assert_eq!(server.sent(), "", "no interim response to 1.0");
}

#[test]
fn interim_responses_come_before_the_final_one() {
    let mut server = Server::new(GET);
    let link = [Field::new("Link", "</a>")];
    let hints = ResponseHead::new(Status::EARLY_HINTS, Fields::new(&link));
    server
        .connection
        .send_informational(&hints, &mut server.out)
        .unwrap();
    assert_eq!(
        server.sent(),
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    );
    for status in [Status::CONTINUE, Status::SWITCHING_PROTOCOLS, Status::OK] {
        let head = ResponseHead::new(status, Fields::EMPTY);
        let sent = server.connection.send_informational(&head, &mut server.out);
        assert_eq!(sent, Err(UsageError::Status));
    }
    server.start(Status::OK, BodyLength::Unknown).unwrap();
    let late = server
        .connection
        .send_informational(&hints, &mut server.out);
    assert_eq!(late, Err(UsageError::State));
}

#[test]
fn no_interim_response_goes_to_a_peer_of_1_0() {
    let mut server = Server::new("GET / HTTP/1.0\r\n\r\n");
    let hints = ResponseHead::new(Status::EARLY_HINTS, Fields::EMPTY);
    let sent = server
        .connection
        .send_informational(&hints, &mut server.out);
    assert_eq!(sent, Ok(()));
    assert_eq!(server.sent(), "");
}

const UPGRADE: &str =
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: x\r\n\r\n";

#[test]
fn everything_behind_a_switch_belongs_to_the_new_protocol() {
    let mut server = Server::new(&format!("{UPGRADE}raw"));
    let fields = [
        Field::new("Upgrade", "x"),
        Field::new("Connection", "Upgrade"),
    ];
    server
        .connection
        .send_switching(Fields::new(&fields), &mut server.out)
        .unwrap();
    assert_eq!(
        server.sent(),
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
    );
    assert_eq!(server.next(), Was::Done);
    assert_eq!(server.unread, b"raw");
    assert!(server.connection.is_switched());
    assert_eq!(server.connection.closing(), None);
    assert_eq!(server.connection.deadline(&Limits::DEFAULT), None);
}

#[test]
fn a_switch_needs_an_offer_and_a_name() {
    let upgrade = [Field::new("Upgrade", "x")];
    for input in [
        GET,
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    ] {
        let mut server = Server::new(input);
        let sent = server
            .connection
            .send_switching(Fields::new(&upgrade), &mut server.out);
        assert_eq!(sent, Err(UsageError::NoUpgrade), "{input}");
    }
    let mut server = Server::new(UPGRADE);
    let unnamed = server
        .connection
        .send_switching(Fields::EMPTY, &mut server.out);
    assert_eq!(unnamed, Err(UsageError::NoUpgrade));
    let mut server = Server::new(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 5\r\n\r\n",
    );
    let early = server
        .connection
        .send_switching(Fields::new(&upgrade), &mut server.out);
    assert_eq!(early, Err(UsageError::State), "the body is still HTTP");
}

#[test]
fn connect_is_answered_by_a_tunnel_or_a_refusal() {
    const CONNECT: &str = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
    let mut server = Server::new(&format!("{CONNECT}raw"));
    assert_eq!(server.whole(Status::OK, &[], ""), Err(UsageError::Status));
    server
        .connection
        .send_switching(Fields::EMPTY, &mut server.out)
        .unwrap();
    assert_eq!(server.sent(), "HTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(
        (server.next(), &server.unread[..]),
        (Was::Done, &b"raw"[..])
    );
    // What was meant for a tunnel that is refused is not read as requests.
    for behind in ["", "GET /secret HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let mut server = Server::new(&format!("{CONNECT}{behind}"));
        server.whole(Status::METHOD_NOT_ALLOWED, &[], "").unwrap();
        assert!(server.sent().contains("\r\nConnection: close\r\n"));
        assert_eq!(server.connection.closing(), Some(Closing::Linger));
        assert_eq!(server.next(), Was::Done);
    }
}

#[test]
fn an_answer_that_names_protocols_says_so_in_connection() {
    let mut server = Server::new(GET);
    server
        .whole(
            Status::UPGRADE_REQUIRED,
            &[Field::new("Upgrade", "websocket")],
            "",
        )
        .unwrap();
    let sent = server.sent();
    assert!(
        sent.contains("\r\nConnection: upgrade\r\n") && sent.contains("\r\nUpgrade: websocket\r\n")
    );
}

#[test]
fn shutdown_finishes_what_runs_and_says_close() {
    let mut server = Server::new(GET);
    server.connection.shutdown();
    assert_eq!(server.connection.closing(), None);
    server.whole(Status::OK, &[], "").unwrap();
    assert!(server.sent().contains("Connection: close\r\n"));
    assert_eq!(server.connection.closing(), Some(Closing::Now));
    let mut idle = Server::new("");
    idle.connection.shutdown();
    assert_eq!(
        (idle.next(), idle.connection.closing()),
        (Was::Done, Some(Closing::Now))
    );
    let mut half = Server::new("");
    half.unread = GET.as_bytes()[..10].to_vec();
    assert_eq!(half.next(), Was::Need);
    half.connection.shutdown();
    half.unread = GET.as_bytes().to_vec();
    assert_eq!(half.next(), Was::Request(None, None), "it had begun");
}

#[test]
fn a_half_closed_peer_still_gets_its_responses() {
    let mut server = Server::new("");
    server.unread = GET.repeat(2).into_bytes();
    assert_eq!(server.step(true), Was::Request(None, None));
    assert_eq!(server.step(true), Was::Paused);
    server.whole(Status::OK, &[], "").unwrap();
    assert!(!server.sent().contains("close"));
    assert_eq!(server.step(true), Was::Request(None, None));
    assert_eq!(server.step(true), Was::Paused);
    server.whole(Status::OK, &[], "").unwrap();
    assert!(server.sent().contains("Connection: close"), "the last one");
    assert_eq!(server.step(true), Was::Done);
    assert_eq!(server.connection.closing(), Some(Closing::Now));
}

#[test]
fn an_end_in_the_middle_is_incomplete() {
    for input in ["G", "GET / HTTP/1.1\r\nHost: a\r\n\r"] {
        let mut server = Server::new("");
        server.unread = input.as_bytes().to_vec();
        assert_eq!(
            server.step(true),
            Was::Failed(ProtocolError::Incomplete),
            "{input}"
        );
        assert!(server.sent().starts_with("HTTP/1.1 400 "));
    }
    for body in [
        "Content-Length: 5\r\n\r\nhe",
        "Transfer-Encoding: chunked\r\n\r\n2\r\nhe",
    ] {
        let mut server = Server::new(&format!("POST / HTTP/1.1\r\nHost: a\r\n{body}"));
        server.connection.accept_body(NOW, &mut server.out).unwrap();
        assert_eq!(server.step(true), Was::Body(b"he".to_vec()));
        assert_eq!(server.step(true), Was::Failed(ProtocolError::Incomplete));
    }
    let mut silent = Server::new("");
    assert_eq!(silent.step(true), Was::Done);
    assert_eq!(
        (silent.sent().as_str(), silent.connection.closing()),
        ("", Some(Closing::Now))
    );
}

#[test]
fn announced_lengths_are_kept() {
    let mut server = Server::new(GET);
    server.start(Status::OK, BodyLength::Known(3)).unwrap();
    let c = &mut server.connection;
    assert_eq!(
        c.send_body(b"abcd", &mut server.out),
        Err(UsageError::BodyTooLong)
    );
    assert_eq!(c.send_body(b"ab", &mut server.out), Ok(()));
    assert_eq!(
        c.send_end(Fields::EMPTY, NOW, &mut server.out),
        Err(UsageError::BodyTooShort)
    );
    assert_eq!(c.send_body(b"c", &mut server.out), Ok(()));
    assert_eq!(c.send_end(Fields::EMPTY, NOW, &mut server.out), Ok(()));
    assert!(server.sent().ends_with("\r\n\r\nabc"));
    assert_eq!(server.end(), Err(UsageError::State));
}

#[test]
fn nothing_is_sent_that_is_not_owed() {
    let mut server = Server::new("");
    assert_eq!(server.whole(Status::OK, &[], ""), Err(UsageError::State));
    assert_eq!(
        server.start(Status::OK, BodyLength::Unknown),
        Err(UsageError::State)
    );
    let body = server.connection.send_body(b"x", &mut server.out);
    assert_eq!(body, Err(UsageError::State));
    let accepted = server.connection.accept_body(NOW, &mut server.out);
    assert_eq!(accepted, Err(UsageError::State));
    let mut server = Server::new(GET);
    assert_eq!(
        server.whole(Status::EARLY_HINTS, &[], ""),
        Err(UsageError::Status)
    );
    server.whole(Status::OK, &[], "").unwrap();
    assert_eq!(server.whole(Status::OK, &[], ""), Err(UsageError::State));
}

#[test]
fn an_application_cannot_split_a_response() {
    for (name, value, misuse) in [
        (
            "X",
            "a\r\nSet-Cookie: b",
            UsageError::InvalidField(InvalidField::Value),
        ),
        ("X", "a\nb", UsageError::InvalidField(InvalidField::Value)),
        ("X", "a\0", UsageError::InvalidField(InvalidField::Value)),
        ("X", " a", UsageError::InvalidField(InvalidField::Value)),
        ("X\r\nY", "a", UsageError::InvalidField(InvalidField::Name)),
        ("", "a", UsageError::InvalidField(InvalidField::Name)),
        ("X ", "a", UsageError::InvalidField(InvalidField::Name)),
        ("Content-length", "5", UsageError::ForbiddenField),
        ("Transfer-Encoding", "chunked", UsageError::ForbiddenField),
        ("CONNECTION", "close", UsageError::ForbiddenField),
        ("Keep-Alive", "timeout=5", UsageError::ForbiddenField),
        ("Upgrade", "x", UsageError::ForbiddenField),
        ("TE", "trailers", UsageError::ForbiddenField),
    ] {
        let mut server = Server::new(GET);
        let field = [Field::new(name, value)];
        assert_eq!(
            server.whole(Status::OK, &field, ""),
            Err(misuse),
            "{name}: {value}"
        );
        assert_eq!(server.sent(), "");
        server.start(Status::OK, BodyLength::Unknown).unwrap();
        server.sent();
        let trailers = server
            .connection
            .send_end(Fields::new(&field), NOW, &mut server.out);
        assert_eq!(trailers, Err(misuse));
        assert_eq!(server.sent(), "");
    }
}

#[test]
fn trailers_go_out_with_chunks_and_nowhere_else() {
    let trailers = [Field::new("X-Sum", "1")];
    for (input, sent) in [
        (GET, "0\r\nX-Sum: 1\r\n\r\n"),
        ("GET / HTTP/1.0\r\n\r\n", ""),
    ] {
        let mut server = Server::new(input);
        server.start(Status::OK, BodyLength::Unknown).unwrap();
        server.sent();
        server
            .connection
            .send_end(Fields::new(&trailers), NOW, &mut server.out)
            .unwrap();
        assert_eq!(server.sent(), sent);
    }
    let mut server = Server::new(GET);
    server.start(Status::OK, BodyLength::Unknown).unwrap();
    for name in [
        "Set-Cookie",
        "Host",
        "Content-Type",
        "Trailer",
        "Authorization",
        "Content-Range",
        "if-none-match",
        "Max-Forwards",
        "Proxy-Authorization",
    ] {
        let field = [Field::new(name, "x")];
        let end = server
            .connection
            .send_end(Fields::new(&field), NOW, &mut server.out);
        assert_eq!(end, Err(UsageError::ForbiddenField), "{name}");
    }
}

#[test]
fn each_final_response_has_one_date() {
    let date = date();
    for (fields, expected) in [
        (&[][..], "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
        (&[Field::new("date", "mine")], "\r\ndate: mine\r\n"),
    ] {
        let mut server = Server::new(GET);
        let head = ResponseHead::new(Status::OK, Fields::new(fields));
        server
            .connection
            .send_whole(&head, b"", Some(&date), NOW, &mut server.out)
            .unwrap();
        let sent = server.sent();
        assert!(sent.contains(expected), "{sent}");
        assert_eq!(sent.to_lowercase().matches("date:").count(), 1);
    }
}

#[test]
fn what_the_machine_answers_by_itself_has_a_date_too() {
    let date = date();
    let (mut input, mut out) = (*b"nonsense\r\n\r\n", Vec::new());
    let mut scratch = OwnedScratch::new(100);
    let lent = CallContext {
        now: NOW,
        date: Some(&date),
        mask_key: [0; 4],
        limits: &Limits::DEFAULT,
        scratch: scratch.lend(),
    };
    let mut connection = Connection::new(Role::Server, NOW);
    assert!(connection.receive(&mut input, lent, &mut out).is_err());
    let sent = String::from_utf8(out).unwrap();
    assert!(sent.starts_with("HTTP/1.1 400 "), "{sent}");
    assert!(sent.contains("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    assert!(sent.contains("\r\nConnection: close\r\n"));
}

#[test]
fn too_little_room_changes_nothing() {
    let fields = [Field::new("X", "y")];
    let head = ResponseHead::new(Status::OK, Fields::new(&fields));
    let mut server = Server::new(GET);
    let mut memory = [0; 1024];
    let mut sizes = 0;
    for size in 0..memory.len() {
        let mut out = Slice::new(&mut memory[..size]);
        match server
            .connection
            .send_whole(&head, b"hello", None, NOW, &mut out)
        {
            Err(misuse) => {
                assert_eq!((misuse, out.written()), (UsageError::NoRoom, &b""[..]));
                assert!(server.connection.awaits_response());
                sizes += 1;
            }
            Ok(()) => {
                assert!(out.written().ends_with(b"hello"));
                break;
            }
        }
    }
    assert!((60..300).contains(&sizes), "{sizes}");
    let mut server = Server::new(GET);
    server.start(Status::OK, BodyLength::Unknown).unwrap();
    let mut out = Slice::new(&mut memory[..10]);
    let c = &mut server.connection;
    assert_eq!(c.send_body(b"hello", &mut out), Err(UsageError::NoRoom));
    assert_eq!(
        c.send_end(Fields::EMPTY, NOW, &mut out),
        Err(UsageError::NoRoom)
    );
    assert_eq!(out.written(), b"");
}

#[test]
fn receive_wants_room_for_one_control_reply() {
    let mut connection = Connection::new(Role::Server, NOW);
    let mut scratch = OwnedScratch::new(10);
    let mut memory = [0; 128];
    let date = date();
    for (room, full) in [(127, true), (128, false)] {
        let mut out = Slice::new(&mut memory[..room]);
        let mut input = *b"GET / HTTP/1.1\n";
        let lent = CallContext {
            now: NOW,
            date: Some(&date),
            mask_key: [0; 4],
            limits: &Limits::DEFAULT,
            scratch: scratch.lend(),
        };
        let received = connection.receive(&mut input, lent, &mut out);
        assert_eq!(
            matches!(
                received,
                Ok(Received {
                    used: 0,
                    step: Step::Full
                })
            ),
            full
        );
        assert_eq!(received.is_err(), !full);
    }
}

#[test]
fn host_is_there_once_and_names_a_host() {
    let outcome = |line: &str, host: &str| {
        let mut server = Server::new("");
        server.unread = format!("{line}\r\n{host}\r\n").into_bytes();
        match server.next() {
            Was::Request(..) => None,
            Was::Failed(violation) => Some(violation),
            other => panic!("{other:?}"),
        }
    };
    for (line, host, violation) in [
        ("GET / HTTP/1.1", "", Some(ProtocolError::HostMissing)),
        ("GET / HTTP/1.0", "", None),
        (
            "GET http://a/ HTTP/1.1",
            "",
            Some(ProtocolError::HostMissing),
        ),
        (
            "GET / HTTP/1.1",
            "Host: a\r\nhost: a\r\n",
            Some(ProtocolError::HostRepeated),
        ),
        (
            "GET / HTTP/1.0",
            "Host: a\r\nhost: a\r\n",
            Some(ProtocolError::HostRepeated),
        ),
        (
            "GET / HTTP/1.1",
            "Host: a, b\r\n",
            Some(ProtocolError::HostInvalid),
        ),
        (
            "GET / HTTP/1.1",
            "Host: u@a\r\n",
            Some(ProtocolError::HostInvalid),
        ),
        (
            "GET / HTTP/1.1",
            "Host: a/b\r\n",
            Some(ProtocolError::HostInvalid),
        ),
        (
            "GET / HTTP/1.1",
            "Host: a-name-that-is-longer-than-others.example/b\r\n",
            Some(ProtocolError::HostInvalid),
        ),
        (
            "GET / HTTP/1.1",
            "Host: a-name-that-is-longer-than-others.example:8080\r\n",
            None,
        ),
        (
            "GET / HTTP/1.1",
            "Host: \u{e9}\r\n",
            Some(ProtocolError::HostInvalid),
        ),
        ("GET / HTTP/1.1", "Host:\r\n", None),
        ("OPTIONS * HTTP/1.1", "Host:\r\n", None),
        (
            "GET http://a/ HTTP/1.1",
            "Host:\r\n",
            Some(ProtocolError::HostInvalid),
        ),
        ("GET http://a/ HTTP/1.1", "Host: b\r\n", None),
        ("GET / HTTP/1.1", "Host: [::1]:8080\r\n", None),
    ] {
        assert_eq!(outcome(line, host), violation, "{line} {host:?}");
    }
}

#[test]
fn close_counts_wherever_it_stands() {
    for connection in [
        "close",
        "Close",
        "x, close",
        "keep-alive , CLOSE",
        "x\r\nConnection: close",
        ",,close",
    ] {
        let mut server = Server::new(&format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: {connection}\r\n\r\n{GET}"
        ));
        server.whole(Status::OK, &[], "").unwrap();
        assert!(
            server.sent().contains("Connection: close\r\n"),
            "{connection}"
        );
        assert_eq!(server.next(), Was::Done);
    }
    let mut server =
        Server::new("GET / HTTP/1.1\r\nHost: a\r\nConnection: \"close\", closed\r\n\r\n");
    server.whole(Status::OK, &[], "").unwrap();
    assert_eq!(server.connection.closing(), None);
}

#[test]
fn a_snapshot_takes_back_a_response_that_has_not_left() {
    let mut server = Server::new(GET);
    let before = server.connection.clone();
    server.start(Status::OK, BodyLength::Known(5)).unwrap();
    server.out.clear();
    server.connection = before;
    server.connection.shutdown();
    server
        .whole(Status::INTERNAL_SERVER_ERROR, &[], "")
        .unwrap();
    assert!(server.sent().contains("Connection: close\r\n"));
    assert_eq!(server.connection.closing(), Some(Closing::Now));
}
