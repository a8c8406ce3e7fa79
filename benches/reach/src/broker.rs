//! The broker: how many publications a second one core of it takes, and what a publisher pays
//! for one, by barewire and by a pipeline written by hand.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use barewire::app::{App, ChannelOptions, History, RedisBackplane};

use crate::process::{Role, processor_of};
use crate::{CHANNEL, Result};

/// Commands that are under way together.
const WINDOW: usize = 512;
const PAYLOAD: [u8; 128] = [b'x'; 128];

/// A redis-server on a free port, which keeps nothing on disk.
pub(crate) struct Broker {
    child: Child,
    pub(crate) port: u16,
}

impl Broker {
    pub(crate) fn start() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("redis-server (Debian: redis-server): {error}"))?;
        let broker = Self { child, port };
        let until = Instant::now() + Duration::from_secs(30);
        let answers = || Wire::connect(port)?.call(&[b"PING"]).map(drop);
        while answers().is_err() {
            if Instant::now() > until {
                return Err("redis-server does not answer".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(broker)
    }

    /// Seconds of processor time that it has used.
    fn processor(&self) -> Result<f64> {
        processor_of(self.child.id())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that is written by hand.
struct Wire {
    input: BufReader<TcpStream>,
    out: Vec<u8>,
    last: Vec<u8>,
}

impl Wire {
    fn connect(port: u16) -> Result<Self> {
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_nodelay(true)?;
        Ok(Self {
            input: BufReader::with_capacity(1 << 16, socket),
            out: Vec::new(),
            last: Vec::new(),
        })
    }

    fn put(&mut self, parts: &[&[u8]]) {
        // Into memory, which takes all.
        let _ = write!(self.out, "*{}\r\n", parts.len());
        for part in parts {
            let _ = write!(self.out, "${}\r\n", part.len());
            self.out.extend_from_slice(part);
            self.out.extend_from_slice(b"\r\n");
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.input.get_mut().write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Reads one reply; the last string in it.
    fn reply(&mut self) -> Result<&[u8]> {
        self.last.clear();
        let (mut left, mut line) = (1_u64, Vec::new());
        while left > 0 {
            left -= 1;
            line.clear();
            self.input.read_until(b'\n', &mut line)?;
            let [kind, number @ .., b'\r', b'\n'] = &*line else {
                return Err("the broker has ended the connection".into());
            };
            let number = str::from_utf8(number).unwrap_or_default();
            match kind {
                b'*' => left += number.parse::<u64>()?,
                b'$' => {
                    self.last.resize(number.parse::<usize>()? + 2, 0);
                    self.input.read_exact(&mut self.last)?;
                }
                b'-' => return Err(number.to_owned().into()),
                _ => {}
            }
        }
        Ok(self.last.trim_ascii_end())
    }

    fn call(&mut self, parts: &[&[u8]]) -> Result<&[u8]> {
        self.put(parts);
        self.flush()?;
        self.reply()
    }
}

/// Says what has come of a channel, as another process that is subscribed would hear it.
fn listen(port: u16, command: &[u8], channel: &[u8]) -> Result<thread::JoinHandle<()>> {
    let mut wire = Wire::connect(port)?;
    wire.call(&[command, channel])?;
    let mut socket = wire.input.into_inner();
    Ok(thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while socket.read(&mut bytes).is_ok_and(|it| it > 0) {}
    }))
}

/// Publishes so many times, by hand; `keeps` by the script that keeps it.
fn by_hand(port: u16, count: usize, keeps: bool) -> Result<()> {
    let mut wire = Wire::connect(port)?;
    let script = include_bytes!("../../../src/redis/publish.lua");
    let sha = wire.call(&[b"SCRIPT", b"LOAD", script])?.to_vec();
    // What the server is, which each publication says from the second on.
    let mut server = Vec::new();
    let key = |purpose: char| format!("by-hand:{{0}}:{purpose}:{CHANNEL}").into_bytes();
    let (head, stream, channel) = (key('h'), key('s'), key('c'));
    let mut done = 0;
    while done < count {
        let some = WINDOW.min(count - done);
        for nth in done..done + some {
            let id = format!("by-hand:{{0}}:i:{CHANNEL}:{nth}");
            let line = format!("text n=000000c0ffee0001 i={nth} t=1767225600000");
            match keeps {
                true => wire.put(&[
                    b"EVALSHA",
                    &sha,
                    b"3",
                    &head,
                    &stream,
                    id.as_bytes(),
                    &server,
                    b"00000000c0ffee00",
                    b"1000",
                    b"1048576",
                    b"300000",
                    b"3600",
                    b"60000",
                    &channel,
                    line.as_bytes(),
                    &PAYLOAD,
                ]),
                false => wire.put(&[b"SPUBLISH", &channel, &PAYLOAD]),
            }
        }
        wire.flush()?;
        for _ in 0..some {
            let last = wire.reply()?;
            if server.is_empty() {
                server.extend_from_slice(last);
            }
        }
        done += some;
    }
    Ok(())
}

/// Publishes so many times, by an app.
fn by_app(port: u16, count: usize, keeps: bool) -> Result<()> {
    let backplane = RedisBackplane::new(format!("redis://127.0.0.1:{port}").parse()?)?;
    backplane.wait(Duration::from_secs(30));
    let options = match keeps {
        true => ChannelOptions::new().history(History::DEFAULT),
        false => ChannelOptions::new(),
    };
    let app = App::new().channel(CHANNEL, options).backplane(backplane);
    let hub = app.hub();
    let _server = app.listen("127.0.0.1:0")?.spawn()?;
    let (done, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let publisher = thread::current();
    for nth in 0..count {
        while nth - done.load(Ordering::Acquire) >= 4 * WINDOW {
            thread::park();
        }
        let (done, failed, publisher) = (done.clone(), failed.clone(), publisher.clone());
        hub.publish_then(CHANNEL, str::from_utf8(&PAYLOAD)?, move |place| {
            failed.fetch_add(usize::from(place.is_err()), Ordering::Relaxed);
            // Woken for many at a time, as those by hand are written.
            if done.fetch_add(1, Ordering::Release) % WINDOW == WINDOW - 1 {
                publisher.unpark();
            }
        });
    }
    while done.load(Ordering::Acquire) < count {
        thread::park_timeout(Duration::from_millis(5));
    }
    match failed.load(Ordering::Relaxed) {
        0 => Ok(()),
        failed => Err(format!("{failed} of {count} publications failed").into()),
    }
}

/// A process that publishes, and then says what its processor time was, in seconds.
pub(crate) fn publish(how: &str, port: u16, count: usize) -> Result<()> {
    println!("ready");
    match how {
        "kept-by-hand" => by_hand(port, count, true)?,
        "plain-by-hand" => by_hand(port, count, false)?,
        "kept-by-app" => by_app(port, count, true)?,
        "plain-by-app" => by_app(port, count, false)?,
        _ => return Err(format!("{how} is not known").into()),
    }
    println!("{}", processor_of(std::process::id())?);
    Ok(())
}

/// Prints what one publication costs in each way.
pub(crate) fn measure(count: usize, rounds: usize) -> Result<()> {
    println!("a publication of 128 bytes, one subscriber; microseconds of processor time, and");
    println!("how many a second one core of the broker would take ({rounds} rounds, medians)");
    let ways = [
        "plain-by-hand",
        "plain-by-app",
        "kept-by-hand",
        "kept-by-app",
    ];
    let mut costs = vec![(Vec::new(), Vec::new()); ways.len()];
    for _ in 0..rounds {
        for (way, (publisher, broker)) in ways.into_iter().zip(&mut costs) {
            let (spent, brokers) = once(way, count)?;
            publisher.push(spent);
            broker.push(brokers);
        }
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2] * 1e6 / count as f64
    };
    for (way, (publisher, broker)) in ways.into_iter().zip(&mut costs) {
        let (publisher, broker) = (median(publisher), median(broker));
        println!(
            "  {way:14} publisher {publisher:6.2}   broker {broker:6.2}   {:9.0} a second",
            1e6 / broker
        );
    }
    Ok(())
}

fn once(way: &str, count: usize) -> Result<(f64, f64)> {
    let broker = Broker::start()?;
    let channel = match way {
        "plain-by-hand" | "kept-by-hand" => format!("by-hand:{{0}}:c:{CHANNEL}"),
        // The first digits of the SHA-1 of the channel's name.
        _ => format!("barewire:{{{TAG}}}:c:{CHANNEL}"),
    };
    let listener = listen(broker.port, b"SSUBSCRIBE", channel.as_bytes())?;
    let before = broker.processor()?;
    let mut role = Role::start(&["publish", way, &broker.port.to_string(), &count.to_string()])?;
    role.expect("ready")?;
    let spent = role.line()?.parse()?;
    let after = broker.processor()?;
    drop(broker);
    let _ = listener.join();
    Ok((spent, after - before))
}

/// Of `reach`.
const TAG: &str = "baff1506c2674f5b";
