//! The figures of one cell: what they are, and how each is taken.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::Result;
use crate::board::Board;
use crate::cells::{Cell, Task, Transport};
use crate::client::{self, Job, new_loop};
use crate::drive::{Driver, Percentiles, median};
use crate::machine;
use crate::payload::Payload;
use crate::process::{Server, Target};
use crate::relay::{Network, Relay};
use crate::wire::{RECORD, Tally};

/// Connections on which the throughput is measured, with one thing under way on each.
pub const CONNECTIONS: usize = 8;
/// The one-way delay of the relay by which round trips are counted.
const DELAY: Duration = Duration::from_millis(15);
/// Places of one loop, where there are very many.
const GROUP: usize = 250;

/// How much is done for one cell.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    pub round: Duration,
    pub latency: Duration,
    /// Members of a fan-out.
    pub members: usize,
    /// Idle connections.
    pub idle: usize,
    /// Connections that are opened one after the other.
    pub connects: usize,
}

/// Bytes that one message costs in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Bytes {
    /// At the socket.
    pub wire: f64,
    /// Of TLS: 22 for each record.
    pub tls: f64,
    /// Of the payload itself.
    pub payload: f64,
    /// Over HTTP/2 without TLS: heads of frames, header blocks, and frames that carry neither.
    pub frame_heads: f64,
    pub header_blocks: f64,
    pub control: f64,
}

impl Bytes {
    /// All that is not payload.
    pub fn overhead(&self) -> f64 {
        self.wire - self.payload
    }
}

/// What was measured of one cell; what was not is absent.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    pub transport: &'static str,
    pub task: &'static str,
    pub payload: &'static str,
    pub tls: bool,
    /// From the client, and from the server.
    pub sent: Option<Bytes>,
    pub received: Option<Bytes>,
    /// Messages a second, the median of the rounds, and how far they are apart.
    pub throughput: Option<f64>,
    pub spread: Option<f64>,
    /// Microseconds of processor time for a message.
    pub client_cpu: Option<f64>,
    pub server_cpu: Option<f64>,
    /// Microseconds, and the rate at which that was.
    pub latency: Option<Percentiles>,
    pub rate: Option<f64>,
    /// Round trips until the first answer is there, that of TCP's handshake included.
    pub round_trips: Option<f64>,
    /// Bytes of the server's memory for a connection, and how many there were.
    pub memory_idle: Option<f64>,
    pub memory_active: Option<f64>,
    pub connections: Option<usize>,
    /// Why there is nothing.
    pub error: Option<String>,
}

/// Measures one cell.
///
/// # Errors
/// What the transport or the server says.
pub fn measure(cell: Cell, server: &mut Server, effort: &Effort) -> Result<Figures> {
    let target = server.place.target(cell.secure)?;
    let mut figures = Figures::of(cell);
    match cell.task {
        Task::Connect => connects(cell, &target, server, effort, &mut figures)?,
        Task::Reconnect => reconnects(cell, &target, effort, &mut figures)?,
        Task::FanOut => fan_out(cell, &target, server, effort, &mut figures)?,
        Task::Idle => idle(cell, &target, server, effort, &mut figures)?,
        Task::Request | Task::Pushes | Task::Upload | Task::BothWays => {
            let messages = cell.task.messages(cell.transport);
            let times = if messages == 1 { 10 } else { 1 };
            let (sent, received) = bytes(cell, &target, times)?;
            (figures.sent, figures.received) = (Some(sent), Some(received));
            rates(cell, &target, server, effort, &mut figures)?;
        }
    }
    Ok(figures)
}

impl Figures {
    /// Those of a cell of which nothing is known yet.
    pub fn of(cell: Cell) -> Self {
        Self {
            transport: cell.transport.name(),
            task: cell.task.name(),
            payload: cell.payload.name(),
            tls: cell.secure,
            ..Self::default()
        }
    }

    /// Those of a cell that failed.
    pub fn failed(cell: Cell, error: &dyn std::error::Error) -> Self {
        Self {
            error: Some(error.to_string()),
            ..Self::of(cell)
        }
    }
}

/// A driver of a cell with so many connections.
///
/// # Errors
/// What the client says.
pub fn driver(cell: Cell, target: &Target, slots: usize) -> Result<Driver> {
    let mut events = new_loop(slots)?;
    let board = Board::default();
    let job = Job {
        cell,
        target,
        slots,
        board: &board,
    };
    let client = client::open(job, &mut events)?;
    Driver::new(events, client, board, slots)
}

/// Bytes for a message on a warm connection: counted by a relay, over so many operations.
///
/// # Errors
/// What the client says.
pub fn bytes(cell: Cell, target: &Target, times: usize) -> Result<(Bytes, Bytes)> {
    let relay = Relay::start(
        target.address,
        Network::NONE,
        cell.transport.is_http2(),
        cell.secure,
    )?;
    let mut driver = driver(cell, &target.by(relay.address), 1)?;
    // Tables of HPACK, windows of deflate and tickets of TLS are as they stay from here on.
    driver.each(if times > 1 { 4 } else { 1 })?;
    let before = relay.settled();
    driver.each(times)?;
    let after = relay.settled();
    let messages = (times * cell.task.messages(cell.transport)) as f64;
    let tally = |at: usize| after[at] - before[at];
    let (up, down) = payloads(cell);
    Ok((
        Bytes::of(tally(0), messages, up),
        Bytes::of(tally(1), messages, down),
    ))
}

/// Bytes of payload for a message, from the client and from the server: as text of JSON,
/// whatever the protocol makes of it.
fn payloads(cell: Cell) -> (f64, f64) {
    let length = cell.payload.text().len() as f64;
    match (cell.task, cell.payload) {
        (Task::Pushes, _) | (_, Payload::Users) => (0.0, length),
        (Task::Upload, _) => (length, 0.0),
        _ => (length, length),
    }
}

impl Bytes {
    fn of(tally: Tally, messages: f64, payload: f64) -> Self {
        Self {
            wire: tally.bytes as f64 / messages,
            tls: (RECORD * tally.records) as f64 / messages,
            payload,
            frame_heads: tally.frame_heads as f64 / messages,
            header_blocks: tally.header_blocks as f64 / messages,
            control: tally.control as f64 / messages,
        }
    }
}

/// Throughput and processor time, and latencies at half of that rate.
fn rates(
    cell: Cell,
    target: &Target,
    server: &mut Server,
    effort: &Effort,
    figures: &mut Figures,
) -> Result<()> {
    let slots = match cell.task {
        Task::Request => CONNECTIONS,
        _ => 1,
    };
    let mut driver = driver(cell, target, slots)?;
    driver.closed(effort.round / 4)?; // warms up
    let (mut rates, mut clients, mut servers) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        let before = (machine::processor_time(), server.usage()?.processor);
        let round = driver.closed(effort.round)?;
        let after = (machine::processor_time(), server.usage()?.processor);
        let messages = (round.operations * cell.task.messages(cell.transport)) as f64;
        rates.push(messages / round.took.as_secs_f64());
        clients.push((after.0 - before.0) as f64 / 1e3 / messages);
        servers.push((after.1 - before.1) as f64 / 1e3 / messages);
    }
    if let Some((rate, spread)) = median(&mut rates) {
        (figures.throughput, figures.spread) = (Some(rate), Some(spread));
    }
    figures.client_cpu = median(&mut clients).map(|it| it.0);
    figures.server_cpu = median(&mut servers).map(|it| it.0);
    if let (Task::Request, Some(rate)) = (cell.task, figures.throughput) {
        let rate = rate / 2.0 / cell.task.messages(cell.transport) as f64;
        let mut times = driver.open(rate, effort.latency)?;
        figures.latency = Percentiles::of(&mut times);
        figures.rate = Some(rate);
    }
    Ok(())
}

/// New connections, each with its first message.
fn connects(
    cell: Cell,
    target: &Target,
    server: &mut Server,
    effort: &Effort,
    figures: &mut Figures,
) -> Result<()> {
    let once = |target: &Target| -> Result<Duration> {
        let events = new_loop(1)?;
        let start = Instant::now();
        first(cell, target, events)?;
        Ok(start.elapsed())
    };
    for _ in 0..3 {
        once(target)?;
    }
    let before = server.usage()?.processor;
    let mut times = Vec::with_capacity(effort.connects);
    for _ in 0..effort.connects {
        times.push(once(target)?);
    }
    let spent = server.usage()?.processor - before;
    figures.server_cpu = Some(spent as f64 / 1e3 / effort.connects as f64);
    figures.latency = Percentiles::of(&mut times);
    let network = Network {
        delay: DELAY,
        ..Network::NONE
    };
    let slow = Relay::start(
        target.address,
        network,
        cell.transport.is_http2(),
        cell.secure,
    )?;
    // Whatever else the machine does only adds to it: the least time counts.
    let mut least = Duration::MAX;
    for _ in 0..5 {
        least = least.min(once(&target.by(slow.address))?);
    }
    let trips = (least.as_secs_f64() / (2.0 * DELAY.as_secs_f64())).floor();
    // To the relay TCP connects without delay; a POST beside a stream has a connection of its own.
    let handshakes = match cell.transport {
        Transport::Events => 2.0,
        _ => 1.0,
    };
    figures.round_trips = Some(trips + handshakes);
    let relay = Relay::start(
        target.address,
        Network::NONE,
        cell.transport.is_http2(),
        cell.secure,
    )?;
    once(&target.by(relay.address))?;
    let [up, down] = relay.settled();
    let payload = cell.payload.text().len() as f64;
    figures.sent = Some(Bytes::of(up, 1.0, payload));
    figures.received = Some(Bytes::of(down, 1.0, payload));
    Ok(())
}

/// Opens one connection on this loop, and has one thing done on it.
fn first(cell: Cell, target: &Target, mut events: barewire::net::Loop) -> Result<()> {
    let board = Board::default();
    let job = Job {
        cell,
        target,
        slots: 1,
        board: &board,
    };
    let client = client::open(job, &mut events)?;
    Driver::new(events, client, board, 1)?.each(1)
}

/// Until the next message is there, after the connection was cut.
fn reconnects(cell: Cell, target: &Target, effort: &Effort, figures: &mut Figures) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..(effort.connects / 8).max(3) {
        let relay = Relay::start(target.address, Network::NONE, false, false)?;
        let mut driver = driver(cell, &target.by(relay.address), 1)?;
        driver.each(1)?;
        relay.cut();
        times.push(driver.again()?);
    }
    figures.latency = Percentiles::of(&mut times);
    Ok(())
}

/// One publication to many.
fn fan_out(
    cell: Cell,
    target: &Target,
    server: &mut Server,
    effort: &Effort,
    figures: &mut Figures,
) -> Result<()> {
    let slots = effort.members;
    let mut driver = driver(cell, target, slots)?;
    let mut times = Vec::new();
    let mut spent = Vec::new();
    for round in 0..=effort.rounds {
        driver.start_all()?;
        let until = Instant::now() + Duration::from_secs(10);
        while server.members()? < slots {
            driver.events.turn(Some(Duration::from_millis(5)))?;
            if Instant::now() > until {
                return Err("not all have joined".into());
            }
        }
        let before = server.usage()?.processor;
        let start = Instant::now();
        server.publish(cell.payload)?;
        driver.wait_for_all()?;
        // The first one warms up.
        if round > 0 {
            times.push(start.elapsed());
            let after = server.usage()?.processor;
            spent.push((after - before) as f64 / 1e3 / slots as f64);
        }
    }
    figures.latency = Percentiles::of(&mut times);
    figures.server_cpu = median(&mut spent).map(|it| it.0);
    figures.throughput = figures.latency.map(|it| slots as f64 * 1e6 / it.p50);
    figures.connections = Some(slots);
    Ok(())
}

/// Memory for connections on which nothing happens, and for the same after each has carried
/// three messages of 1 KiB together with the others.
fn idle(
    cell: Cell,
    target: &Target,
    server: &mut Server,
    effort: &Effort,
    figures: &mut Figures,
) -> Result<()> {
    let active = Cell {
        payload: Payload::Kib,
        ..cell
    };
    // Pools and code are there from here on.
    let mut warm = driver(active, target, GROUP)?;
    warm.each(1)?;
    drop(warm);
    let before = server.usage()?.memory;
    let mut groups = Vec::new();
    let mut open = 0;
    while open < effort.idle {
        let some = GROUP.min(effort.idle - open);
        let mut group = driver(active, target, some)?;
        group.each(1)?;
        open += some;
        groups.push(group);
    }
    let resting = server.usage()?.memory;
    for group in &mut groups {
        group.each(3)?;
    }
    let used = server.usage()?.memory;
    let each = |after: u64| after.saturating_sub(before) as f64 / open as f64;
    figures.memory_idle = Some(each(resting));
    figures.memory_active = Some(each(used));
    figures.connections = Some(open);
    Ok(())
}

/// The most idle connections that the limit of descriptors allows: each has one here and one in
/// the server, and those of SSE and long polling two.
pub fn most_idle(wanted: usize, transport: Transport) -> usize {
    let each = match transport {
        Transport::Events | Transport::LongPolling => 2,
        _ => 1,
    };
    let all = usize::try_from(machine::raise_descriptors()).unwrap_or(1_024);
    wanted.min(all.saturating_sub(500) * 3 / 4 / each)
}
