//! HTTP/2 and gRPC requests, and replies that are all alike.
//!
//! A client with prior knowledge (RFC 9113 §3.3) that grants all the window
//! there is, respects the server's, and compresses as any client does: the
//! first request fills the table, those behind it are a few bytes each.

use std::collections::VecDeque;
use std::io::{self, Error, ErrorKind, Write};

use barewire::hpack::{Decoder, Encoder, Growing, Indexing, Room};
use barewire::http::{Field, FieldRange, Fields};
use servers_common::Periodic;

use crate::drive::{Replies, Talk};
use crate::options::Options;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const WINDOW: u32 = (1 << 31) - 1;
const INITIAL_WINDOW: u32 = 65_535;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

/// What every connection of a run sends and expects.
pub struct Shape {
    /// The header block of the first request, and of all others.
    first: Vec<u8>,
    other: Vec<u8>,
    /// The request's body, if it has one.
    body: Vec<u8>,
    /// The reply's body, over and over.
    expected: Periodic,
    length: u64,
    grpc: bool,
}

impl Shape {
    /// A GET whose reply has this body.
    pub fn get(options: &Options, reply: &[u8]) -> Self {
        let (scheme, authority) = (options.scheme(), options.host());
        let fields = [
            (":method", "GET"),
            (":scheme", scheme),
            (":authority", &authority),
            (":path", &options.path),
            (
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101",
            ),
            ("accept", "text/html,text/plain"),
            ("accept-language", "en"),
        ];
        Self::new(&fields, Vec::new(), reply, reply.len() as u64)
    }

    /// A call whose message comes back, once or several times.
    pub fn call(options: &Options, message: &[u8]) -> Self {
        let (scheme, authority) = (options.scheme(), options.host());
        let fields = [
            (":method", "POST"),
            (":scheme", scheme),
            (":authority", &authority),
            (":path", &options.path),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", "grpc-bench/1.0"),
        ];
        let mut body = vec![0];
        body.extend_from_slice(&(message.len() as u32).to_be_bytes());
        body.extend_from_slice(message);
        let length = body.len() as u64 * options.messages;
        Self {
            grpc: true,
            ..Self::new(&fields, body.clone(), &body, length)
        }
    }

    fn new(fields: &[(&str, &str)], body: Vec<u8>, unit: &[u8], length: u64) -> Self {
        let mut encoder = Encoder::new(Growing::default(), 4096);
        let [first, other] = [(); 2].map(|()| {
            let mut block = Vec::new();
            encoder.begin(&mut block);
            for (name, value) in fields {
                let field = Field::new(name, value);
                encoder.encode(field, Indexing::Incremental, &mut block);
            }
            block
        });
        Self {
            first,
            other,
            body,
            expected: Periodic::new(unit, usize::MAX),
            length,
            grpc: false,
        }
    }
}

/// A request whose reply is not over.
#[derive(Clone, Copy, Default)]
struct Open {
    /// The reply's status has come.
    begun: bool,
    /// Bytes of its body that have come.
    came: u64,
    /// Its trailers have come.
    trailers: bool,
    over: bool,
}

/// One connection.
pub struct Streams<'a> {
    shape: &'a Shape,
    decoder: Decoder<Growing>,
    text: Vec<u8>,
    ranges: Vec<FieldRange>,
    /// Output, and how much of it has left.
    output: Vec<u8>,
    written: usize,
    /// A frame that is not whole.
    input: Vec<u8>,
    /// The requests in the order of their streams; the number of the first.
    open: VecDeque<Open>,
    lowest: u32,
    /// Requests that the server's window has no room for.
    waiting: u64,
    window: i64,
    /// Bytes that came since the last window update.
    taken: u32,
}

impl<'a> Streams<'a> {
    pub fn new(shape: &'a Shape) -> Self {
        let mut output = PREFACE.to_vec();
        // ENABLE_PUSH off, INITIAL_WINDOW_SIZE at its maximum.
        frame(
            &mut output,
            SETTINGS,
            0,
            0,
            &[&[0, 2, 0, 0, 0, 0], &[0, 4], &WINDOW.to_be_bytes()],
        );
        let more = WINDOW - INITIAL_WINDOW;
        frame(&mut output, WINDOW_UPDATE, 0, 0, &[&more.to_be_bytes()]);
        Self {
            shape,
            decoder: Decoder::new(Growing::default()),
            text: vec![0; 16 << 10],
            ranges: vec![FieldRange::EMPTY; 64],
            output,
            written: 0,
            input: Vec::new(),
            open: VecDeque::new(),
            lowest: 1,
            waiting: 0,
            window: i64::from(INITIAL_WINDOW),
            taken: 0,
        }
    }

    /// Sends what waits, as far as the server's window goes.
    fn send(&mut self) {
        let shape = self.shape;
        let size = shape.body.len() as i64;
        while self.waiting > 0 && size <= self.window {
            let stream = self.lowest + 2 * self.open.len() as u32;
            let block = if stream == 1 {
                &shape.first
            } else {
                &shape.other
            };
            if shape.body.is_empty() {
                let flags = END_HEADERS | END_STREAM;
                frame(&mut self.output, HEADERS, flags, stream, &[block]);
            } else {
                frame(&mut self.output, HEADERS, END_HEADERS, stream, &[block]);
                frame(&mut self.output, DATA, END_STREAM, stream, &[&shape.body]);
                self.window -= size;
            }
            self.open.push_back(Open::default());
            self.waiting -= 1;
        }
    }

    fn open(&mut self, stream: u32) -> io::Result<&mut Open> {
        let index = stream.checked_sub(self.lowest).map(|distance| distance / 2);
        let open = index.and_then(|index| self.open.get_mut(index as usize));
        open.filter(|open| !open.over && stream % 2 == 1)
            .ok_or_else(|| Error::other("a frame on a stream that is not open"))
    }

    /// One whole frame: whether a reply ends in it.
    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<bool> {
        match kind {
            DATA if flags & PADDED == 0 => self.data(stream, payload)?,
            HEADERS if flags & PADDED == 0 && flags & END_HEADERS != 0 => {
                self.headers(stream, payload, flags & END_STREAM != 0)?;
            }
            SETTINGS if flags & ACK == 0 => frame(&mut self.output, SETTINGS, ACK, 0, &[]),
            PING if flags & ACK == 0 => frame(&mut self.output, PING, ACK, 0, &[payload]),
            WINDOW_UPDATE => {
                let bytes = payload.try_into().map_err(|_| ErrorKind::InvalidData)?;
                if stream == 0 {
                    self.window += i64::from(u32::from_be_bytes(bytes));
                    self.send();
                }
            }
            SETTINGS | PING => {}
            RST_STREAM | GOAWAY => {
                return Err(Error::other(format!("a refusal: {kind} {payload:?}")));
            }
            _ => return Err(Error::other(format!("a strange frame: {kind} {flags}"))),
        }
        let ends = matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
        if ends {
            self.end(stream)?;
        }
        Ok(ends)
    }

    fn data(&mut self, stream: u32, payload: &[u8]) -> io::Result<()> {
        let shape = self.shape;
        let open = self.open(stream)?;
        let mut rest = payload;
        while !rest.is_empty() {
            let at = (open.came % shape.expected.period() as u64) as usize;
            let expected = shape.expected.from(at, rest.len());
            let (next, behind) = rest.split_at(expected.len());
            if next != expected || !open.begun {
                return Err(Error::other("a wrong body"));
            }
            open.came += next.len() as u64;
            rest = behind;
        }
        self.taken += payload.len() as u32;
        if self.taken > WINDOW / 4 {
            let taken = std::mem::take(&mut self.taken).to_be_bytes();
            frame(&mut self.output, WINDOW_UPDATE, 0, 0, &[&taken]);
        }
        Ok(())
    }

    fn headers(&mut self, stream: u32, block: &[u8], last: bool) -> io::Result<()> {
        let (grpc, length) = (self.shape.grpc, self.shape.length);
        let room = Room {
            text: &mut self.text,
            fields: &mut self.ranges,
            list_limit: 16 << 10,
        };
        let decoded = self.decoder.decode(block, room);
        let decoded = decoded.map_err(|error| Error::other(error.to_string()))?;
        let begun = self
            .open
            .get((stream.saturating_sub(self.lowest) / 2) as usize);
        let trailers = begun.is_some_and(|open| open.begun);
        let right = judge(&decoded.fields(), grpc, trailers, length);
        if !decoded.complete || !right || (trailers && !last) {
            return Err(Error::other(format!(
                "wrong fields: {:?}",
                decoded.fields()
            )));
        }
        let open = self.open(stream)?;
        (open.begun, open.trailers) = (true, trailers);
        Ok(())
    }

    fn end(&mut self, stream: u32) -> io::Result<()> {
        let (grpc, length) = (self.shape.grpc, self.shape.length);
        let open = self.open(stream)?;
        open.over = true;
        if open.came != length || open.trailers != grpc {
            return Err(Error::other("a reply that ends too early"));
        }
        while self.open.front().is_some_and(|open| open.over) {
            self.open.pop_front();
            self.lowest += 2;
        }
        Ok(())
    }
}

/// Whether a reply's fields, or its trailers, are what they must be.
fn judge(fields: &Fields<'_>, grpc: bool, trailers: bool, length: u64) -> bool {
    if trailers {
        return grpc && fields.get("grpc-status") == Some(b"0");
    }
    let status = fields.get(":status") == Some(b"200");
    let kind = fields.get("content-type").unwrap_or_default();
    let announced = fields.get("content-length");
    let fits = announced.is_none_or(|text| text == length.to_string().as_bytes());
    status && fits && (!grpc || kind.starts_with(b"application/grpc"))
}

impl Replies for Streams<'_> {
    fn check(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let held = std::mem::take(&mut self.input);
        let joined = if held.is_empty() {
            None
        } else {
            Some([&held[..], bytes].concat())
        };
        let mut rest = joined.as_deref().unwrap_or(bytes);
        let mut count = 0;
        while let Some((&[a, b, c, kind, flags, s1, s2, s3, s4], behind)) = rest.split_first_chunk()
        {
            let length = u32::from_be_bytes([0, a, b, c]) as usize;
            let Some((payload, next)) = behind.split_at_checked(length) else {
                break;
            };
            let stream = u32::from_be_bytes([s1, s2, s3, s4]);
            count += u64::from(self.frame(kind, flags, stream, payload)?);
            rest = next;
        }
        self.input.extend_from_slice(rest);
        Ok(count)
    }
}

impl Talk for Streams<'_> {
    fn ask(&mut self, count: u64) {
        self.waiting += count;
        self.send();
    }

    fn write(&mut self, to: &mut impl Write) -> io::Result<()> {
        while self.written < self.output.len() {
            match to.write(&self.output[self.written..]) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        self.written = 0;
        Ok(())
    }
}

/// Appends a frame (RFC 9113 §4.1).
fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[&[u8]]) {
    let length: usize = payload.iter().map(|part| part.len()).sum();
    out.extend_from_slice(&(length as u32).to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    for part in payload {
        out.extend_from_slice(part);
    }
}
