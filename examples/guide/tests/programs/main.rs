//! Starts each program of the guide, and asks it.

mod running;

use std::time::Duration;

use barewire::client::{
    CallOptions, Channel, Client, ClientOptions, EventSource, EventSourceOptions,
};
use barewire::grpc::{Code, Json, Proto};
use barewire::http::Status;
use barewire::tls::{self, Roots};
use running::Program;
use tungstenite::Message;
use tungstenite::client::IntoClientRequest;

/// A program whose address is its one argument.
macro_rules! start {
    ($name:literal) => {
        Program::start(
            env!(concat!("CARGO_BIN_EXE_", $name)),
            &["127.0.0.1:0"],
            &[],
        )
    };
}

fn get(url: &str) -> String {
    Client::new().get(url).send().unwrap().text().unwrap()
}

fn status(url: &str) -> u16 {
    Client::new().get(url).send().unwrap().status().code()
}

fn text(socket: &mut tungstenite::WebSocket<impl std::io::Read + std::io::Write>) -> String {
    match socket.read().unwrap() {
        Message::Text(text) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn chapter_1_says_hello() {
    let program = start!("01_hello");
    assert_eq!(get(&program.url("/")), "Hello, World!");
    assert_eq!(get(&program.url("/hello/Ann")), "Hello, Ann!");
    assert_eq!(
        get(&program.url("/hello/Ann?greeting=Good+day")),
        "Good day, Ann!"
    );
    assert_eq!(status(&program.url("/nowhere")), 404);
    let client = Client::new();
    let echo = client
        .post(program.url("/echo"))
        .header("Content-Type", "text/csv");
    let echo = echo.body("a,b").send().unwrap();
    assert_eq!(echo.header("content-type"), Some("text/csv"));
    assert_eq!(echo.text().unwrap(), "a,b");
    let wrong = client.delete(program.url("/echo")).send().unwrap();
    assert_eq!(wrong.status(), Status::METHOD_NOT_ALLOWED);
}

#[test]
fn chapter_2_keeps_notes_of_those_with_a_key() {
    let program = start!("02_state");
    let client = Client::new();
    let write = || client.post(program.url("/mine/notes")).body("buy tea");
    let refused = write().send().unwrap();
    assert_eq!(refused.status(), Status::UNAUTHORIZED);
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    let written = write().header("X-Api-Key", "4711").send().unwrap();
    assert_eq!(written.status(), Status::CREATED);
    let malformed = client.post(program.url("/mine/notes")).body(&b"\xff"[..]);
    let malformed = malformed.header("X-Api-Key", "4711").send().unwrap();
    assert_eq!(malformed.status(), Status::BAD_REQUEST);
    let notes: Vec<String> = client
        .get(program.url("/notes"))
        .send()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(notes, ["Ann: buy tea"]);
}

#[test]
fn chapter_3_waits_without_holding_others_up() {
    let program = start!("03_blocking");
    assert_eq!(get(&program.url("/users/7")), "Ann");
    assert_eq!(status(&program.url("/users/8")), 404);
    assert_eq!(status(&program.url("/users/x")), 400);
    assert_eq!(get(&program.url("/prices/tea")), "3");
    assert_eq!(status(&program.url("/prices/tar")), 404);
    let lines = Client::new()
        .post(program.url("/lines"))
        .body("a\nb")
        .send()
        .unwrap();
    assert_eq!(lines.text().unwrap(), "2");
}

#[test]
fn chapter_4_answers_on_a_websocket() {
    let program = start!("04_sockets");
    let (mut socket, _) = tungstenite::connect(program.websocket("/ws")).unwrap();
    assert_eq!(text(&mut socket), "hello");
    for (said, answer) in [("tea", "tea"), ("count", "2"), ("compute", "500500")] {
        socket.send(Message::text(said)).unwrap();
        assert_eq!(text(&mut socket), answer);
    }
    socket.send(Message::text("bye")).unwrap();
    let Message::Close(Some(frame)) = socket.read().unwrap() else {
        panic!("no close frame");
    };
    assert_eq!(
        (u16::from(frame.code), frame.reason.as_str()),
        (1000, "bye")
    );

    let mut foreign = program.websocket("/ws").into_client_request().unwrap();
    let origin = "https://evil.example".parse().unwrap();
    foreign.headers_mut().insert("Origin", origin);
    let Err(tungstenite::Error::Http(refused)) = tungstenite::connect(foreign) else {
        panic!("a page of another origin is let in");
    };
    assert_eq!(refused.status(), 403);
}

#[test]
fn chapter_5_shares_a_channel() {
    let program = start!("05_channels");
    let publish = |text: &'static str| {
        let request = Client::new().post(program.url("/publish")).body(text);
        assert_eq!(request.send().unwrap().status(), Status::ACCEPTED);
    };
    let (mut ann, _) = tungstenite::connect(program.websocket("/ws/Ann")).unwrap();
    let (mut ben, _) = tungstenite::connect(program.websocket("/ws/Ben")).unwrap();
    while get(&program.url("/present")) != r#"["Ann","Ben"]"# {}
    publish("first");
    assert_eq!(text(&mut ann), "first");
    assert_eq!(text(&mut ben), "first");
    ann.send(Message::text("second")).unwrap();
    assert_eq!(text(&mut ben), "second");

    let mut events = EventSource::connect(program.url("/events")).unwrap();
    // Until it is a member nothing comes: publications are numbered from 1 on.
    let (last, first) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let event = events.next().unwrap().unwrap();
            (event.last_event_id.to_string(), event.data.to_string())
        });
        while !get(&program.url("/present")).contains("reader") {}
        publish("third");
        reader.join().unwrap()
    });
    assert_eq!(first, "third");
    publish("fourth");
    drop(events);
    let request = Client::new()
        .get(program.url("/events"))
        .header("Last-Event-ID", &last);
    let mut events = EventSource::new(request, EventSourceOptions::new()).unwrap();
    assert_eq!(events.next().unwrap().unwrap().data, "fourth");
}

#[derive(Clone, PartialEq, prost::Message)]
struct HelloRequest {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint32, tag = "2")]
    times: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct HelloReply {
    #[prost(string, tag = "1")]
    message: String,
}

#[test]
fn chapter_6_greets_by_grpc_and_adds_by_connect() {
    let program = start!("06_grpc");
    let channel = Channel::connect(&program.url("")).unwrap();
    let hello = |name: &str, times| {
        Proto(HelloRequest {
            name: name.into(),
            times,
        })
    };
    let options = CallOptions::new();
    let reply = channel.unary("/guide.Greeter/SayHello", &hello("Ann", 0), options.clone());
    let Proto(HelloReply { message }) = reply.unwrap().into_message();
    assert_eq!(message, "Hello, Ann!");
    let refused = channel.unary::<_, Proto<HelloReply>>(
        "/guide.Greeter/SayHello",
        &hello("", 0),
        options.clone(),
    );
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    let replies = channel.server_streaming::<_, Proto<HelloReply>>(
        "/guide.Greeter/SayHellos",
        &hello("Ann", 3),
        options.clone(),
    );
    assert_eq!(replies.unwrap().filter(Result::is_ok).count(), 3);
    let numbers = Json(serde_json::json!({"numbers": [1.5, 2.5]}));
    let sum = channel.unary::<_, Json<f64>>("/guide.Sums/Add", &numbers, options);
    assert_eq!(sum.unwrap().into_message().0, 4.0);
    let sum = Client::new()
        .post(program.url("/guide.Sums/Add"))
        .json(&numbers.0);
    assert_eq!(sum.send().unwrap().text().unwrap(), "4.0");
}

#[test]
fn chapter_7_executes_operations() {
    let program = start!("07_graphql");
    let client = Client::new();
    let ask = |query: &str| {
        let request = client.post(program.url("/graphql"));
        let request = request.json(&serde_json::json!({ "query": query }));
        request.send().unwrap().json::<serde_json::Value>().unwrap()
    };
    assert_eq!(ask("mutation { drink(cups: 2) }")["data"]["drink"], 2);
    assert_eq!(ask("{ cups }")["data"]["cups"], 2);
    let events = client
        .get(program.url("/graphql"))
        .query("query", "subscription { countdown(from: 3) }")
        .header("Accept", "text/event-stream");
    let events = events.send().unwrap().text().unwrap();
    assert_eq!(events.matches("event: next").count(), 3, "{events}");
    assert!(events.contains("event: complete"), "{events}");
}

#[test]
fn chapter_8_asks_everything() {
    let printed = running::output(env!("CARGO_BIN_EXE_08_clients"));
    for line in [
        "cups: 3",
        "POST: 201",
        "websocket: one",
        "reconnecting: two",
        "receipt: true",
        "event: first",
        "event: second",
        "sum: 6",
    ] {
        assert!(
            printed.lines().any(|it| it.starts_with(line)),
            "{line:?} in {printed}"
        );
    }
}

#[test]
fn chapter_9_speaks_tls_and_reloads() {
    let folder = std::env::temp_dir().join(format!("guide-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let [chain, key] = ["chain.pem", "key.pem"].map(|name| folder.join(name));
    let renew = || {
        let made = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        std::fs::write(&chain, made.cert.pem()).unwrap();
    };
    let client = || {
        let roots = Roots::read(&chain).unwrap();
        let tls = tls::ClientOptions::new().root_certs(roots);
        let tls = tls::Client::new(tls).unwrap();
        Client::with(ClientOptions::new().tls(tls)).unwrap()
    };
    renew();
    let arguments = [
        "127.0.0.1:0",
        "127.0.0.1:0",
        chain.to_str().unwrap(),
        key.to_str().unwrap(),
    ];
    let mut program = Program::start(env!("CARGO_BIN_EXE_09_tls"), &arguments, &[]);
    assert_eq!(get(&program.url("/")), "in the clear");
    let secure = program.line().replace("127.0.0.1", "localhost");
    let answer = client().get(&secure).send().unwrap().text().unwrap();
    assert!(
        answer.starts_with("TLS 1.3") || answer.starts_with("TLSv1.3"),
        "{answer}"
    );

    renew();
    assert!(
        client().get(&secure).send().is_err(),
        "the new one is not known yet"
    );
    program.signal("HUP");
    while client().get(&secure).send().is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

fn production(turn: &str) -> Program {
    let environment = [
        ("TURN", turn),
        ("DRAIN", "60"),
        ("PROXY_PROTOCOL_FROM", "10.0.0.0/8"),
    ];
    let program = env!("CARGO_BIN_EXE_10_production");
    Program::start(program, &["127.0.0.1:0"], &environment)
}

#[test]
fn chapter_10_turns_its_health_before_it_stops() {
    let program = production("600");
    assert_eq!(get(&program.url("/")), "Hello, 127.0.0.1!");
    assert_eq!(status(&program.url("/health/live")), 200);
    assert_eq!(status(&program.url("/health/ready")), 200);
    assert!(get(&program.url("/metrics")).contains("barewire_http_requests_total"));
    program.signal("TERM");
    while status(&program.url("/health/ready")) != 503 {}
    assert_eq!(get(&program.url("/")), "Hello, 127.0.0.1!", "still served");
}

#[test]
fn chapter_10_ends_well() {
    let mut program = production("0");
    assert_eq!(get(&program.url("/")), "Hello, 127.0.0.1!");
    program.signal("TERM");
    assert!(program.wait().success());
}

#[test]
fn the_rest_api_checks_who_asks_and_what() {
    let program = start!("rest_api");
    let client = Client::new();
    let notes = program.url("/api/notes");
    let refused = client.get(&notes).send().unwrap();
    assert_eq!(refused.status(), Status::UNAUTHORIZED);
    assert!(
        refused
            .header("www-authenticate")
            .unwrap()
            .starts_with("Bearer")
    );

    let create = |body: &'static str| {
        let request = client.post(&notes).bearer_auth("secret-of-ann");
        let request = request.header("Content-Type", "application/json");
        request.body(body).send().unwrap()
    };
    for (body, status) in [
        ("{", Status::BAD_REQUEST),
        (r#"{"title": " "}"#, Status::UNPROCESSABLE_CONTENT),
    ] {
        assert_eq!(create(body).status(), status, "{body}");
    }
    assert!(
        !create(r#"{"title": "tea", "owner": "Ben"}"#)
            .status()
            .is_successful()
    );
    let created = create(r#"{"title": "buy tea"}"#);
    assert_eq!(created.status(), Status::CREATED);
    let place = program.url(created.header("location").unwrap());
    let note = created.text().unwrap();
    assert_eq!(
        note,
        r#"{"id":1,"owner":"Ann","title":"buy tea","done":false}"#
    );

    let replace = client.put(&place).bearer_auth("secret-of-ben");
    let replaced = replace.json(&serde_json::json!({"title": "tea", "done": true}));
    assert_eq!(replaced.send().unwrap().status(), Status::OK);
    let list = |query: &str| {
        let request = client
            .get(format!("{notes}{query}"))
            .bearer_auth("secret-of-ben");
        let all = request.send().unwrap().json::<serde_json::Value>().unwrap();
        all.as_array().unwrap().len()
    };
    assert_eq!(
        (list(""), list("?done=true"), list("?done=false")),
        (1, 1, 0)
    );
    let delete = || {
        client
            .delete(&place)
            .bearer_auth("secret-of-ann")
            .send()
            .unwrap()
            .status()
    };
    assert_eq!(
        (delete(), delete()),
        (Status::NO_CONTENT, Status::NOT_FOUND)
    );

    // A preflight carries no token.
    let preflight = client
        .request("OPTIONS", &notes)
        .header("Origin", "https://app.example.org")
        .header("Access-Control-Request-Method", "PUT")
        .send()
        .unwrap();
    let allowed = preflight.header("access-control-allow-origin");
    assert_eq!(allowed, Some("https://app.example.org"));
    assert!(get(&program.url("/")).contains("<title>Notes</title>"));
}
