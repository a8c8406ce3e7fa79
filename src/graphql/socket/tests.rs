use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::graphql::{Limits, Request};
use crate::wire::Instant;

const LIMITS: &Limits = &Limits::DEFAULT;
const INIT: &str = r#"{"type":"connection_init"}"#;

fn start(id: &str) -> String {
    format!(r#"{{"id":"{id}","type":"subscribe","payload":{{"query":"subscription {{ a }}"}}}}"#)
}

fn server() -> Server {
    Server::new(Protocol::TransportWs, Instant::START, LIMITS)
}

/// One that has accepted its client.
fn ready() -> Server {
    let (mut server, mut out) = (server(), String::new());
    server.receive(INIT, LIMITS, &mut out).unwrap();
    assert!(server.accept(None, &mut out));
    server
}

/// The code with which these messages end a conversation, and what was answered.
fn end(mut server: Server, texts: &[&str]) -> (u16, String) {
    let mut out = String::new();
    for text in texts {
        if let Err(closing) = server.receive(text, LIMITS, &mut out) {
            // It stays so, whatever comes.
            let later = server.receive(INIT, LIMITS, &mut out).unwrap_err();
            assert_eq!(later.code, closing.code);
            assert_eq!((server.operations(), server.held()), (0, 0));
            return (closing.code.code(), closing.reason);
        }
    }
    (0, out)
}

#[test]
fn every_close_code_of_a_server_has_its_fault() {
    let one = start("1");
    for text in [
        "",
        "7",
        "{}",
        r#"{"type":"next"}"#,
        r#"{"type":"unknown"}"#,
        r#"{"type":7}"#,
        r#"{"type":"connection_init","payload":[]}"#,
        r#"{"type":"ping","payload":"a"}"#,
        r#"{"type":"complete"}"#,
        r#"{"type":"complete","id":""}"#,
        r#"{"type":"complete","id":7}"#,
        r#"{"type":"subscribe","id":"1"}"#,
        r#"{"type":"subscribe","id":"1","payload":{}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":7}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
        r#"{"type":"start","id":"1","payload":{"query":"{a}"}}"#,
        r#"{"type":"connection_terminate"}"#,
    ] {
        assert_eq!(end(ready(), &[text]).0, 4400, "{text}");
    }
    assert_eq!(end(server(), &[&one]).0, 4401);
    assert_eq!(end(server(), &[INIT, &one]).0, 4401, "not accepted yet");
    assert_eq!(end(server(), &[INIT, INIT]).0, 4429);
    assert_eq!(end(ready(), &[INIT]).0, 4429);
    let exists = (4409, "Subscriber for 1 already exists".to_string());
    assert_eq!(end(ready(), &[&one, &one]), exists);

    let mut late = server();
    assert_eq!(late.elapsed(Instant::START), Ok(()));
    let closing = late.elapsed(late.deadline().unwrap()).unwrap_err();
    assert_eq!(closing.code.code(), 4408);
    let mut out = String::new();
    let mut undecided = server();
    undecided.receive(INIT, LIMITS, &mut out).unwrap();
    let closing = undecided.elapsed(undecided.deadline().unwrap());
    assert_eq!(closing.unwrap_err().code.code(), 4408);
    assert!(!undecided.accept(None, &mut out), "it is too late");
    assert_eq!(ready().deadline(), None);
    assert_eq!(server().refuse("no", &mut out).code.code(), 4403);
    assert_eq!(ready().fail().code.code(), 4500);
    assert_eq!(out, "");
}

#[test]
fn codes_are_their_numbers_and_some_are_fatal() {
    let fatal: Vec<u16> = CloseCode::ALL
        .iter()
        .map(|it| it.code())
        .filter(|it| CloseCode::is_fatal(*it))
        .collect();
    assert_eq!(fatal, [1011, 4004, 4400, 4401, 4406, 4409, 4429, 4500]);
    assert!(CloseCode::ALL.iter().all(|it| it.reason().len() <= 123));
}

#[test]
fn an_id_may_be_used_again_after_complete() {
    let (mut server, mut out) = (ready(), String::new());
    for _ in 0..3 {
        let event = server
            .receive(&start("1"), LIMITS, &mut out)
            .unwrap()
            .map(drop);
        assert_eq!(event, Some(()));
        assert!(server.complete("1", &mut out));
    }
    // One that crosses the end, or names nobody, is ignored.
    let stop = r#"{"type":"complete","id":"1"}"#;
    assert_eq!(server.receive(stop, LIMITS, &mut out), Ok(None));
    out.clear();
    assert!(!server.next("1", "{}", &mut out) && !server.error("1", "[]", &mut out));
    assert_eq!(out, "");
}

#[test]
fn pings_are_answered_before_the_init() {
    let (mut server, mut out) = (server(), String::new());
    let ping = r#"{"type":"ping","payload":{"a":1}}"#;
    assert_eq!(server.receive(ping, LIMITS, &mut out), Ok(None));
    assert_eq!(out, r#"{"type":"pong","payload":{"a":1}}"#);
    let mut client = Client::new(Protocol::TransportWs);
    out.clear();
    client.init(None, Instant::START, LIMITS, &mut out);
    out.clear();
    assert_eq!(client.receive(ping, LIMITS, &mut out), Ok(None));
    assert_eq!(out, r#"{"type":"pong","payload":{"a":1}}"#);
}

#[test]
fn operations_beyond_the_limits_are_answered_by_an_error() {
    let limits = &LIMITS
        .with_operations(2)
        .with_subscriptions(1)
        .with_document(20);
    let (mut server, mut out) = (ready(), String::new());
    let mut ask = |id: &str, query: &str| {
        out.clear();
        let text = format!(r#"{{"id":"{id}","type":"subscribe","payload":{{"query":"{query}"}}}}"#);
        let event = server.receive(&text, limits, &mut out).unwrap().map(drop);
        assert_eq!(event.is_none(), out.contains(r#""type":"error""#), "{out}");
        event.is_some()
    };
    assert!(ask("1", "subscription { a }"));
    assert!(!ask("2", "subscription { a }"), "one listens");
    assert!(!ask("3", "{ a_long_document_it_is }"));
    assert!(ask("4", "{ a }"));
    assert!(!ask("5", "{ a }"), "two run");
    assert_eq!(server.operations(), 2);
    assert_eq!(server.held(), 2);
}

#[test]
fn the_limits_of_a_message_end_the_conversation() {
    let deep = format!(
        r#"{{"type":"ping","payload":{{"a":{}1{}}}}}"#,
        "[".repeat(64),
        "]".repeat(64)
    );
    assert_eq!(end(ready(), &[&deep]).0, 4400);
    let long = format!(
        r#"{{"type":"ping","payload":{{"a":"{}"}}}}"#,
        "a".repeat(LIMITS.message)
    );
    assert_eq!(end(ready(), &[&long]).0, 4400);
    let id = "a".repeat(LIMITS.id + 1);
    assert_eq!(end(ready(), &[&start(&id)]).0, 4400);
}

#[test]
fn a_message_that_is_cut_is_none() {
    let whole = start("1");
    for cut in 0..whole.len() {
        assert_eq!(end(ready(), &[&whole[..cut]]).0, 4400);
    }
}

#[test]
fn the_legacy_protocol_has_its_own_words() {
    let mut server = Server::new(Protocol::Legacy, Instant::START, LIMITS);
    let mut out = String::new();
    let init = r#"{"type":"connection_init","payload":{"a":1}}"#;
    let event = server.receive(init, LIMITS, &mut out).unwrap();
    assert_eq!(
        event,
        Some(ServerEvent::Init {
            payload: Some(r#"{"a":1}"#)
        })
    );
    // It does not wait for the acknowledgement.
    let start = r#"{"id":"1","type":"start","payload":{"query":"{a}"}}"#;
    let event = server.receive(start, LIMITS, &mut out).unwrap();
    assert!(matches!(
        event,
        Some(ServerEvent::Subscribe {
            replaces: false,
            ..
        })
    ));
    assert!(server.accept(None, &mut out));
    server.keep_alive(&mut out);
    server.next("1", r#"{"data":1}"#, &mut out);
    let event = server.receive(start, LIMITS, &mut out).unwrap();
    assert!(matches!(
        event,
        Some(ServerEvent::Subscribe { replaces: true, .. })
    ));
    server.error("1", r#"[{"message":"a"},{"message":"b"}]"#, &mut out);
    let expected = concat!(
        r#"{"type":"connection_ack"}{"type":"ka"}"#,
        r#"{"id":"1","type":"data","payload":{"data":1}}"#,
        r#"{"id":"1","type":"error","payload":{"message":"a"}}"#,
    );
    assert_eq!(out, expected);
    let stop = r#"{"id":"1","type":"stop"}"#;
    assert_eq!(server.receive(stop, LIMITS, &mut out), Ok(None));
    let bye = server.receive(r#"{"type":"connection_terminate"}"#, LIMITS, &mut out);
    assert_eq!(bye.unwrap_err().code.code(), 1000);

    let mut server = Server::new(Protocol::Legacy, Instant::START, LIMITS);
    out.clear();
    let closing = server.refuse("no \"guests\"", &mut out);
    assert_eq!(
        out,
        r#"{"type":"connection_error","payload":{"message":"no \"guests\""}}"#
    );
    assert_eq!(
        (closing.code.code(), &*closing.reason),
        (1011, "no \"guests\"")
    );
}

#[test]
fn a_client_closes_for_late_and_for_bad_answers() {
    let client = || {
        let mut client = Client::new(Protocol::TransportWs);
        client.init(None, Instant::START, LIMITS, &mut String::new());
        client
    };
    let mut out = String::new();
    let mut late = client();
    assert_eq!(late.elapsed(Instant::START), Ok(()));
    let closing = late
        .elapsed(Instant::START + Duration::from_secs(10))
        .unwrap_err();
    assert_eq!(closing.code.code(), 4504);
    for text in [
        "",
        "[]",
        r#"{"type":"connection_init"}"#,
        r#"{"type":"next","id":"1","payload":{"data":1}}"#,
        r#"{"type":"complete","id":"1"}"#,
        r#"{"type":"ka"}"#,
    ] {
        let closing = client().receive(text, LIMITS, &mut out).unwrap_err();
        assert_eq!(closing.code.code(), 4004, "{text}");
    }
    let mut legacy = Client::new(Protocol::Legacy);
    legacy.init(None, Instant::START, LIMITS, &mut out);
    let refusal = r#"{"type":"connection_error","payload":{"message":"no"}}"#;
    let event = legacy.receive(refusal, LIMITS, &mut out).unwrap();
    assert_eq!(
        event,
        Some(ClientEvent::Refused {
            payload: Some(r#"{"message":"no"}"#)
        })
    );
}

#[test]
fn ids_that_no_operation_has_are_ignored_by_a_client() {
    let mut client = Client::new(Protocol::Legacy);
    let mut out = String::new();
    assert!(
        !client.subscribe(1, &Request::new("{a}"), &mut out),
        "not yet"
    );
    client.init(Some("{}"), Instant::START, LIMITS, &mut out);
    client
        .receive(r#"{"type":"connection_ack"}"#, LIMITS, &mut out)
        .unwrap();
    assert!(client.subscribe(1, &Request::new("{a}"), &mut out));
    assert!(!client.subscribe(1, &Request::new("{a}"), &mut out));
    assert!(client.complete(1, &mut out) && !client.complete(1, &mut out));
    for id in ["1", "x", "99999999999999999999"] {
        let text = format!(r#"{{"type":"data","id":"{id}","payload":{{"data":1}}}}"#);
        assert_eq!(client.receive(&text, LIMITS, &mut out), Ok(None));
    }
    assert!(client.subscribe(2, &Request::new("{a}"), &mut out));
    let text = r#"{"type":"error","id":"2","payload":{"message":"a"}}"#;
    let errors = r#"[{"message":"a"}]"#.into();
    let event = client.receive(text, LIMITS, &mut out).unwrap();
    assert_eq!(event, Some(ClientEvent::Error { id: 2, errors }));
}

/// What the two sides of a random session do next.
#[derive(Debug, Clone)]
enum Act {
    Subscribe(u64),
    Stop(u64),
    Ping,
    Next(u64),
    Complete(u64),
    Fail(u64),
    KeepAlive,
    /// A message of the client arrives, or of the server.
    Arrive(bool),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let id = || 0_u64..4;
    let act = prop_oneof![
        3 => id().prop_map(Act::Subscribe),
        1 => id().prop_map(Act::Stop),
        1 => Just(Act::Ping),
        3 => id().prop_map(Act::Next),
        1 => id().prop_map(Act::Complete),
        1 => id().prop_map(Act::Fail),
        1 => Just(Act::KeepAlive),
        8 => any::<bool>().prop_map(Act::Arrive),
    ];
    prop::collection::vec(act, 0..200)
}

/// Both sides with the messages that are under way. The model knows of each id whether its
/// side thinks that it runs, and how many results were sent in which of its lives.
struct Pair {
    client: Client,
    server: Server,
    to_server: VecDeque<String>,
    to_client: VecDeque<String>,
    client_runs: BTreeMap<u64, u32>,
    server_runs: BTreeMap<u64, u32>,
    next_life: u32,
}

impl Pair {
    fn new(protocol: Protocol) -> Self {
        let mut pair = Self {
            client: Client::new(protocol),
            server: Server::new(protocol, Instant::START, LIMITS),
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            client_runs: BTreeMap::new(),
            server_runs: BTreeMap::new(),
            next_life: 0,
        };
        let mut out = String::new();
        pair.client.init(None, Instant::START, LIMITS, &mut out);
        pair.to_server.push_back(out);
        pair
    }

    fn arrive(&mut self, at_server: bool) {
        let mut out = String::new();
        if at_server {
            let Some(text) = self.to_server.pop_front() else {
                return;
            };
            match self.server.receive(&text, LIMITS, &mut out).unwrap() {
                Some(ServerEvent::Init { .. }) => assert!(self.server.accept(None, &mut out)),
                Some(ServerEvent::Subscribe { id, request, .. }) => {
                    // The life is told in the document.
                    let life = request.query.trim_matches(['{', '}', 'a']).parse().unwrap();
                    self.server_runs.insert(id.parse().unwrap(), life);
                }
                Some(ServerEvent::Complete { id }) => {
                    self.server_runs.remove(&id.parse().unwrap()).unwrap();
                }
                None => {}
            }
            if !out.is_empty() {
                self.to_client.push_back(out);
            }
        } else {
            let Some(text) = self.to_client.pop_front() else {
                return;
            };
            match self.client.receive(&text, LIMITS, &mut out).unwrap() {
                Some(ClientEvent::Next { id, .. }) => {
                    assert!(self.client_runs.contains_key(&id));
                }
                Some(ClientEvent::Error { id, .. } | ClientEvent::Complete { id }) => {
                    assert!(self.client_runs.remove(&id).is_some());
                }
                Some(ClientEvent::Acknowledged { .. }) => assert!(self.client.is_ready()),
                Some(ClientEvent::Refused { .. }) => panic!("refused"),
                None => {}
            }
            if !out.is_empty() {
                self.to_server.push_back(out);
            }
        }
    }

    fn act(&mut self, act: Act) {
        let mut out = String::new();
        let name = |id: u64| id.to_string();
        let from_client = match act {
            Act::Arrive(at_server) => return self.arrive(at_server),
            Act::Subscribe(id) => {
                // An id is used again only when nothing of its last life is under way.
                let is_quiet = self.to_server.is_empty() && self.to_client.is_empty();
                let is_free = is_quiet && !self.server_runs.contains_key(&id);
                if is_free && self.client.is_ready() && !self.client_runs.contains_key(&id) {
                    self.next_life += 1;
                    let document = format!("{{a{}}}", self.next_life);
                    assert!(self.client.subscribe(id, &Request::new(document), &mut out));
                    self.client_runs.insert(id, self.next_life);
                }
                true
            }
            Act::Stop(id) => {
                let runs = self.client_runs.remove(&id).is_some();
                assert_eq!(self.client.complete(id, &mut out), runs);
                true
            }
            Act::Ping => {
                self.client.ping(&mut out);
                true
            }
            Act::Next(id) => {
                let runs = self.server_runs.contains_key(&id);
                assert_eq!(self.server.next(&name(id), "{}", &mut out), runs);
                false
            }
            Act::Complete(id) => {
                let runs = self.server_runs.remove(&id).is_some();
                assert_eq!(self.server.complete(&name(id), &mut out), runs);
                false
            }
            Act::Fail(id) => {
                let runs = self.server_runs.remove(&id).is_some();
                assert_eq!(self.server.error(&name(id), "[{}]", &mut out), runs);
                false
            }
            Act::KeepAlive => {
                self.server.keep_alive(&mut out);
                false
            }
        };
        if !out.is_empty() {
            match from_client {
                true => self.to_server.push_back(out),
                false => self.to_client.push_back(out),
            }
        }
    }

    fn check(&self) {
        assert_eq!(self.server.operations(), self.server_runs.len());
        let bytes: usize = self.server_runs.keys().map(|it| it.to_string().len()).sum();
        assert_eq!(self.server.held(), bytes);
    }
}

proptest! {
    #[test]
    fn random_sessions_are_those_of_the_model(legacy: bool, acts in acts()) {
        let protocol = if legacy { Protocol::Legacy } else { Protocol::TransportWs };
        let mut pair = Pair::new(protocol);
        for act in acts {
            pair.act(act);
            pair.check();
        }
        while !pair.to_server.is_empty() || !pair.to_client.is_empty() {
            pair.arrive(true);
            pair.arrive(false);
        }
        pair.check();
        // What is left runs on both sides, each in the same life.
        prop_assert_eq!(&pair.client_runs, &pair.server_runs);
    }

    #[test]
    fn no_text_is_too_much_for_either_side(texts in prop::collection::vec(".{0,60}", 0..8)) {
        let (mut server, mut out) = (ready(), String::new());
        let mut client = Client::new(Protocol::TransportWs);
        for text in &texts {
            let _ = server.receive(text, LIMITS, &mut out);
            let _ = client.receive(text, LIMITS, &mut out);
        }
    }
}
