//! The loop that keeps so many requests in flight, and counts.

use std::collections::VecDeque;
use std::io::{self, Error, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use servers_common::{Periodic, Progress};

use crate::histogram::Histogram;
use crate::options::Options;
use crate::process::{self, Cpu};
use crate::wire::Wire;

/// What replies must be.
pub trait Replies {
    /// Compares what came with what must come: how many replies end in it.
    fn check(&mut self, bytes: &[u8]) -> io::Result<u64>;
}

/// The client's side of one connection.
pub trait Talk: Replies {
    /// Owes the server so many more requests.
    fn ask(&mut self, count: u64);

    /// Writes what is owed until all of it has left or the server takes no
    /// more.
    fn write(&mut self, to: &mut impl Write) -> io::Result<()>;
}

/// Requests that are all alike.
pub struct Repeated<'a, R> {
    output: &'a Periodic,
    progress: Progress,
    replies: R,
}

impl<'a, R> Repeated<'a, R> {
    pub fn new(output: &'a Periodic, replies: R) -> Self {
        let progress = Progress::default();
        Self {
            output,
            progress,
            replies,
        }
    }
}

impl<R: Replies> Replies for Repeated<'_, R> {
    fn check(&mut self, bytes: &[u8]) -> io::Result<u64> {
        self.replies.check(bytes)
    }
}

impl<R: Replies> Talk for Repeated<'_, R> {
    fn ask(&mut self, count: u64) {
        self.output.owe(&mut self.progress, count);
    }

    fn write(&mut self, to: &mut impl Write) -> io::Result<()> {
        self.output.write(&mut self.progress, to)
    }
}

/// Who is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Each connection gets the replies to what it sent.
    Each,
    /// All connections get what the first one sends.
    All,
}

struct Connection<T> {
    wire: Wire<TcpStream>,
    talk: T,
    /// When requests were sent, and how many of them are not answered.
    sent: VecDeque<(Instant, u64)>,
}

struct Drive<'a, T> {
    options: &'a Options,
    plan: Plan,
    connections: Vec<Connection<T>>,
    latencies: Histogram,
    /// Replies since the clock started.
    count: u64,
    /// Replies and requests since the run started.
    received: u64,
    sent: u64,
}

/// The clock's start: the time, the server's CPU time and our own.
pub struct Start {
    at: Instant,
    server: Option<Cpu>,
    own: Cpu,
}

impl Start {
    pub fn now(options: &Options) -> io::Result<Self> {
        let server = options.pid.map(process::cpu).transpose()?;
        Ok(Self {
            at: Instant::now(),
            server,
            own: process::cpu(std::process::id())?,
        })
    }

    /// A line about so many operations since then.
    pub fn report(
        &self,
        options: &Options,
        count: u64,
        latencies: &Histogram,
    ) -> io::Result<String> {
        let seconds = self.at.elapsed().as_secs_f64();
        let per = |nanoseconds: u64| nanoseconds as f64 / 1000.0 / count as f64;
        let own = process::cpu(std::process::id())?.all - self.own.all;
        let (mut cpu, mut user) = (0.0, 0.0);
        if let (Some(pid), Some(before)) = (options.pid, self.server) {
            let after = process::cpu(pid)?;
            let ticks = |cpu: Cpu| (cpu.user + cpu.system) as f64;
            cpu = per(after.all - before.all);
            user = (after.user - before.user) as f64 / (ticks(after) - ticks(before)).max(1.0);
        }
        Ok(format!(
            "{{\"operations\":{},\"per_second\":{:.0},\"cpu_us\":{cpu:.4},\"user_share\":{user:.2},\
             \"p50_us\":{:.1},\"p99_us\":{:.1},\"load_us\":{:.4}}}",
            count,
            count as f64 / seconds,
            latencies.percentile(0.5),
            latencies.percentile(0.99),
            per(own),
        ))
    }
}

/// Runs the load and tells what came of it.
pub fn run<T: Talk>(
    options: &Options,
    plan: Plan,
    wires: Vec<Wire>,
    talk: impl Fn() -> T,
) -> io::Result<String> {
    let mut poll = Poll::new()?;
    let mut connections = Vec::with_capacity(wires.len());
    for (at, wire) in wires.into_iter().enumerate() {
        wire.socket().set_nonblocking(true)?;
        let mut wire = wire.map(TcpStream::from_std);
        let both = Interest::READABLE | Interest::WRITABLE;
        poll.registry()
            .register(wire.socket_mut(), Token(at), both)?;
        connections.push(Connection {
            wire,
            talk: talk(),
            sent: VecDeque::new(),
        });
    }
    let latencies = Histogram::new();
    let mut drive = Drive {
        options,
        plan,
        connections,
        latencies,
        count: 0,
        received: 0,
        sent: 0,
    };
    drive.begin()?;
    let begun = Instant::now();
    let mut start = match options.operations {
        Some(_) => Some(Start::now(options)?),
        None => None,
    };
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; 256 << 10];
    loop {
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        let now = Instant::now();
        match &start {
            None if now - begun >= options.warmup => {
                start = Some(Start::now(options)?);
                drive.count = 0;
                drive.latencies.clear();
            }
            Some(start) if drive.is_over(start, now) => {
                let count = drive.count * options.messages;
                return start.report(options, count, &drive.latencies);
            }
            _ => {}
        }
        for event in &events {
            drive.serve(event.token().0, event.is_readable(), &mut buffer)?;
        }
        drive.publish()?;
    }
}

impl<T: Talk> Drive<'_, T> {
    fn begin(&mut self) -> io::Result<()> {
        let senders = if self.plan == Plan::Each {
            self.connections.len()
        } else {
            1
        };
        for at in 0..senders {
            self.send(at, self.options.pipeline as u64, Instant::now())?;
        }
        Ok(())
    }

    /// Sends so many more, as far as the run is not long enough already.
    fn send(&mut self, at: usize, count: u64, now: Instant) -> io::Result<()> {
        let each = if self.plan == Plan::Each {
            1
        } else {
            self.connections.len() as u64
        };
        let wanted = self
            .options
            .operations
            .map_or(u64::MAX, |all| all.div_ceil(each * self.options.messages));
        let count = count.min(wanted.saturating_sub(self.sent));
        if count == 0 {
            return Ok(());
        }
        self.sent += count;
        let connection = &mut self.connections[at];
        connection.sent.push_back((now, count));
        connection.talk.ask(count);
        connection.talk.write(&mut connection.wire)
    }

    fn serve(&mut self, at: usize, readable: bool, buffer: &mut [u8]) -> io::Result<()> {
        let connection = &mut self.connections[at];
        // What TLS has sealed and the server has not taken is not the talk's any more.
        match connection.wire.flush() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            result => result?,
        }
        connection.talk.write(&mut connection.wire)?;
        if !readable {
            return Ok(());
        }
        loop {
            let connection = &mut self.connections[at];
            let length = match connection.wire.read(buffer) {
                Ok(0) => return Err(Error::other("the server closed a connection")),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let count = connection.talk.check(&buffer[..length])?;
            // A protocol may have answers of its own to give.
            connection.talk.write(&mut connection.wire)?;
            self.count += count;
            self.received += count;
            if self.plan == Plan::Each && count > 0 {
                let now = Instant::now();
                self.answered(at, count, now)?;
                self.send(at, count, now)?;
            }
            if length < buffer.len() && !self.connections[at].wire.is_secure() {
                return Ok(());
            }
        }
    }

    /// Notes how long `count` requests of a connection took.
    fn answered(&mut self, at: usize, mut count: u64, now: Instant) -> io::Result<()> {
        let sent = &mut self.connections[at].sent;
        while count > 0 {
            let (when, open) = sent
                .front_mut()
                .ok_or_else(|| Error::other("a reply too many"))?;
            let taken = count.min(*open);
            self.latencies.add((now - *when).as_nanos() as u64, taken);
            count -= taken;
            *open -= taken;
            if *open == 0 {
                sent.pop_front();
            }
        }
        Ok(())
    }

    /// Of a broadcast: sends one more for each that has reached everybody.
    fn publish(&mut self) -> io::Result<()> {
        if self.plan == Plan::Each {
            return Ok(());
        }
        let everywhere = self.received / self.connections.len() as u64;
        let in_flight = self.sent.saturating_sub(everywhere);
        let count = (self.options.pipeline as u64).saturating_sub(in_flight);
        if count > 0 {
            let now = Instant::now();
            self.answered(0, count.min(self.sent), now)?;
            self.send(0, count, now)?;
        }
        Ok(())
    }

    fn is_over(&self, start: &Start, now: Instant) -> bool {
        match self.options.operations {
            Some(all) => self.received * self.options.messages >= all,
            None => now - start.at >= self.options.measured,
        }
    }
}
