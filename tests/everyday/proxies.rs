//! The client behind trusted proxies.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use barewire::app::{
    AccessLog, App, CallEnd, Interceptor, Message, OriginGuard, Request, RequestIds, Route,
    Service, Socket, Stream, Streaming, Traces, TrustedProxies, WebSocket,
};
use barewire::http::Field;
use barewire::net::ListenOptions;

use crate::app_support::{Answer, Running, grpc, read_until};

fn proxies() -> TrustedProxies {
    let network = "127.0.0.1".parse().unwrap();
    TrustedProxies::new([network])
        .x_forwarded_for()
        .x_forwarded_proto()
        .x_forwarded_host()
}

fn seen(request: &Request<'_>) -> String {
    let peer = request.peer().map(|it| it.to_string());
    let proxy = request.proxy().and_then(|it| it.ip());
    let (scheme, base) = (request.scheme(), request.base_url());
    format!("{peer:?} {proxy:?} {scheme} {base:?}")
}

const TOLD: &str = "X-Forwarded-For: 203.0.113.9, 192.0.2.7\r\n\
    X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.example\r\n";
const SEEN: &str = "Some(\"192.0.2.7:0\") Some(127.0.0.1) https Some(\"https://a.example\")";

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: inner\r\n{fields}\r\n")
}

#[test]
fn every_kind_of_route_sees_the_client() {
    let app = App::new()
        .trust_proxies(proxies())
        .get("/", |request, reply| reply.text(seen(request)))
        .get("/blocking", |request, reply| {
            let seen = seen(request);
            reply.blocking(move || barewire::app::Response::text(seen))
        })
        .route(
            Route::post("/collected").collect(1 << 20, |request, reply| {
                reply.text(format!("{} {}", request.body().len(), seen(request)))
            }),
        )
        .route(
            Route::get("/copied").blocking(|request| barewire::app::Response::text(seen(request))),
        );
    let running = Running::start(app);
    for path in ["/", "/blocking", "/copied"] {
        assert_eq!(running.exchange(&get(path, TOLD)).body, SEEN, "{path}");
    }
    // A body that comes later, so that the head is kept meanwhile.
    let mut stream = running.connect();
    let head = "POST /collected HTTP/1.1\r\nHost: inner\r\nContent-Length: 5\r\n";
    stream
        .write_all(format!("{head}{TOLD}\r\n").as_bytes())
        .unwrap();
    std::thread::sleep(core::time::Duration::from_millis(20));
    stream.write_all(b"later").unwrap();
    assert_eq!(
        Answer::new(read_until(&mut stream, "example\")").as_bytes()).body,
        format!("5 {SEEN}")
    );
    // The next request on the same connection is another client's.
    stream.write_all(get("/", "").as_bytes()).unwrap();
    let answer = read_until(&mut stream, "inner\")");
    assert!(
        answer.contains("Some(127.0.0.1) http Some(\"http://inner\")"),
        "{answer}"
    );
}

#[test]
fn without_trust_fields_are_text() {
    let stranger = TrustedProxies::new(["192.0.2.0/24".parse().unwrap()]).x_forwarded_for();
    for app in [App::new(), App::new().trust_proxies(stranger)] {
        let running = Running::start(app.get("/", |request, reply| reply.text(seen(request))));
        let body = running.exchange(&get("/", TOLD)).body;
        assert!(body.starts_with("Some(\"127.0.0.1:"), "{body}");
        assert!(
            body.ends_with(" None http Some(\"http://inner\")"),
            "{body}"
        );
    }
}

#[test]
fn options_that_cannot_work_keep_the_app_from_starting() {
    let none = TrustedProxies::new(["127.0.0.1".parse().unwrap()]);
    for wrong in [none, proxies().forwarded()] {
        let app = App::new()
            .trust_proxies(wrong)
            .listen("127.0.0.1:0")
            .unwrap();
        assert!(app.spawn().is_err());
    }
}

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

#[test]
fn origins_are_compared_with_the_host_that_the_client_asked_for() {
    let app = App::new()
        .trust_proxies(proxies())
        .with(OriginGuard::new())
        .post("/change", |_request, reply| reply.text("changed"))
        .websocket("/socket", |_request| Ok(Echo));
    let running = Running::start(app);
    let post = |origin: &str, told: &str| {
        let head = "POST /change HTTP/1.1\r\nHost: inner\r\nContent-Length: 0\r\n";
        running
            .exchange(&format!("{head}Origin: {origin}\r\n{told}\r\n"))
            .status
    };
    assert_eq!(post("https://a.example", TOLD), 200);
    assert_eq!(post("https://inner", TOLD), 403);
    assert_eq!(post("https://a.example", ""), 403);
    let open = |origin: &str| {
        let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
        let fields = format!("{upgrade}Origin: {origin}\r\n{TOLD}");
        running.exchange(&get("/socket", &fields)).status
    };
    assert_eq!(
        (open("https://a.example"), open("https://inner")),
        (101, 403)
    );
}

#[test]
fn a_client_named_by_the_proxy_protocol_is_judged_like_a_peer() {
    let options = ListenOptions::DEFAULT
        .with_proxies(["127.0.0.1".parse().unwrap()])
        .with_proxy_protocol(true);
    let trusted = TrustedProxies::new(["10.0.0.1".parse().unwrap()])
        .x_forwarded_for()
        .x_forwarded_proto();
    let app = App::new()
        .listen_options(options)
        .trust_proxies(trusted)
        .get("/", |request, reply| reply.text(seen(request)));
    let running = Running::start(app);
    let ask = |named: &str| {
        let header = format!("PROXY TCP4 {named} 127.0.0.1 555 80\r\n");
        running.exchange(&(header + &get("/", TOLD))).body
    };
    let base = "Some(\"http://inner\")";
    assert_eq!(
        ask("192.0.2.1"),
        format!("Some(\"192.0.2.1:555\") None http {base}")
    );
    let seen = ask("10.0.0.1");
    assert_eq!(
        seen,
        "Some(\"192.0.2.7:0\") Some(10.0.0.1) https Some(\"https://inner\")"
    );
}

#[test]
fn the_share_of_one_address_is_the_clients() {
    use barewire::net::Limits;
    // Blocking jobs of one address: the first client's place is taken for good.
    let limits = Limits::DEFAULT.with_sessions(barewire::net::Share {
        all: 100,
        address: 1,
        connection: 100,
    });
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let app = App::new()
        .limits(limits)
        .trust_proxies(proxies())
        .get("/", move |_, reply| {
            let wait = wait.clone();
            reply.blocking(move || {
                let _ = wait.lock().unwrap().recv();
                barewire::app::Response::text("done")
            })
        });
    let running = Running::start(app);
    let ask = |client: &str| get("/", &format!("X-Forwarded-For: {client}\r\n"));
    let mut first = running.connect();
    first.write_all(ask("192.0.2.1").as_bytes()).unwrap();
    crate::app_support::wait_until("the first is refused a second place", || {
        let mut again = running.connect();
        again.write_all(ask("192.0.2.1").as_bytes()).unwrap();
        again
            .set_read_timeout(Some(core::time::Duration::from_millis(200)))
            .unwrap();
        let mut line = [0; 12];
        std::io::Read::read_exact(&mut again, &mut line).is_ok() && &line == b"HTTP/1.1 503"
    });
    let mut other = running.connect();
    other.write_all(ask("192.0.2.2").as_bytes()).unwrap();
    for _ in 0..100 {
        let _ = release.send(());
    }
    read_until(&mut other, "done");
    read_until(&mut first, "done");
}

#[test]
fn ids_and_traces_are_kept_from_those_who_are_trusted() {
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = lines.clone();
    let log = AccessLog::to(move |line| sink.lock().unwrap().push_str(line));
    let app = App::new()
        .trust_proxies(proxies())
        .with(log.json())
        .with(RequestIds::new())
        .with(Traces::new().continuing_from([]))
        .get("/", |request, reply| {
            let trace = request.trace().unwrap().to_string();
            reply.text(format!("{} {trace}", request.request_id().unwrap()))
        });
    let running = Running::start(app);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let told = format!("X-Request-Id: abc-1\r\ntraceparent: {parent}\r\n");
    let answer = running.exchange(&get("/", &told));
    assert_eq!(answer.header("x-request-id"), "abc-1");
    let (id, ours) = answer.body.split_once(' ').unwrap();
    assert!(
        id == "abc-1" && ours.contains(trace) && ours.ends_with("-01"),
        "{ours}"
    );
    assert!(!ours.contains("00f067aa0ba902b7"), "{ours}");
    for wrong in ["a b", "", "a\r\nX-Request-Id: b", &"x".repeat(129), "a\"b"] {
        let answer = running.exchange(&get("/", &format!("X-Request-Id: {wrong}\r\n")));
        let id = answer.header("x-request-id");
        assert!(
            id.len() == 32 && id.bytes().all(|it| it.is_ascii_hexdigit()),
            "{id}"
        );
        assert!(answer.body.starts_with(&id), "{}", answer.body);
        assert!(answer.body.ends_with("-00"), "{}", answer.body);
    }
    drop(running);
    let lines = lines.lock().unwrap().clone();
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["id"], &first["trace"]),
        (&"abc-1".into(), &trace.into())
    );

    // Nobody is trusted.
    let app = App::new()
        .with(RequestIds::new())
        .get("/", |request, reply| {
            reply.text(request.request_id().unwrap())
        });
    let answer = Running::start(app).exchange(&get("/", &told));
    assert!(answer.body.len() == 32 && answer.header("x-request-id") == answer.body);

    // New traces as they are wanted, and ids under another name.
    let networks = ["127.0.0.0/8".parse().unwrap()];
    let ids = RequestIds::new().header("X-Correlation-Id").trust(networks);
    let app = App::new().with(ids).with(Traces::new().sampled());
    let app = app.get("/", |request, reply| {
        reply.text(request.trace().unwrap().to_string())
    });
    let running = Running::start(app);
    let answer = running.exchange(&get("/", "X-Correlation-Id: abc\r\n"));
    assert_eq!(answer.header("x-correlation-id"), "abc");
    assert!(answer.body.ends_with("-01"), "{}", answer.body);
    let wrong = App::new().with(RequestIds::new().header("no name"));
    assert!(wrong.listen("127.0.0.1:0").unwrap().spawn().is_err());
}

#[cfg(unix)]
#[test]
fn a_proxy_on_a_unix_domain_socket_is_trusted_if_that_is_said() {
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;
    let path = std::env::temp_dir().join(format!("barewire-proxies-{}", std::process::id()));
    for trusted in [false, true] {
        let mut proxies = proxies();
        if trusted {
            proxies = proxies.unix_sockets();
        }
        let app = App::new()
            .trust_proxies(proxies)
            .get("/", |request, reply| reply.text(seen(request)));
        let place = format!("unix:{}", path.display());
        let server = app.listen(&place).unwrap().spawn().unwrap();
        let mut stream = UnixStream::connect(&path).unwrap();
        let fields = format!("Connection: close\r\n{TOLD}");
        stream.write_all(get("/", &fields).as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        drop(stream);
        let expected = match trusted {
            true => "Some(\"192.0.2.7:0\") None https Some(\"https://a.example\")",
            false => "Some(\"unix:\") None http Some(\"http://inner\")",
        };
        assert_eq!(Answer::new(&answer).body, expected);
        server.handle().shutdown(None);
        server.join().unwrap();
    }
}

/// Notes whom each call was of.
struct Ended(Arc<Mutex<Vec<String>>>);

impl Interceptor for Ended {
    fn after(&self, ended: &mut CallEnd<'_>) {
        let peer = ended.peer().map(|it| it.to_string());
        self.0.lock().unwrap().push(peer.unwrap_or_default());
    }
}

/// Says who asks when the head has left already.
struct Late;

impl Streaming for Late {
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        stream.after(core::time::Duration::from_millis(1), 0);
    }

    fn timer(&mut self, stream: &mut Stream<'_, '_>, _token: u32) {
        let peer = stream.peer().map(|it| it.to_string());
        stream.write(peer.unwrap_or_default().as_bytes());
        stream.finish();
    }
}

#[test]
fn calls_streams_and_sessions_see_the_client() {
    let calls = Arc::<Mutex<Vec<String>>>::default();
    let service = Service::new("t.T").intercept(Ended(calls.clone())).unary(
        "Who",
        |_message: Vec<u8>, call| {
            let peer = call.peer().map(|it| it.to_string());
            Ok(peer.unwrap_or_default().into_bytes())
        },
    );
    let app = App::new()
        .trust_proxies(proxies())
        .grpc(service)
        .get("/late", |_request, reply| reply.stream(Late))
        .websocket("/socket", |_request| Ok(Echo));
    let hub = app.hub();
    let running = Running::start(app);
    let fields = "X-Forwarded-For: 192.0.2.7\r\n";
    let told = grpc::call(&running, "/t.T/Who", fields, &["hi"]);
    assert_eq!(told[0], grpc::message("192.0.2.7:0"));
    assert_eq!(*calls.lock().unwrap(), ["192.0.2.7:0"]);
    let late = running.exchange(&get("/late", fields)).body;
    assert!(late.contains("192.0.2.7:0"), "{late}");
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let mut socket = running.connect();
    let request = get("/socket", &format!("{upgrade}{fields}"));
    socket.write_all(request.as_bytes()).unwrap();
    read_until(&mut socket, "\r\n\r\n");
    let sessions = hub.sessions();
    let peer = sessions[0].peer.map(|it| it.to_string());
    assert_eq!(peer.as_deref(), Some("192.0.2.7:0"));
}

#[cfg(feature = "client")]
#[test]
fn clients_pass_a_trace_on() {
    use barewire::client::{CallOptions, Channel, Client};
    use barewire::http::TraceContext;
    let told = |fields: barewire::http::Fields<'_>| {
        let trace = TraceContext::of(&fields).unwrap();
        format!("{trace} {}", trace.state())
    };
    let service = Service::new("t.T").unary("Trace", |_message: Vec<u8>, call| {
        let field = |name| call.metadata(name).unwrap_or_default();
        Ok(format!("{} {}", field("traceparent"), field("tracestate")).into_bytes())
    });
    let app = App::new()
        .get("/", move |request, reply| {
            reply.text(told(request.headers()))
        })
        .grpc(service);
    let running = Running::start(app);
    let base = format!("http://{}", running.server().local_addresses()[0]);
    let list = [
        Field::new(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        Field::new("tracestate", "rojo=1,congo=2"),
    ];
    let trace = TraceContext::of(&barewire::http::Fields::new(&list)).unwrap();
    let ours = trace.child([7; 8]).unwrap();
    let expected = format!("{ours} rojo=1,congo=2");
    let response = Client::new().get(&base).trace(&ours).send().unwrap();
    assert_eq!(response.text().unwrap(), expected);
    let channel = Channel::connect(&base).unwrap();
    let options = CallOptions::new().trace(&ours);
    let response = channel
        .unary::<Vec<u8>, Vec<u8>>("/t.T/Trace", &Vec::new(), options)
        .unwrap();
    assert_eq!(response.message, expected.as_bytes());
}
