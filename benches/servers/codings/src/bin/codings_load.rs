//! The load: asks for lists or has events sent, and prints what each has cost the server.
//!
//! usage: codings_load items PORT PID CODING SECONDS
//!        codings_load events PORT PID CODING PATH MEMBERS ROUNDS
//!        codings_load codec CODING LEVEL SECONDS

use std::io::{Error, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use servers_codings::{TEXTS, block, item};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["items", port, pid, coding, seconds] => items(port, pid, coding, read(seconds)?),
        ["events", port, pid, coding, path, members, rounds] => {
            events(port, pid, coding, path, read(members)? as usize, read(rounds)? as usize)
        }
        ["codec", coding, level, seconds] => codec(coding, read(level)? as i32, read(seconds)?),
        _ => Err(Error::other("usage: see the first lines of this program")),
    }
}

fn read(text: &str) -> io::Result<f64> {
    text.parse().map_err(Error::other)
}

/// Nanoseconds that a process has spent on processors.
fn cpu(pid: &str) -> io::Result<f64> {
    let mut all = 0.0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        all += read(text.split_ascii_whitespace().next().unwrap_or_default())?;
    }
    Ok(all)
}

/// One connection, and what was read of it and not used yet.
struct Wire {
    stream: TcpStream,
    kept: Vec<u8>,
}

impl Wire {
    fn open(port: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(format!("127.0.0.1:{port}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, kept: Vec::new() })
    }

    fn ask(&mut self, method: &str, path: &str, coding: &str) -> io::Result<()> {
        let accept = if coding == "identity" { String::new() } else { format!("Accept-Encoding: {coding}\r\n") };
        write!(self.stream, "{method} {path} HTTP/1.1\r\nHost: a\r\n{accept}\r\n")
    }

    fn more(&mut self) -> io::Result<()> {
        let mut piece = [0; 16 << 10];
        match self.stream.read(&mut piece)? {
            0 => Err(Error::other("the server has closed")),
            length => {
                self.kept.extend_from_slice(&piece[..length]);
                Ok(())
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.kept.windows(2).position(|it| it == b"\r\n") {
                let line: Vec<u8> = self.kept.drain(..at + 2).take(at).collect();
                return String::from_utf8(line).map_err(Error::other);
            }
            self.more()?;
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.kept.len() < length {
            self.more()?;
        }
        Ok(self.kept.drain(..length).collect())
    }

    /// The head of a reply: its coding, and the length of its body, if it says so.
    fn head(&mut self) -> io::Result<(String, Option<usize>)> {
        let (mut coding, mut length) = (String::from("identity"), None);
        let status = self.line()?;
        if !status.contains(" 200 ") {
            return Err(Error::other(status));
        }
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                return Ok((coding, length));
            }
            if let Some(value) = line.strip_prefix("content-encoding: ") {
                coding = value.into();
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().ok();
            }
        }
    }

    fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let size = usize::from_str_radix(&self.line()?, 16).map_err(Error::other)?;
        let chunk = self.take(size)?;
        self.take(2)?;
        Ok(chunk)
    }

    fn body(&mut self) -> io::Result<(String, Vec<u8>)> {
        let (coding, length) = self.head()?;
        let Some(length) = length else {
            let mut body = Vec::new();
            loop {
                let chunk = self.chunk()?;
                if chunk.is_empty() {
                    return Ok((coding, body));
                }
                body.extend(chunk);
            }
        };
        Ok((coding, self.take(length)?))
    }
}

fn decoded(coding: &str, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    match coding {
        "gzip" => drop(flate2::read::GzDecoder::new(body).read_to_end(&mut text)?),
        "br" => drop(brotli::Decompressor::new(body, 4096).read_to_end(&mut text)?),
        "zstd" => {
            text.resize(64 << 10, 0);
            let length = zstd_safe::decompress(&mut text[..], body).map_err(|_| Error::other("no zstd"))?;
            text.truncate(length);
        }
        _ => text.extend_from_slice(body),
    }
    Ok(text)
}

/// GET of each list in turn on 16 connections; each is compared once.
fn items(port: &str, pid: &str, coding: &str, seconds: f64) -> io::Result<()> {
    let mut wires = (0..16).map(|_| Wire::open(port)).collect::<io::Result<Vec<_>>>()?;
    let mut bytes = 0;
    for number in 0..TEXTS {
        wires[0].ask("GET", &format!("/items/{number}"), coding)?;
        let (named, body) = wires[0].body()?;
        if named != coding || decoded(coding, &body)? != item(number).as_bytes() {
            return Err(Error::other(format!("list {number} is not what it was in {coding}")));
        }
        bytes += body.len();
    }
    let (mut number, mut replies) = (0, 0_u64);
    let (before, start) = (cpu(pid)?, Instant::now());
    while start.elapsed().as_secs_f64() < seconds {
        for wire in &mut wires {
            wire.ask("GET", &format!("/items/{}", number % TEXTS), coding)?;
            number += 1;
        }
        for wire in &mut wires {
            wire.body()?;
            replies += 1;
        }
    }
    let us = (cpu(pid)? - before) / replies as f64 / 1000.0;
    let bytes = bytes as f64 / TEXTS as f64;
    println!("{{\"cpu_us\": {us:.3}, \"bytes\": {bytes:.1}}}");
    Ok(())
}

/// Has events sent to members, each of which reads it before the next one is sent.
fn events(port: &str, pid: &str, coding: &str, path: &str, members: usize, rounds: usize) -> io::Result<()> {
    let mut wires = Vec::new();
    for _ in 0..members {
        let mut wire = Wire::open(port)?;
        wire.ask("GET", path, coding)?;
        if wire.head()?.0 != coding {
            return Err(Error::other("another coding"));
        }
        wires.push(wire);
    }
    let mut asks = Wire::open(port)?;
    let (mut bytes, mut before) = (0, 0.0);
    let few = 20;
    for round in 0..few + rounds {
        if round == few {
            before = cpu(pid)?;
            bytes = 0;
        }
        asks.ask("POST", &format!("{path}/{}", round % TEXTS), "identity")?;
        if asks.body()?.1 != members.to_string().as_bytes() {
            return Err(Error::other("not all members"));
        }
        for wire in &mut wires {
            let chunk = wire.chunk()?;
            bytes += chunk.len();
            if round == 0 && chunk.len() <= 10 {
                wire.chunk()?; // the head of the coded stream came first
            }
        }
    }
    let events = (members * rounds) as f64;
    let us = (cpu(pid)? - before) / events / 1000.0;
    let bytes = bytes as f64 / events;
    println!("{{\"cpu_us\": {us:.3}, \"bytes\": {bytes:.1}}}");
    Ok(())
}

/// The codecs alone: a list with a state that is begun anew, and an event behind others in one
/// of 64 states.
fn codec(coding: &str, level: i32, seconds: f64) -> io::Result<()> {
    let lists: Vec<String> = (0..TEXTS).map(item).collect();
    let events: Vec<String> = (0..TEXTS).map(block).collect();
    let mut one = Codec::new(coding, level, false)?;
    let (list_us, list_bytes) = measure(seconds, |number| one.whole(lists[number % TEXTS].as_bytes()));
    let mut several = (0..64).map(|_| Codec::new(coding, level, true)).collect::<io::Result<Vec<_>>>()?;
    let (event_us, event_bytes) = measure(seconds, |number| {
        let state = &mut several[number % 64];
        state.flushed(events[number / 64 % TEXTS].as_bytes())
    });
    println!(
        "{{\"list_us\": {list_us:.3}, \"list_bytes\": {list_bytes:.1}, \"event_us\": {event_us:.3}, \"event_bytes\": {event_bytes:.1}}}"
    );
    Ok(())
}

fn measure(seconds: f64, mut work: impl FnMut(usize) -> usize) -> (f64, f64) {
    for number in 0..1024 {
        work(number);
    }
    let (mut bytes, mut number, start) = (0, 1024, Instant::now());
    let before = cpu("self").unwrap_or(0.0);
    while start.elapsed().as_secs_f64() < seconds {
        for _ in 0..256 {
            bytes += work(number);
            number += 1;
        }
    }
    let times = (number - 1024) as f64;
    let us = (cpu("self").unwrap_or(0.0) - before) / 1000.0 / times;
    (us, bytes as f64 / times)
}

/// A library with the parameters that barewire gives it.
enum Codec {
    Gzip(zlib_rs::Deflate, Vec<u8>),
    Brotli(Box<brotli::enc::encode::BrotliEncoderStateStruct<brotli::enc::StandardAlloc>>, u32, Vec<u8>),
    Zstd(zstd_safe::CCtx<'static>, Vec<u8>),
}

impl Codec {
    fn new(coding: &str, level: i32, is_for_events: bool) -> io::Result<Self> {
        let room = vec![0; 64 << 10];
        Ok(match coding {
            "gzip" => {
                let (bits, mem_level) = if is_for_events { (13, 6) } else { (15, 8) };
                let config = zlib_rs::DeflateConfig { level, window_bits: -bits, mem_level, ..Default::default() };
                Self::Gzip(zlib_rs::Deflate::new_with_config(config), room)
            }
            "br" => Self::Brotli(brotli_state(level as u32, is_for_events.then_some(16)), level as u32, room),
            "zstd" => {
                use zstd_safe::CParameter::{ChainLog, CompressionLevel, HashLog, MinMatch, WindowLog};
                let mut state = zstd_safe::CCtx::create();
                let mut set = |parameter| state.set_parameter(parameter).map_err(|_| Error::other("no parameter"));
                set(CompressionLevel(level))?;
                if is_for_events {
                    set(WindowLog(14))?;
                    set(HashLog(12))?;
                    set(ChainLog(12))?;
                } else {
                    set(WindowLog(17))?;
                    set(MinMatch(5))?;
                }
                Self::Zstd(state, room)
            }
            other => return Err(Error::other(format!("no coding {other}"))),
        })
    }

    /// A complete body, with a state that begins anew; how long it is.
    fn whole(&mut self, text: &[u8]) -> usize {
        match self {
            Self::Gzip(state, room) => {
                state.reset();
                let sum = zlib_rs::crc32::crc32(0, text);
                std::hint::black_box(sum);
                let _ = state.compress(text, room, zlib_rs::DeflateFlush::Finish);
                state.total_out() as usize + 18
            }
            Self::Brotli(state, level, room) => {
                *state = brotli_state(*level, Some(14));
                brotli_put(state, text, room, brotli::enc::encode::BrotliEncoderOperation::BROTLI_OPERATION_FINISH)
            }
            Self::Zstd(state, room) => state.compress2(&mut room[..], text).unwrap_or(0),
        }
    }

    /// What comes behind, up to the end of a byte; how long it is.
    fn flushed(&mut self, text: &[u8]) -> usize {
        match self {
            Self::Gzip(state, room) => {
                let before = state.total_out();
                let sum = zlib_rs::crc32::crc32(0, text);
                std::hint::black_box(sum);
                let _ = state.compress(text, room, zlib_rs::DeflateFlush::SyncFlush);
                (state.total_out() - before) as usize
            }
            Self::Brotli(state, _, room) => {
                brotli_put(state, text, room, brotli::enc::encode::BrotliEncoderOperation::BROTLI_OPERATION_FLUSH)
            }
            Self::Zstd(state, room) => {
                let mut input = zstd_safe::InBuffer::around(text);
                let mut output = zstd_safe::OutBuffer::around(&mut room[..]);
                let flush = zstd_safe::zstd_sys::ZSTD_EndDirective::ZSTD_e_flush;
                let _ = state.compress_stream2(&mut output, &mut input, flush);
                output.pos()
            }
        }
    }
}

type Brotli = brotli::enc::encode::BrotliEncoderStateStruct<brotli::enc::StandardAlloc>;

fn brotli_state(level: u32, window: Option<u32>) -> Box<Brotli> {
    use brotli::enc::encode::BrotliEncoderParameter::{BROTLI_PARAM_LGWIN, BROTLI_PARAM_QUALITY};
    let mut state = Box::new(Brotli::new(brotli::enc::StandardAlloc::default()));
    state.set_parameter(BROTLI_PARAM_QUALITY, level);
    state.set_parameter(BROTLI_PARAM_LGWIN, window.unwrap_or(18));
    state
}

fn brotli_put(
    state: &mut Brotli,
    text: &[u8],
    room: &mut [u8],
    operation: brotli::enc::encode::BrotliEncoderOperation,
) -> usize {
    let (mut left, mut at, mut available, mut written) = (text.len(), 0, room.len(), 0);
    state.compress_stream(
        operation, &mut left, text, &mut at, &mut available, room, &mut written, &mut None, &mut |_, _, _, _| (),
    );
    written
}
