//! Apps that share their channels: what their clients see.

use std::net::TcpStream;
use std::time::Duration;

use barewire::app::{
    App, ChannelOptions, History, Hub, Join, Message, Metrics, RedisBackplane, RedisOptions,
    Server as Running, Socket, WebSocket,
};
use barewire::net::{Address, Limits};
use tungstenite::WebSocket as Client;

use crate::member::quick;
use crate::server::{Server, is_there, until};

/// A member of `tea`, who publishes what it says.
struct Member(String);

impl WebSocket for Member {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        socket.join_with("tea", &Join::new().user(&self.0)).unwrap();
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.publish("tea", message);
    }
}

struct Machine {
    running: Option<Running>,
    hub: Hub,
    metrics: Metrics,
}

impl Machine {
    fn start(server: &Server, options: ChannelOptions, limits: Limits) -> Self {
        let redis = quick(RedisOptions::at(&server.address()).unwrap());
        let redis = RedisBackplane::new(redis).unwrap();
        let app = App::new()
            .channel("tea", options)
            .backplane(redis)
            .threads(2)
            .limits(limits)
            .websocket("/ws", |request| {
                Ok(Member(request.query_value("as").unwrap_or_default().into()))
            });
        let (hub, metrics) = (app.hub(), app.metrics());
        let running = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
        let running = Some(running);
        Self {
            running,
            hub,
            metrics,
        }
    }

    fn client(&self, user: &str) -> Client<TcpStream> {
        let [Address::Tcp(address)] = self.running.as_ref().unwrap().local_addresses() else {
            panic!()
        };
        let stream = TcpStream::connect(address).unwrap();
        let url = format!("ws://a/ws?as={user}");
        tungstenite::client(url, stream).unwrap().0
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.handle().shutdown(Duration::ZERO);
            let _ = running.join();
        }
    }
}

fn read(client: &mut Client<TcpStream>) -> String {
    client.read().unwrap().into_text().unwrap().to_string()
}

#[test]
fn others_are_told_who_comes_and_goes_on_another_machine() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let kept = ChannelOptions::new().history(History::DEFAULT);
    for options in [ChannelOptions::new(), kept] {
        server.ask(&["FLUSHALL"]);
        let machine = || Machine::start(&server, options.clone().notices(), Limits::DEFAULT);
        let (one, two) = (machine(), machine());
        let mut bob = two.client("bob");
        until(|| two.hub.presence_count("tea").sessions == 1);
        // Bob is not told of himself: first comes what is told of Ann.
        let name = barewire::redis::Names::new("barewire", "tea");
        let name = std::str::from_utf8(name.channel()).unwrap().to_owned();
        until(|| {
            server
                .ask(&["PUBSUB", "SHARDNUMSUB", &name])
                .ends_with(":1")
        });
        let ann = one.client("ann");
        let told = read(&mut bob);
        assert!(
            told.contains("\"joined\"") && told.contains("\"ann\""),
            "{told}"
        );
        drop(ann);
        let told = read(&mut bob);
        assert!(
            told.contains("\"left\"") && told.contains("\"ann\""),
            "{told}"
        );
    }
}

#[test]
fn a_loop_whose_mailbox_is_full_reads_what_it_has_not_got() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let kept = || ChannelOptions::new().history(History::DEFAULT.with_publications(5_000));
    let full = Machine::start(&server, kept(), Limits::DEFAULT.with_mailbox(4));
    let other = Machine::start(&server, kept(), Limits::DEFAULT);
    let mut clients: Vec<_> = (0..4).map(|_| full.client("")).collect();
    until(|| full.hub.member_count("tea") == 4);
    for client in &mut clients {
        client.send("ready".into()).unwrap();
        while read(client) != "ready" {}
    }
    // More than a mailbox takes, while its loops are busy with what came before.
    for number in 0..3_000 {
        other.hub.publish("tea", &format!("{number}"));
    }
    for client in &mut clients {
        let mut number = 0;
        while number < 3_000 {
            let text = read(client);
            if text != "ready" {
                assert_eq!(text, number.to_string());
                number += 1;
            }
        }
    }
    assert_eq!(full.metrics.snapshot().members_lost, 0);
}
