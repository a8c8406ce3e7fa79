//! The typed client against the typed server, in every protocol that both speak.

use std::sync::mpsc;
use std::time::Duration;

use barewire::app::{App, RouteKind, Server};
use barewire::client::{
    CallListener, CallOptions, CallResponse, Channel, Client, Ending, GrpcChannelOptions, Outgoing,
};
use barewire::grpc::{Code, Proto, Protocol};
use prost_types::Timestamp;
use typed_service::protos::common::Text;
use typed_service::protos::greet::v1::greeter_client::GreeterClient;
use typed_service::protos::greet::v1::greeter_server::{self, Greeter};
use typed_service::protos::greet::v1::hello_request::Options;
use typed_service::protos::greet::v1::{Greeting, HelloRequest, RepeatRequest};
use typed_service::protos::http_echo_client::HttpEchoClient;

fn serve(app: App) -> (Server, String) {
    let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let target = format!("http://{}", server.local_addresses()[0]);
    (server, target)
}

fn options() -> CallOptions {
    CallOptions::new().timeout(Duration::from_secs(30))
}

fn hello(name: &str) -> HelloRequest {
    HelloRequest {
        name: name.into(),
        options: None,
    }
}

fn text(text: &str) -> Text {
    Text { text: text.into() }
}

fn channel(target: &str) -> Channel {
    Channel::connect_with(target, GrpcChannelOptions::new().no_proxy()).unwrap()
}

/// Channels of each protocol, and whether streams flow both ways there.
fn channels(target: &str) -> Vec<(Channel, bool)> {
    let both = [
        (Protocol::Grpc, false),
        (Protocol::GrpcWeb, false),
        (Protocol::GrpcWeb, true),
        (Protocol::Connect, false),
        (Protocol::Connect, true),
    ];
    both.into_iter()
        .map(|(protocol, http1)| {
            let options = GrpcChannelOptions::new().no_proxy().protocol(protocol);
            let options = if http1 { options.http1() } else { options };
            let channel = Channel::connect_with(target, options).unwrap();
            (channel, protocol != Protocol::GrpcWeb && !http1)
        })
        .collect()
}

#[test]
fn each_kind_of_method_is_called_in_each_protocol() {
    let (_server, target) = serve(typed_service::app().unwrap());
    for (channel, flows_both_ways) in channels(&target) {
        let client = GreeterClient::new(channel);

        let loud = Some(Options { loud: true });
        let request = HelloRequest {
            options: loud,
            ..hello("Ann")
        };
        let greeting = client.say_hello(&request, options()).unwrap().message;
        assert_eq!(greeting.text, "HELLO, ANN!");
        let refused = client.say_hello(&hello(""), options()).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);

        let request = RepeatRequest {
            name: "Ann".into(),
            times: 2,
        };
        let days = client.repeat(&request, options()).unwrap();
        let days: Vec<_> = days.map(|it| it.unwrap().text).collect();
        assert_eq!(days, ["Day 1: hello, Ann!", "Day 2: hello, Ann!"]);

        if flows_both_ways {
            let mut chat = client.chat(options()).unwrap();
            chat.send(&text("one")).unwrap();
            assert_eq!(chat.receive().unwrap(), Some(text("one")));
            chat.send(&text("two")).unwrap();
            let mut rest = chat.close_sending();
            assert_eq!(rest.receive().unwrap(), Some(text("two")));
            assert_eq!(rest.receive().unwrap(), None);
        }
        let mut everybody = client.greet_all(options()).unwrap();
        everybody.send(&hello("Ann")).unwrap();
        everybody.send(&hello("Bob")).unwrap();
        let greeting = everybody.finish().unwrap().message;
        assert_eq!(greeting.text, "Hello, Ann and Bob!");
    }
}

#[test]
fn answers_come_later_and_by_futures() {
    let (_server, target) = serve(typed_service::app().unwrap());
    for (channel, _) in channels(&target) {
        let client = GreeterClient::new(channel);
        let later = client.say_later(&hello("Ann"), options()).unwrap();
        let polled = client.say_async(&hello("Ann"), options()).unwrap();
        assert_eq!(later.message.text, "Hello, Ann!");
        assert_eq!(polled.message.text, "Hello, Ann!");
        let later = client.say_later(&hello(""), options()).unwrap_err();
        let polled = client.say_async(&hello(""), options()).unwrap_err();
        assert_eq!([later.code(), polled.code()], [Code::InvalidArgument; 2]);
    }
}

#[test]
fn names_types_and_packages_are_those_of_rust() {
    let (_server, target) = serve(typed_service::app().unwrap());
    let channel = channel(&target);
    let client = GreeterClient::new(channel.clone());
    // A keyword, and the empty message.
    client.r#type(&(), options()).unwrap();
    // A name that the client has taken, and a message of another crate.
    let time = Proto(Timestamp {
        seconds: 7,
        nanos: 0,
    });
    let same = client.new_(&time, options()).unwrap().message;
    assert_eq!(same, time);
    // A service without a package.
    let unwritten = HttpEchoClient::new(channel).say(&text("a"), options());
    assert_eq!(unwritten.unwrap_err().code(), Code::Unimplemented);
}

#[test]
#[expect(deprecated)]
fn a_method_that_is_not_written_is_unimplemented_and_may_be_deprecated() {
    struct Nothing;
    impl Greeter for Nothing {}
    let (_server, target) = serve(App::new().grpc(greeter_server::service(Nothing)));
    for (channel, _) in channels(&target) {
        let client = GreeterClient::new(channel);
        let nested = client.forgotten(&Options { loud: true }, options());
        let stream = client.repeat(&RepeatRequest::default(), options()).unwrap();
        let requests = client.greet_all(options()).unwrap();
        let codes = [
            nested.unwrap_err().code(),
            stream.map(|it| it.unwrap_err().code()).next().unwrap(),
            requests.finish().unwrap_err().code(),
        ];
        assert_eq!(codes, [Code::Unimplemented; 3]);
    }
}

/// Gathers what a call gives.
struct Gathering {
    texts: Vec<String>,
    done: mpsc::Sender<(Vec<String>, Code)>,
}

impl CallListener for Gathering {
    type Request = RepeatRequest;
    type Response = Greeting;

    fn message(&mut self, message: Greeting, _call: &Outgoing<RepeatRequest>) {
        self.texts.push(message.text);
    }

    fn end(self, ending: Ending) {
        let _ = self.done.send((self.texts, ending.code()));
    }
}

/// Answers each text with the next, twice.
struct Talking(u32, mpsc::Sender<(u32, Code)>);

impl CallListener for Talking {
    type Request = Text;
    type Response = Text;

    fn message(&mut self, message: Text, call: &Outgoing<Text>) {
        self.0 += 1;
        match self.0 {
            1..3 => drop(call.send(&message)),
            _ => call.close_sending(),
        }
    }

    fn end(self, ending: Ending) {
        let _ = self.1.send((self.0, ending.code()));
    }
}

#[test]
fn calls_that_never_block_are_typed_as_well() {
    let (_server, target) = serve(typed_service::app().unwrap());
    let client = GreeterClient::new(channel(&target));
    let calls = client.on_loop();

    let (send, receive) = mpsc::channel();
    let done = move |result: Result<CallResponse<Greeting>, Ending>| {
        let _ = send.send(result.map(|it| it.message.text));
    };
    calls.say_hello(&hello("Ann"), options(), done).unwrap();
    assert_eq!(receive.recv().unwrap().unwrap(), "Hello, Ann!");

    let (done, receive) = mpsc::channel();
    let request = RepeatRequest {
        name: "Ann".into(),
        times: 1,
    };
    let listener = Gathering {
        texts: Vec::new(),
        done,
    };
    calls.repeat(&request, options(), listener).unwrap();
    let told = receive.recv().unwrap();
    assert_eq!(told, (vec!["Day 1: hello, Ann!".into()], Code::Ok));

    let (done, receive) = mpsc::channel();
    let call = calls.chat(options(), Talking(0, done)).unwrap();
    call.send(&text("again")).unwrap();
    assert_eq!(receive.recv().unwrap(), (3, Code::Ok));
}

#[test]
fn connect_speaks_json_and_uses_get_where_the_file_says_so() {
    let (_server, target) = serve(typed_service::app().unwrap());
    let http = Client::new();
    let url = format!("{target}/greet.v1.Greeter/SayHello");
    let posted = http.post(&url).header("Content-Type", "application/json");
    let posted = posted
        .body(r#"{"name": "Ann", "options": {"loud": true}}"#)
        .send()
        .unwrap();
    assert_eq!(posted.text().unwrap(), r#"{"text":"HELLO, ANN!"}"#);

    let query = "?connect=v1&encoding=json&message=%7B%22name%22%3A%22Ann%22%7D";
    let got = http.get(format!("{url}{query}")).send().unwrap();
    assert_eq!(got.headers().get_str("cache-control"), Some("max-age=60"));
    assert_eq!(got.text().unwrap(), r#"{"text":"Hello, Ann!"}"#);

    let options_of_channel = GrpcChannelOptions::new()
        .no_proxy()
        .protocol(Protocol::Connect);
    let channel = Channel::connect_with(&target, options_of_channel.http1()).unwrap();
    let client = GreeterClient::new(channel);
    let got = client
        .say_hello(&hello("Ann"), options().http_get())
        .unwrap();
    assert_eq!(got.metadata().get_str("cache-control"), Some("max-age=60"));
}

#[test]
fn the_table_of_routes_names_each_method_with_its_types() {
    let routes = typed_service::app().unwrap().routes();
    let say = routes
        .iter()
        .find(|it| it.name() == Some("greet.v1.Greeter.SayHello"))
        .unwrap();
    assert_eq!((say.method(), say.kind()), (Some("GET"), RouteKind::Unary));
    let request = "typed_service::protos::greet::v1::HelloRequest";
    assert_eq!(say.request_type(), Some(request));
    let chat = routes
        .iter()
        .find(|it| it.pattern() == "/greet.v1.Greeter/Chat")
        .unwrap();
    assert_eq!(chat.kind(), RouteKind::Bidirectional);
    assert_eq!(
        chat.response_type(),
        Some("typed_service::protos::common::Text")
    );
}
