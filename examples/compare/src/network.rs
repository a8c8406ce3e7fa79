//! What a bad network does: many small answers over one connection of HTTP/2 and over six of
//! HTTP/1.1, single exchanges, and feeds that are cut once.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use barewire::client::{
    ClientLimits, ClientOptions, CloseFrame, EventListener, EventSourceOptions, LoopClient,
    LoopEventSource, LoopWebSocket, LoopWebSockets, Message, MessageEvent, WebSocketError,
    WebSocketListener, WebSocketOptions,
};
use barewire::net::Loop;
use serde::Serialize;

use crate::Result;
use crate::cells::{Cell, Task, Transport};
use crate::client::new_loop;
use crate::drive::Percentiles;
use crate::machine::now;
use crate::measure::driver;
use crate::payload::Payload;
use crate::plan::Mode;
use crate::process::{Place, Target};
use crate::relay::{Network, Relay};
use crate::server::PACE;

/// Answers of one page.
const ANSWERS: usize = 48;

/// A figure of a bad network.
#[derive(Debug, Clone, Serialize)]
pub struct BadNetwork {
    pub what: &'static str,
    /// Percent of the segments.
    pub loss: f64,
    pub times: Option<Percentiles>,
    /// Of a feed that was cut once: how long nothing came, and how many messages never did.
    pub gap: Option<f64>,
    pub missing: Option<u64>,
    pub error: Option<String>,
}

impl BadNetwork {
    fn of(what: &'static str, loss: f64) -> Self {
        Self {
            what,
            loss: loss * 100.0,
            times: None,
            gap: None,
            missing: None,
            error: None,
        }
    }

    /// In words.
    pub fn text(&self) -> String {
        if let Some(error) = &self.error {
            return format!("failed: {error}");
        }
        let mut text = self.times.map_or_else(String::new, |it| {
            let [p50, p90, p99] = [it.p50, it.p90, it.p99].map(|it| it / 1e3);
            format!("p50 {p50:.0} ms, p90 {p90:.0} ms, p99 {p99:.0} ms")
        });
        if let (Some(gap), Some(missing)) = (self.gap, self.missing) {
            text += &format!(
                "; cut: silent for {:.0} ms, {missing} messages lost",
                gap / 1e3
            );
        }
        text
    }
}

/// Measures all, without loss, with 1 % and with 3 %.
pub fn measure(place: &Place, mode: Mode) -> Vec<BadNetwork> {
    let (pages, exchanges, feed) = match mode {
        Mode::Full => (40, 200, Duration::from_secs(20)),
        Mode::Quick | Mode::Default => (5, 12, Duration::from_millis(1_500)),
    };
    let mut all = Vec::new();
    for loss in [0.0, 0.01, 0.03] {
        let mut add = |what, result: Result<Found>| {
            let mut row = BadNetwork::of(what, loss);
            match result {
                Ok(found) => {
                    row.times = found.times;
                    (row.gap, row.missing) = (found.gap, found.missing);
                }
                Err(error) => row.error = Some(error.to_string()),
            }
            all.push(row);
        };
        add(
            "48 answers, one HTTP/2 connection",
            page(place, loss, pages, true),
        );
        add(
            "48 answers, six HTTP/1.1 connections",
            page(place, loss, pages, false),
        );
        for (what, transport) in [
            ("exchange on HTTP/1.1", Transport::Http1),
            ("exchange on a WebSocket", Transport::WebSocket),
            ("call of gRPC", Transport::Grpc),
        ] {
            add(what, exchange(place, transport, loss, exchanges));
        }
        add("feed on a WebSocket", follow(place, loss, feed, false));
        add("feed by SSE", follow(place, loss, feed, true));
    }
    all
}

#[derive(Default)]
struct Found {
    times: Option<Percentiles>,
    gap: Option<f64>,
    missing: Option<u64>,
}

fn relayed(place: &Place, loss: f64) -> Result<(Relay, Target)> {
    let target = place.target(false)?;
    let relay = Relay::start(target.address, Network::bad(loss), false, false)?;
    let target = target.by(relay.address);
    Ok((relay, target))
}

/// How long a page takes whose 48 parts are asked for together, on warm connections.
fn page(place: &Place, loss: f64, pages: usize, over_http2: bool) -> Result<Found> {
    let (_relay, target) = relayed(place, loss)?;
    let mut events = new_loop(64)?;
    let options = ClientOptions::new().no_proxy();
    let options = match over_http2 {
        true => options.http2_prior_knowledge(),
        false => options
            .http1_only()
            .limits(ClientLimits::DEFAULT.with_connections_per_origin(6)),
    };
    let client = LoopClient::on(&mut events, options)?;
    let url = target.url("http", "/users");
    let mut times = Vec::new();
    for round in 0..=pages {
        let ended = Rc::new(RefCell::new((0, None)));
        let start = Instant::now();
        for _ in 0..ANSWERS {
            let ended = ended.clone();
            client.send_then(client.get(url.as_str()), move |answer| {
                let mut ended = ended.borrow_mut();
                ended.0 += 1;
                if let Err(error) = answer {
                    ended.1.get_or_insert_with(|| error.to_string());
                }
            });
        }
        while ended.borrow().0 < ANSWERS {
            events.turn(Some(Duration::from_millis(5)))?;
        }
        if let Some(error) = ended.borrow_mut().1.take() {
            return Err(error.into());
        }
        // The first one opens the connections.
        if round > 0 {
            times.push(start.elapsed());
        }
    }
    Ok(Found {
        times: Percentiles::of(&mut times),
        ..Found::default()
    })
}

/// Exchanges of 1 KiB one after the other on a warm connection.
fn exchange(place: &Place, transport: Transport, loss: f64, count: usize) -> Result<Found> {
    let (_relay, target) = relayed(place, loss)?;
    let cell = Cell {
        transport,
        task: Task::Request,
        payload: Payload::Kib,
        secure: false,
    };
    let mut driver = driver(cell, &target, 1)?;
    driver.each(1)?;
    let mut times = Vec::new();
    for _ in 0..count {
        let start = Instant::now();
        driver.each(1)?;
        times.push(start.elapsed());
    }
    Ok(Found {
        times: Percentiles::of(&mut times),
        ..Found::default()
    })
}

/// What has come of a feed.
#[derive(Default)]
struct Feed {
    delays: Vec<Duration>,
    numbers: Vec<u64>,
    last: Option<Instant>,
    /// The longest silence.
    gap: Duration,
    is_lost: bool,
}

impl Feed {
    fn take(&mut self, text: &str) {
        let mut numbers = text
            .split_whitespace()
            .map_while(|it| it.parse::<u64>().ok());
        let (Some(number), Some(due)) = (numbers.next(), numbers.next()) else {
            return;
        };
        self.delays
            .push(Duration::from_nanos(now().saturating_sub(due)));
        self.numbers.push(number);
        let time = Instant::now();
        if let Some(last) = self.last.replace(time) {
            self.gap = self.gap.max(time - last);
        }
    }

    /// Numbers between the first and the last that did not come.
    fn missing(&self) -> u64 {
        let mut numbers = self.numbers.clone();
        numbers.sort_unstable();
        numbers.dedup();
        match (numbers.first(), numbers.last()) {
            (Some(first), Some(last)) => last - first + 1 - numbers.len() as u64,
            _ => 0,
        }
    }
}

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Feed>>);

impl WebSocketListener for Shared {
    fn message(&mut self, _socket: &LoopWebSocket, message: Message) {
        self.0.borrow_mut().take(message.text().unwrap_or_default());
    }

    fn closed(&mut self, _frame: &CloseFrame) {
        self.0.borrow_mut().is_lost = true;
    }

    fn failed(&mut self, _error: &WebSocketError) {
        self.0.borrow_mut().is_lost = true;
    }
}

impl EventListener for Shared {
    fn event(&mut self, event: &MessageEvent, _source: &LoopEventSource) {
        self.0.borrow_mut().take(&event.data);
    }
}

/// A message each 20 ms, and in the middle the connection is cut. A WebSocket is opened again
/// immediately, and no more is done: what it misses is the application's affair. An event
/// source comes back by itself, with the last event ID.
fn follow(place: &Place, loss: f64, time: Duration, by_events: bool) -> Result<Found> {
    let (relay, target) = relayed(place, loss)?;
    let mut events = new_loop(8)?;
    let feed = Shared::default();
    let before;
    if by_events {
        let options = ClientOptions::new().no_proxy().http1_only();
        let client = LoopClient::on(&mut events, options)?;
        let request = client.get(target.url("http", "/sse/feed"));
        let source = LoopEventSource::on(
            &mut events,
            &client,
            request,
            EventSourceOptions::new(),
            feed.clone(),
        )?;
        run(&mut events, time, || {})?;
        before = feed.0.borrow().numbers.len();
        relay.cut();
        run(&mut events, time, || {})?;
        source.close();
    } else {
        let options = WebSocketOptions::new().no_proxy();
        let sockets = LoopWebSockets::on(&mut events, options);
        let url = target.url("ws", "/ws/feed");
        let connect = || sockets.connect(&url, feed.clone());
        connect()?;
        run(&mut events, time, || {})?;
        before = feed.0.borrow().numbers.len();
        relay.cut();
        run(&mut events, time, || {
            if std::mem::take(&mut feed.0.borrow_mut().is_lost) {
                // Where it fails, the feed ends here, and its numbers show it.
                let _ = connect();
            }
        })?;
    }
    let mut feed = feed.0.borrow_mut();
    if feed.numbers.len() < before + 10 {
        return Err("the feed did not come back".into());
    }
    Ok(Found {
        gap: Some(feed.gap.saturating_sub(PACE).as_secs_f64() * 1e6),
        missing: Some(feed.missing()),
        times: Percentiles::of(&mut feed.delays),
    })
}

fn run(events: &mut Loop, time: Duration, mut also: impl FnMut()) -> Result<()> {
    let until = Instant::now() + time;
    while Instant::now() < until {
        events.turn(Some(Duration::from_millis(2)))?;
        also();
    }
    Ok(())
}
