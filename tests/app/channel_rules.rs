//! Who may join and publish, who is there, and channels whose backplane answers later.

#![cfg(feature = "net")]

use core::task::Poll;
use std::net::TcpStream;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use crate::app_support::grpc::{Talk, framed, message};
use crate::app_support::{self, Running, wait_until};
use barewire::app::{
    App, Backplane, ChannelAnswer, ChannelError, ChannelLimits, ChannelOptions, Decision, Epoch,
    History, Hub, Inlet, Join, Joined, Later, Line, Message, Past, Position, Post, Present,
    Publication, Published, ResponseStream, ServerStream, Service, Socket, Verdict, WebSocket,
};
use tungstenite::{Message as Frame, WebSocket as Client};

/// Does as it is told: `join CHANNEL USER [OFFSET]`, `all CHANNEL TEXT`, `leave CHANNEL`.
struct Told;

/// The epoch of the backplane here.
const EPOCH: Epoch = Epoch::new(77);

impl WebSocket for Told {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let words: Vec<&str> = message.as_text().unwrap().split(' ').collect();
        let answer = match words[..] {
            ["join", channel, user, ref since @ ..] => {
                let mut join = Join::new().user(user).data("here").token(5);
                if let [offset] = since {
                    join = join.since(Position::new(EPOCH, offset.parse().unwrap()));
                }
                match socket.join_with(channel, &join) {
                    Ok(Joined::Later) => "later".into(),
                    joined => told(channel, joined),
                }
            }
            ["all", channel, text] => match socket.publish(channel, Post::from(text).token(6)) {
                Published::Done { .. } => "published".into(),
                Published::Later => "later".into(),
                Published::Refused(error) => format!("refused {error}"),
            },
            ["leave", channel] => format!("left {}", socket.leave(channel)),
            _ => panic!("{words:?}"),
        };
        socket.send(&answer);
    }

    fn joined(&mut self, socket: &mut Socket<'_, '_>, answer: ChannelAnswer<'_, Joined>) {
        let text = told(answer.channel, answer.result);
        socket.send(&format!("{} {text}", answer.token));
    }

    fn published(
        &mut self,
        socket: &mut Socket<'_, '_>,
        answer: ChannelAnswer<'_, Option<Position>>,
    ) {
        let ChannelAnswer {
            channel,
            token,
            result,
            ..
        } = answer;
        let result = result.map(|position| position.map(|it| it.offset));
        socket.send(&format!("{token} published {channel} {result:?}"));
    }
}

fn told(channel: &str, joined: Result<Joined, ChannelError>) -> String {
    match joined {
        Ok(joined) => match joined.standing() {
            Some(it) => format!(
                "joined {channel} {:?} {:?}",
                it.position.map(|it| it.offset),
                it.recovered
            ),
            None => format!("{joined:?}"),
        },
        Err(error) => format!("refused {error}"),
    }
}

struct Scene {
    running: Running,
    hub: Hub,
}

struct Member(Client<TcpStream>);

impl Scene {
    fn new(app: App) -> Self {
        let hub = app.hub();
        let running = Running::start(app.websocket("/ws", |_| Ok(Told)));
        Self { running, hub }
    }

    fn client(&self) -> Member {
        Member(
            tungstenite::client("ws://a/ws", self.running.connect())
                .unwrap()
                .0,
        )
    }
}

impl Member {
    fn next(&mut self) -> String {
        loop {
            match self.0.read().unwrap() {
                Frame::Text(text) => return text.to_string(),
                Frame::Ping(_) | Frame::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn ask(&mut self, text: &str) -> String {
        self.0.send(Frame::text(text)).unwrap();
        self.next()
    }

    #[track_caller]
    fn expect<const N: usize>(&mut self, texts: [&str; N]) {
        for text in texts {
            assert_eq!(self.next(), text);
        }
    }
}

#[test]
fn a_rule_says_who_may_join_and_publish_now_or_later() {
    let (asked, asking) = channel::<(String, Decision)>();
    let asked = Arc::new(Mutex::new(asked));
    let ask_later = move |what: String, decision: Decision| {
        asked.lock().unwrap().send((what, decision)).unwrap();
        Verdict::Later
    };
    let publish_later = ask_later.clone();
    let options = ChannelOptions::new()
        .may_join(move |ask| match ask.user {
            "ann" => Verdict::Allow,
            "eve" => Verdict::Refuse,
            user => ask_later(format!("{user} joins {}", ask.channel), ask.decide_later()),
        })
        .may_publish(move |ask| match ask.payload {
            b"good" => Verdict::Allow,
            b"bad" => Verdict::Refuse,
            _ => publish_later(format!("publishes to {}", ask.channel), ask.decide_later()),
        });
    let app = App::new().channel("club.*", options);
    let limits = ChannelLimits::DEFAULT.with_joined(2);
    let scene = Scene::new(app.channel_limits(limits));
    let mut member = scene.client();
    assert_eq!(member.ask("join club.a eve"), "refused not allowed");
    assert_eq!(member.ask("join club.a ann"), "joined club.a None None");
    assert_eq!(member.ask("join club.a eve"), "Already");
    assert_eq!(member.ask("all club.a bad"), "refused not allowed");
    member.0.send(Frame::text("all club.a good")).unwrap();
    member.expect(["good", "published"]);

    let mut other = scene.client();
    for (decide, answer) in [
        (Some(true), "5 joined club.b None None"),
        (Some(false), "5 refused not allowed"),
        (None, "5 refused the backplane cannot be reached"),
    ] {
        assert_eq!(other.ask("join club.b bob"), "later");
        let (what, decision) = asking.recv().unwrap();
        assert_eq!(what, "bob joins club.b");
        match decide {
            Some(true) => decision.allow(),
            Some(false) => decision.refuse(),
            None => drop(decision),
        }
        other.expect([answer]);
        other.ask("leave club.b");
    }
    assert_eq!(other.ask("all club.a later"), "later");
    let (what, decision) = asking.recv().unwrap();
    assert_eq!(what, "publishes to club.a");
    decision.allow();
    other.expect(["6 published club.a Ok(None)"]);
    member.expect(["later"]);
    // As much may wait as a session may join.
    let mut greedy = scene.client();
    let answers = ["join club.c x", "join club.d x", "join club.e x"].map(|it| greedy.ask(it));
    assert_eq!(
        answers,
        [
            "later",
            "later",
            "refused the session publishes or joins too fast"
        ]
    );
    drop(greedy);
    drop(asking);
}

#[test]
fn a_channel_knows_who_is_there_and_says_so() {
    let app = App::new()
        .channel("tea", ChannelOptions::new().notices())
        .channel("quiet", ChannelOptions::new().presence());
    let limits = ChannelLimits::DEFAULT.with_presence(10);
    let scene = Scene::new(app.threads(2).channel_limits(limits));
    let mut watcher = scene.client();
    watcher.ask("join tea eve");
    let mut first = scene.client();
    first.ask("join tea ann");
    let notice = watcher.next();
    let joined =
        |it: &str| it.starts_with("{\"event\":\"joined\",\"channel\":\"tea\",\"session\":");
    assert!(joined(&notice), "{notice}");
    assert!(
        notice.ends_with(",\"user\":\"ann\",\"data\":\"here\"}"),
        "{notice}"
    );
    let mut second = scene.client();
    second.ask("join tea ann");
    let users = || {
        scene
            .hub
            .present("tea", None, 10)
            .into_iter()
            .map(|it| it.user)
    };
    let mut there: Vec<String> = users().collect();
    there.sort();
    assert_eq!(there, ["ann", "ann", "eve"]);
    let count = scene.hub.presence_count("tea");
    assert_eq!((count.sessions, count.users), (3, 2));
    // Of a user's sessions the last one counts.
    drop(first);
    wait_until("it is gone", || users().count() == 2);
    scene.hub.publish("tea", "between");
    drop(second);
    watcher.expect(["between"]);
    let notice = watcher.next();
    assert!(notice.starts_with("{\"event\":\"left\""), "{notice}");

    assert_eq!(watcher.ask("join quiet bob"), "joined quiet None None");
    assert_eq!(scene.hub.present("quiet", None, 10).len(), 1);
    let answer = watcher.ask("join tea2 much.too.long");
    assert_eq!(
        answer,
        "refused what the session shows is longer than the limit"
    );
    drop(watcher);
    wait_until("all are gone", || scene.hub.channel_count() == 0);
    assert_eq!(scene.hub.channel_memory(), 0);
}

/// A call that sends what is published to the channel that it names.
struct Follow(String);

impl ServerStream for Follow {
    type Message = Vec<u8>;

    fn open(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        let (channel, since) = self.0.split_once(' ').unwrap_or((&self.0, ""));
        let mut join = Join::new();
        if let Some((epoch, offset)) = since.split_once(' ') {
            let position = Position::new(epoch.parse().unwrap(), offset.parse().unwrap());
            join = join.since(position);
        }
        let joined = stream.join_with(channel, &join).unwrap();
        let position = joined.standing().unwrap().position.unwrap();
        stream.send(&position.epoch.to_string().into_bytes());
    }

    fn publication(
        &mut self,
        stream: &mut ResponseStream<'_, '_, Vec<u8>>,
        channel: &str,
        publication: &Publication,
    ) {
        let text = publication.as_text().unwrap();
        let offset = publication.position().unwrap().offset;
        stream.send(&format!("{channel} {offset} {text}").into_bytes());
    }
}

#[test]
fn a_call_follows_a_channel_and_recovers_there() {
    let app = App::new()
        .channel("kept", ChannelOptions::new().history(History::DEFAULT))
        .grpc(
            Service::new("test.Channels")
                .server_streaming_object("Follow", |channel: Vec<u8>, _call| {
                    Ok(Follow(String::from_utf8(channel).unwrap()))
                }),
        );
    let scene = Scene::new(app);
    let mut call = Talk::open(&scene.running, "/test.Channels/Follow", "");
    call.send(&framed("kept"));
    call.half_close();
    let app_support::grpc::Frame::Message(epoch) = call.next() else {
        panic!("no message");
    };
    let epoch = String::from_utf8(epoch).unwrap();
    scene.hub.publish("kept", "a");
    assert_eq!(call.next(), message("kept 1 a"));
    drop(call);
    scene.hub.publish("kept", "b");
    let mut back = Talk::open(&scene.running, "/test.Channels/Follow", "");
    back.send(&framed(format!("kept {epoch} 1")));
    back.half_close();
    assert_eq!(back.next(), message(&epoch));
    assert_eq!(back.next(), message("kept 2 b"));
    scene.hub.publish("kept", "c");
    assert_eq!(back.next(), message("kept 3 c"));
}

/// A backplane that does nothing until it is told to go on.
#[derive(Clone, Default)]
struct Slow(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    log: Vec<Publication>,
    inlet: Option<Inlet>,
    jobs: Vec<Job>,
    present: Vec<Present>,
    unsubscribed: usize,
}

enum Job {
    Publish(Publication, Later<Option<Position>>),
    History(Option<Position>, Later<Past>),
}

impl Slow {
    fn waiting(&self) -> usize {
        self.0.lock().unwrap().jobs.len()
    }

    /// Does the job of this number.
    fn go_on(&self, nth: usize) {
        let mut inner = self.0.lock().unwrap();
        match inner.jobs.remove(nth) {
            Job::Publish(publication, later) => {
                let position = Position::new(EPOCH, inner.log.len() as u64 + 1);
                let publication = publication.at(position);
                inner.log.push(publication.clone());
                let inlet = inner.inlet.clone().unwrap();
                drop(inner);
                inlet.deliver(publication);
                later.give(Ok(Some(position)));
            }
            Job::History(since, later) => {
                let head = Position::new(EPOCH, inner.log.len() as u64);
                let missed = since.map(|it| inner.log[it.offset as usize..].to_vec());
                drop(inner);
                later.give(Ok(Past { head, missed }));
            }
        }
    }
}

impl Backplane for Slow {
    fn subscribe(&self, _: &str, keep: Option<History>, inlet: Inlet) -> Box<dyn Line> {
        assert!(keep.is_some());
        self.0.lock().unwrap().inlet = Some(inlet);
        Box::new(self.clone())
    }
}

impl Line for Slow {
    fn publish(
        &self,
        publication: Publication,
        _deliver: &mut dyn FnMut(&Publication),
        later: &dyn Fn() -> Later<Option<Position>>,
    ) -> Poll<Result<Option<Position>, ChannelError>> {
        let job = Job::Publish(publication, later());
        self.0.lock().unwrap().jobs.push(job);
        Poll::Pending
    }

    fn history(
        &self,
        since: &[Position],
        later: &dyn Fn() -> Later<Past>,
    ) -> Poll<Result<Past, ChannelError>> {
        let job = Job::History(since.first().copied(), later());
        self.0.lock().unwrap().jobs.push(job);
        Poll::Pending
    }

    fn enter(&self, who: &Present) {
        self.0.lock().unwrap().present.push(who.clone());
    }

    fn leave(&self, session: u64) {
        let mut inner = self.0.lock().unwrap();
        inner.present.retain(|it| it.session != session);
    }

    fn present(
        &self,
        _most: usize,
        _later: &dyn Fn() -> Later<Vec<Present>>,
    ) -> Poll<Result<Vec<Present>, ChannelError>> {
        Poll::Ready(Ok(vec![Present::new(1, "elsewhere", "", 0)]))
    }

    fn unsubscribe(&self) {
        self.0.lock().unwrap().unsubscribed += 1;
    }

    fn is_needless(&self) -> bool {
        true
    }
}

#[test]
fn a_backplane_may_answer_later_and_nothing_is_lost_or_doubled() {
    for threads in [1, 2] {
        let slow = Slow::default();
        let options = ChannelOptions::new().history(History::DEFAULT).presence();
        let app = App::new().channel("far", options).backplane(slow.clone());
        let scene = Scene::new(app.threads(threads));
        let mut first = scene.client();
        assert_eq!(first.ask("join far ann"), "later");
        slow.go_on(0);
        first.expect(["5 joined far Some(0) None"]);
        for text in ["a", "b", "c"] {
            assert_eq!(first.ask(&format!("all far {text}")), "later");
        }
        for text in ["a", "b"] {
            slow.go_on(0);
            let mut seen = [first.next(), first.next()];
            seen.sort();
            let offset = 1 + usize::from(text == "b");
            assert_eq!(
                seen,
                [format!("6 published far Ok(Some({offset}))"), text.into()]
            );
        }
        // One joins; more is published before its history comes, and in front of that.
        let mut second = scene.client();
        assert_eq!(second.ask("join far bob 1"), "later");
        assert_eq!(first.ask("all far d"), "later");
        assert_eq!(slow.waiting(), 3);
        slow.go_on(0); // c
        let mut seen = [first.next(), first.next()];
        seen.sort();
        assert_eq!(seen, ["6 published far Ok(Some(3))", "c"]);
        slow.go_on(0); // the history
        slow.go_on(0); // d
        second.expect(["5 joined far Some(3) Some(true)", "b", "c", "d"]);

        let (tell, told): (Sender<_>, _) = channel();
        let ask = move |present| tell.send(present).unwrap();
        scene.hub.present_everywhere("far", 10, ask);
        let mut users: Vec<String> = told
            .recv()
            .unwrap()
            .unwrap()
            .into_iter()
            .map(|it| it.user)
            .collect();
        users.sort();
        assert_eq!(users, ["ann", "bob", "elsewhere"]);
        assert_eq!(slow.0.lock().unwrap().present.len(), 2);
        drop((first, second));
        wait_until("nobody subscribes any more", || {
            let inner = slow.0.lock().unwrap();
            inner.unsubscribed == 1 && inner.present.is_empty()
        });
    }
}

/// An event stream that stays.
struct Stay;

impl barewire::app::Events for Stay {
    fn open(&mut self, _stream: &mut barewire::app::EventStream<'_, '_>) {}
}

#[test]
fn all_clients_are_sent_away_within_a_spread_of_time() {
    let app = App::new()
        .channel("kept", ChannelOptions::new().history(History::DEFAULT))
        .events("/events", |_request| Ok(Stay))
        .grpc(
            Service::new("test.Channels")
                .server_streaming_object("Follow", |channel: Vec<u8>, _call| {
                    Ok(Follow(String::from_utf8(channel).unwrap()))
                }),
        );
    let scene = Scene::new(app);
    let mut members: Vec<Member> = (0..4).map(|_| scene.client()).collect();
    for member in &mut members {
        member.ask("join kept ann");
    }
    let mut stream = scene.running.connect();
    std::io::Write::write_all(&mut stream, b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    app_support::read_until(&mut stream, "\r\n\r\n");
    let mut call = Talk::open(&scene.running, "/test.Channels/Follow", "");
    call.send(&framed("kept"));
    call.half_close();
    assert!(matches!(call.next(), app_support::grpc::Frame::Message(_)));

    assert!(scene.hub.drain(core::time::Duration::from_secs(6)));
    let mut times = Vec::new();
    for member in &mut members {
        let Ok(Frame::Close(Some(frame))) = member.0.read() else {
            panic!("no close");
        };
        assert_eq!(u16::from(frame.code), 1012);
        let time = frame.reason.strip_prefix("retry in ").unwrap();
        times.push(time.strip_suffix(" ms").unwrap().parse::<u64>().unwrap());
    }
    let text = app_support::read_until(&mut stream, "0\r\n\r\n");
    let time = text
        .split("retry: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    times.push(time.parse().unwrap());
    let rest = call.rest();
    let Some(app_support::grpc::Frame::Trailers(fields)) = rest.last() else {
        panic!("{rest:?}");
    };
    assert!(
        fields.contains(&("grpc-status".into(), "14".into())),
        "{fields:?}"
    );
    let message = fields.iter().find(|it| it.0 == "grpc-message").unwrap();
    let time = message.1.strip_prefix("retry in ").unwrap();
    times.push(time.strip_suffix(" ms").unwrap().parse().unwrap());
    times.sort_unstable();
    assert_eq!(times, [1_000, 2_000, 3_000, 4_000, 5_000, 6_000]);
    // The server still takes clients.
    assert!(scene.client().ask("join kept ann").starts_with("joined"));
}
