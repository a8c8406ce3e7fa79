//! Futures against a simple model: an app on one scripted loop, whose futures are woken,
//! made ready, overtaken by time and left by their clients in random order.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::Mutex;

use super::builder::App;
use crate::app::{Response, Spawner};
use crate::net::{Limits, ListenTarget, Loop, Scripted, ScriptedClient};

/// All futures by their names.
#[derive(Clone, Default)]
struct Board(Arc<Mutex<BTreeMap<usize, State>>>);

#[derive(Default)]
struct State {
    is_ready: bool,
    is_dropped: bool,
    polls: usize,
    wakes: usize,
    /// The latest, and one that may be stale.
    wakers: Vec<Waker>,
}

struct Named {
    name: usize,
    board: Board,
}

impl Named {
    fn new(name: usize, board: &Board) -> Self {
        let board = board.clone();
        board.act(name, |_| ());
        Self { name, board }
    }
}

impl Board {
    fn act<R>(&self, name: usize, act: impl FnOnce(&mut State) -> R) -> R {
        act(self.0.lock().unwrap().entry(name).or_default())
    }
}

impl Future for Named {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.board.act(self.name, |state| {
            state.polls += 1;
            state.wakers.push(context.waker().clone());
            match state.is_ready {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.board.act(self.name, |state| state.is_dropped = true);
    }
}

struct Scene {
    board: Board,
    world: Scripted,
    events: Loop<Scripted>,
    clients: BTreeMap<usize, ScriptedClient>,
    names: usize,
    random: u64,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let board = Board::default();
        let (of_replies, of_tasks) = (board.clone(), board.clone());
        let app = App::new()
            .limits(Limits::DEFAULT)
            .get("/reply/{name}", move |request, reply| {
                let name: usize = request.param("name").parse().unwrap();
                let named = Named::new(name, &of_replies);
                reply.future(async move {
                    named.await;
                    Response::text(format!("ready {name}"))
                })
            })
            .get("/tasks/{name}", move |request, reply| {
                let name: usize = request.param("name").parse().unwrap();
                let (named, task) = (Named::new(name, &of_tasks), Named::new(name + 1, &of_tasks));
                reply.future_with(|spawner: Spawner| async move {
                    spawner.spawn_local(task).unwrap();
                    named.await;
                    Response::text(format!("ready {name}"))
                })
            });
        let places = [ListenTarget::resolve("127.0.0.1:0").unwrap()];
        let plan = app.plan(&places).unwrap();
        let world = Scripted::new();
        let mut events = Loop::with_poller(world.clone(), plan.limits.clone()).unwrap();
        plan.join(&mut events, &places, 0).unwrap();
        Self {
            board,
            world,
            events,
            clients: BTreeMap::new(),
            names: 0,
            random: seed,
        }
    }

    fn draw(&mut self, below: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % below
    }

    fn turn(&mut self) {
        self.events.turn(Some(Duration::ZERO)).unwrap();
    }

    fn ask(&mut self) {
        let client = self.world.connect_client(0);
        self.names += 2;
        let (name, kind) = (self.names, ["reply", "tasks"][self.draw(2)]);
        let request = format!("GET /{kind}/{name} HTTP/1.1\r\nHost: a\r\n\r\n");
        self.world.send(client, request.as_bytes());
        self.clients.insert(name, client);
    }

    fn any(&mut self) -> Option<usize> {
        let names: Vec<usize> = self.clients.keys().copied().collect();
        match names.len() {
            0 => None,
            many => Some(names[self.draw(many)]),
        }
    }

    /// Wakes a future by one of the wakers that it has had.
    fn wake(&mut self, name: usize) {
        let draw = self.draw(usize::MAX >> 34);
        let waker = self.board.act(name, |state| {
            state.wakes += 1;
            let at = draw % state.wakers.len().max(1);
            state.wakers.get(at).cloned()
        });
        match (waker, self.draw(3)) {
            (Some(waker), 0) => std::thread::spawn(|| waker.wake()).join().unwrap(),
            (Some(waker), _) => waker.wake(),
            (None, _) => {}
        }
    }

    /// What the client of a future has got.
    fn output(&self, name: usize) -> String {
        let output = self.world.take_output(self.clients[&name]);
        String::from_utf8_lossy(&output).to_string()
    }

    fn check(&self) {
        for (name, state) in &*self.board.0.lock().unwrap() {
            let most = state.wakes + 1 + usize::from(state.is_ready);
            assert!(state.polls <= most, "{name}: more polls than wakes");
        }
    }
}

#[test]
fn futures_agree_with_a_model() {
    for seed in 1..60 {
        let mut scene = Scene::new(seed);
        for _ in 0..400 {
            let step = scene.draw(12);
            let any = scene.any();
            match (step, any) {
                (0..=2, _) => scene.ask(),
                (3..=5, Some(name)) => {
                    let name = name + scene.draw(2); // or its task
                    scene.wake(name);
                }
                (6, Some(name)) => {
                    scene.turn();
                    scene.turn();
                    assert_eq!(scene.output(name), "");
                    scene.board.act(name, |state| state.is_ready = true);
                    let latest = |state: &mut State| {
                        state.wakes += 1;
                        state.wakers.last().cloned().unwrap()
                    };
                    scene.board.act(name, latest).wake();
                    scene.turn();
                    scene.turn();
                    let output = scene.output(name);
                    assert!(output.ends_with(&format!("ready {name}")), "{output:?}");
                    assert!(scene.board.act(name, |it| it.is_dropped));
                    scene.turn();
                    let task = |it: &mut State| it.is_dropped || it.polls == 0;
                    assert!(scene.board.act(name + 1, task), "the task is dropped, too");
                    scene.clients.remove(&name);
                }
                (7, Some(name)) => {
                    scene.turn();
                    scene.turn();
                    let client = scene.clients.remove(&name).unwrap();
                    scene.world.reset(client);
                    scene.turn();
                    scene.turn();
                    scene.turn();
                    assert!(scene.board.act(name, |it| it.is_dropped), "{name}");
                    let task = |it: &mut State| it.is_dropped || it.polls == 0;
                    assert!(scene.board.act(name + 1, task));
                    scene.wake(name);
                }
                (8, Some(_)) if scene.draw(10) == 0 => {
                    scene.turn();
                    scene.turn();
                    scene.world.advance(Duration::from_secs(120));
                    scene.turn();
                    scene.turn();
                    scene.turn();
                    for name in scene.clients.keys() {
                        let output = scene.output(*name);
                        assert!(output.starts_with("HTTP/1.1 504"), "{output:?}");
                        assert!(scene.board.act(*name, |it| it.is_dropped));
                    }
                    scene.clients.clear();
                }
                _ => scene.turn(),
            }
            scene.check();
        }
        let Scene { board, events, .. } = scene;
        drop(events);
        let board = board.0.lock().unwrap();
        let wakers = board.values().flat_map(|state| &state.wakers);
        assert!(wakers.count() > 100, "few were polled");
        assert!(board.values().all(|it| it.is_dropped || it.polls == 0));
        for waker in board.values().flat_map(|state| &state.wakers) {
            waker.wake_by_ref(); // the loop has ended
        }
    }
}

/// A stream that always has an item of 1 KiB, and counts them.
#[cfg(feature = "futures")]
struct Endless(Arc<Mutex<usize>>);

#[cfg(feature = "futures")]
impl futures_core::Stream for Endless {
    type Item = Vec<u8>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        *self.0.lock().unwrap() += 1;
        Poll::Ready(Some(b"x".repeat(1 << 10)))
    }
}

/// An endless stream of responses.
#[cfg(feature = "futures")]
struct Responses(Endless);

#[cfg(feature = "futures")]
impl futures_core::Stream for Responses {
    type Item = Result<Vec<u8>, crate::app::CallStatus>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = Pin::new(&mut self.0).poll_next(context);
        item.map(|it| it.map(Ok))
    }
}

#[cfg(feature = "futures")]
struct Flood(Endless);

#[cfg(feature = "futures")]
impl crate::app::WebSocket for Flood {
    fn open(&mut self, socket: &mut crate::app::Socket<'_, '_>) {
        let stream = Endless(self.0.0.clone());
        let send = |item: Option<Vec<u8>>, socket: &mut crate::app::Socket<'_, '_>| {
            socket.send(&item.unwrap()[..]);
        };
        socket.stream(stream, send).unwrap();
    }

    fn message(&mut self, _: &mut crate::app::Socket<'_, '_>, _: crate::app::Message<'_>) {}
}

#[cfg(feature = "futures")]
#[test]
fn a_stream_is_not_polled_while_its_peer_does_not_read() {
    use crate::app::{EventsFrom, Service};
    use crate::sse::Event;

    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let call = "Content-Type: application/grpc-web+proto\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0";
    for (head, rest) in [
        ("GET /events", "\r\n"),
        ("POST /t.T/Flow", call),
        ("GET /ws", upgrade),
    ] {
        let polls = Arc::new(Mutex::new(0));
        let count = || *polls.lock().unwrap();
        let [events, calls, sockets] = [0; 3].map(|_| polls.clone());
        let app = App::new()
            .events("/events", move |_| {
                Ok(EventsFrom::new(Endless(events.clone()), |item, stream| {
                    stream.send(&Event::new(core::str::from_utf8(&item).unwrap()));
                }))
            })
            .websocket("/ws", move |_| Ok(Flood(Endless(sockets.clone()))))
            .grpc(
                Service::new("t.T").server_streaming_async("Flow", move |_: Vec<u8>, _call| {
                    Ok(Responses(Endless(calls.clone())))
                }),
            );
        let places = [ListenTarget::resolve("127.0.0.1:0").unwrap()];
        let plan = app.plan(&places).unwrap();
        let world = Scripted::new();
        let mut events = Loop::with_poller(world.clone(), plan.limits.clone()).unwrap();
        plan.join(&mut events, &places, 0).unwrap();
        let mut turns = |many: usize| {
            for _ in 0..many {
                events.turn(Some(Duration::ZERO)).unwrap();
            }
        };
        let client = world.connect_client(0);
        world.stop_reading(client);
        let request = format!("{head} HTTP/1.1\r\nHost: a\r\n{rest}");
        world.send(client, request.as_bytes());
        turns(50);
        let waiting = count();
        assert!((60..200).contains(&waiting), "{head}: {waiting}");
        turns(50);
        assert_eq!(count(), waiting, "{head}");
        world.allow_all(client);
        turns(50);
        let more = count();
        assert!(more > 2 * waiting, "{head}: {more}");
        assert!(more < 40 * 50 * 64, "{head}: {more}");
        world.reset(client);
        turns(3);
        assert_eq!(Arc::strong_count(&polls), 4, "{head}: it is dropped");
    }
}
