//! Health checks and reflection, byte by byte over gRPC-Web.

#![cfg(feature = "net")]

use crate::app_support::Running;
use crate::app_support::grpc::{Frame, Talk, failed, framed, status};
use barewire::app::{App, Health, InvalidDescriptors, Reflection, ServingStatus};
use prost::Message;

const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

/// `HealthCheckRequest { service }`.
fn asking(service: &str) -> Vec<u8> {
    framed(field(1, service.as_bytes()))
}

/// `HealthCheckResponse { status }`.
fn told(number: u8) -> Frame {
    Frame::Message(vec![8, number])
}

fn call(running: &Running, path: &str, body: &[u8]) -> Vec<Frame> {
    let mut talk = Talk::open(running, path, "");
    talk.send(body);
    talk.half_close();
    talk.rest()
}

#[test]
fn a_check_tells_the_health_of_a_service() {
    let health = Health::new();
    let running = Running::start(App::new().grpc(health.service()));
    let check = |service| call(&running, CHECK, &asking(service));
    let unknown = || vec![failed("5", "unknown service")];
    assert_eq!(check(""), [told(1), status("0")]);
    assert_eq!(check("a.B"), unknown());
    health.set("a.B", ServingStatus::Serving);
    assert_eq!(check("a.B"), [told(1), status("0")]);
    health.set("a.B", ServingStatus::NotServing);
    assert_eq!(check("a.B"), [told(2), status("0")]);
    assert_eq!(check(""), [told(1), status("0")]);
    health.set("", ServingStatus::Unknown);
    assert_eq!(check(""), [told(0), status("0")]);
    health.remove("a.B");
    assert_eq!(check("a.B"), unknown());
    health.set("a.B", ServingStatus::Serving);
    health.stop();
    assert_eq!(check("a.B"), [told(2), status("0")]);
    // No UTF-8, and cut short.
    for malformed in [&b"\x0a\x01\xff"[..], b"\x0a\x05a"] {
        let answer = call(&running, CHECK, &framed(malformed));
        assert_eq!(answer, [failed("13", "malformed HealthCheckRequest")]);
    }
    let listed = call(&running, "/grpc.health.v1.Health/List", &framed(""));
    let entry = |name: &[u8]| field(1, &[field(1, name), field(2, &[8, 2])].concat());
    let both = Frame::Message([entry(b""), entry(b"a.B")].concat());
    assert_eq!(listed, [both, status("0")]);
}

#[test]
fn a_watcher_is_told_each_change_once() {
    let health = Health::new();
    let running = Running::start(App::new().grpc(health.service()));
    let mut of_service = Talk::open(&running, WATCH, "");
    of_service.send(&asking("a.B"));
    of_service.half_close();
    let mut of_server = Talk::open(&running, WATCH, "");
    of_server.send(&asking(""));
    of_server.half_close();
    assert_eq!(of_service.next(), told(3));
    assert_eq!(of_server.next(), told(1));
    let set = |serving| {
        let health = health.clone();
        let thread = std::thread::spawn(move || health.set("a.B", serving));
        thread.join().unwrap();
    };
    set(ServingStatus::Serving);
    assert_eq!(of_service.next(), told(1));
    set(ServingStatus::Serving); // no change
    health.set("c.D", ServingStatus::Serving); // of another
    set(ServingStatus::NotServing);
    assert_eq!(of_service.next(), told(2));
    health.remove("a.B");
    assert_eq!(of_service.next(), told(3));
    health.stop();
    assert_eq!(of_server.next(), told(2));
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    prost::encoding::encode_varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    out
}

fn named(name: &str) -> Vec<u8> {
    field(1, name.as_bytes())
}

/// `base.proto` with what everything is, and `user.proto`, which imports it.
fn descriptors() -> (Vec<u8>, Vec<u8>) {
    let value = field(2, &named("RED"));
    let enumeration = [named("Colour"), value].concat();
    let inner = [named("Inner"), field(2, &named("deep"))].concat();
    let message = [
        named("Outer"),
        field(2, &named("flat")),
        field(3, &inner),
        field(4, &enumeration),
        field(8, &named("choice")),
    ]
    .concat();
    let base = [named("base.proto"), field(2, b"base"), field(4, &message)].concat();
    let service = [named("Users"), field(2, &named("Get"))].concat();
    let extension = [named("more"), field(2, b".base.Outer"), vec![3 << 3, 100]].concat();
    let user = [
        named("user.proto"),
        field(2, b"user"),
        field(3, b"base.proto"),
        field(6, &service),
        field(7, &extension),
    ]
    .concat();
    (base, user)
}

const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(string, tag = "1")]
    valid_host: String,
    #[prost(bytes = "vec", tag = "2")]
    original_request: Vec<u8>,
    #[prost(message, optional, tag = "4")]
    files: Option<Files>,
    #[prost(message, optional, tag = "5")]
    numbers: Option<Numbers>,
    #[prost(bytes = "vec", optional, tag = "6")]
    services: Option<Vec<u8>>,
    #[prost(message, optional, tag = "7")]
    error: Option<Refused>,
}

#[derive(Clone, PartialEq, Message)]
struct Files {
    #[prost(bytes = "vec", repeated, tag = "1")]
    files: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Numbers {
    #[prost(string, tag = "1")]
    of: String,
    #[prost(int32, repeated, tag = "2")]
    numbers: Vec<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct Refused {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// Asks on a stream that stays open.
fn ask(talk: &mut Talk, request: &[u8]) -> Response {
    talk.send(&framed(request));
    let Frame::Message(bytes) = talk.next() else {
        panic!("no answer to {request:?}")
    };
    let response = Response::decode(&bytes[..]).unwrap();
    assert_eq!(response.original_request, request);
    response
}

#[test]
fn reflection_finds_files_by_all_that_they_describe() {
    let (base, user) = descriptors();
    let set = [field(1, &base), field(1, &user)].concat();
    let reflection = Reflection::new(&set).unwrap();
    assert!(reflection.services().eq(["user.Users"]));
    let app = App::new()
        .grpc(reflection.service())
        .grpc(reflection.service_v1alpha());
    let running = Running::start(app);
    let of_base = [
        "base.Outer",
        "base.Outer.flat",
        "base.Outer.Inner",
        "base.Outer.Inner.deep",
        "base.Outer.Colour",
        "base.Outer.RED",
        "base.Outer.choice",
    ];
    let mut talk = Talk::open(&running, REFLECTION, "");
    for symbol in of_base {
        let files = ask(&mut talk, &field(4, symbol.as_bytes())).files.unwrap();
        assert_eq!(files.files, std::slice::from_ref(&base), "{symbol}");
    }
    // What a file imports comes along, unless the client has it.
    let both = [user.clone(), base.clone()];
    for (request, again) in [
        (field(3, b"user.proto"), false),
        (field(4, b"user.Users"), false),
        (field(4, b"user.Users.Get"), false),
        (field(4, b"user.more"), false),
        (
            field(5, &[named("base.Outer"), vec![2 << 3, 100]].concat()),
            true,
        ),
    ] {
        let mut talk = Talk::open(&running, REFLECTION, "");
        assert_eq!(ask(&mut talk, &request).files.unwrap().files, both);
        if again {
            let files = ask(&mut talk, &request).files.unwrap().files;
            assert_eq!(files, std::slice::from_ref(&user));
        }
    }
    let numbers = ask(&mut talk, &field(6, b"base.Outer")).numbers.unwrap();
    assert_eq!(
        (&*numbers.of, &numbers.numbers[..]),
        ("base.Outer", &[100][..])
    );
    let listed = ask(&mut talk, &field(7, b"")).services.unwrap();
    assert_eq!(listed, field(1, &named("user.Users")));
    let hosted = ask(&mut talk, &[field(1, b"here"), field(7, b"*")].concat());
    assert_eq!(hosted.valid_host, "here");

    for (request, code) in [
        (field(3, b"no.proto"), 5),
        (field(4, b"base.Nothing"), 5),
        (
            field(5, &[named("base.Outer"), vec![2 << 3, 99]].concat()),
            5,
        ),
        (field(6, b"base.Nothing"), 5),
        (vec![], 3),
    ] {
        assert_eq!(ask(&mut talk, &request).error.unwrap().code, code);
    }
    talk.send(&framed(b"\x1a\x05abc"));
    assert_eq!(
        talk.next(),
        failed("13", "malformed ServerReflectionRequest")
    );
}

#[test]
fn what_is_no_set_of_descriptors_is_refused() {
    let (base, _) = descriptors();
    for set in [&b"\x0a\x05abc"[..], b"\xff", &field(1, b"\x0a\x02\xff\xff")] {
        assert_eq!(Reflection::new(set).unwrap_err(), InvalidDescriptors);
    }
    // Messages in messages in messages.
    let mut message = named("A");
    for _ in 0..100 {
        message = [named("A"), field(3, &message)].concat();
    }
    let file = [base, field(4, &message)].concat();
    let refused = Reflection::new(&field(1, &file)).unwrap_err();
    assert_eq!(refused, InvalidDescriptors);
    assert_eq!(Reflection::new(b"").unwrap().services().count(), 0);
}
