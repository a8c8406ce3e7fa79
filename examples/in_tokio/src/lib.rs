//! A WebSocket server of barewire on a socket of tokio: a [`Link`] without I/O, which speaks
//! HTTP/1.1, HTTP/2 and WebSocket over either, and tokio's sockets and clock around it.
//!
//! ```text
//! cargo run -p in_tokio          # then connect to ws://127.0.0.1:9002/
//! ```

use std::io;
use std::time::Duration;

use barewire::http::{Fields, OwnedScratch, RequestHead, ResponseHead, Status};
use barewire::link::{Body, CallContext, Event, Limits, Link, ProtocolError};
use barewire::websocket::handshake::{self, Origins, Refusal};
use barewire::wire::{Instant, Received, Step};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant as Clock, sleep_until, timeout};

/// The longest that a client may take nothing of what waits for it.
const SEND_TIME: Duration = Duration::from_secs(30);

/// The most that is put into the output in one go.
const ROOM: usize = 64 * 1024;

/// One connection.
struct Server<'l> {
    link: Link,
    limits: &'l Limits,
    scratch: OwnedScratch,
    start: Clock,
    input: Vec<u8>,
    output: Vec<u8>,
}

/// Serves a connection that was accepted: each message comes back.
///
/// # Errors
/// Those of the socket.
pub async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    limits: &Limits,
) -> io::Result<()> {
    let mut server = Server {
        link: Link::server(Instant::START),
        limits,
        scratch: OwnedScratch::new(100),
        start: Clock::now(),
        input: Vec::new(),
        output: Vec::new(),
    };
    let mut has_ended = false;
    loop {
        let mut is_broken;
        loop {
            is_broken = server.feed(has_ended).is_err(); // the output says goodbye
            if server.output.is_empty() {
                break;
            }
            timeout(SEND_TIME, socket.write_all(&server.output)).await??;
            server.output.clear();
        }
        if is_broken || has_ended || server.link.closing().is_some() {
            return socket.shutdown().await;
        }
        let due = server.link.deadline(limits).unwrap_or(Instant::NEVER);
        let due = server.start + due.saturating_since(Instant::START).min(DAY);
        tokio::select! {
            read = socket.read_buf(&mut server.input) => has_ended = read? == 0,
            () = sleep_until(due) => server.elapsed(),
        }
    }
}

/// Longer than tokio's clock need count.
const DAY: Duration = Duration::from_secs(86_400);

impl Server<'_> {
    fn now(&self) -> Instant {
        Instant::START + self.start.elapsed()
    }

    /// Takes what has come, event by event.
    fn feed(&mut self, has_ended: bool) -> Result<(), ProtocolError> {
        let (mut at, now) = (0, self.now());
        let mut input = std::mem::take(&mut self.input);
        loop {
            let mut shown = None;
            let lent = CallContext {
                now,
                date: None,
                mask_key: [0; 4], // servers mask nothing
                limits: self.limits,
                scratch: self.scratch.lend(),
                shown: &mut shown,
            };
            let rest = &mut input[at..];
            let Received { used, step } = match has_ended {
                false => self.link.receive(rest, lent, &mut self.output)?,
                true => self.link.receive_eof(rest, lent, &mut self.output)?,
            };
            at += used;
            let goes_on = used > 0 || matches!(step, Step::Need(0) | Step::Event(_));
            if let Step::Event(event) = step {
                answer(&mut self.link, event, now, &mut self.output);
            }
            if let Some(shown) = shown {
                self.link.reclaim(shown); // what follows the event may lie in it
            }
            if goes_on {
                continue;
            }
            let room = ROOM.saturating_sub(self.output.len());
            self.link.set_room(room);
            self.link.pump(0, now, &mut self.output); // what waits for HTTP/2
            if !self.link.is_pending() {
                input.drain(..at);
                self.input = input;
                return Ok(());
            }
        }
    }

    /// Does what time has made due: pings, and the end of what is silent.
    fn elapsed(&mut self) {
        let lent = CallContext {
            now: self.now(),
            date: None,
            mask_key: [0; 4],
            limits: self.limits,
            scratch: self.scratch.lend(),
            shown: &mut None,
        };
        // A breach ends the link, which is then closing.
        let _ = self.link.elapsed(lent, &mut self.output);
    }
}

/// What the application does: it takes WebSockets, and sends back what comes on them.
fn answer(link: &mut Link, event: Event<'_>, now: Instant, out: &mut Vec<u8>) {
    let stream = link.stream();
    match event {
        Event::Request { head, .. } => {
            if let Err(refusal) = open(link, stream, &head, now, out) {
                let head = ResponseHead::new(refusal.status(), refusal.fields());
                // Refused only where the client has gone.
                let _ = link.respond(stream, &head, Body::Whole(b""), None, now, out);
            }
        }
        Event::Message { kind, payload } => {
            // Refused only where it is closing.
            let _ = link.send_message(stream, kind, payload, [0; 4], now, out);
            if link.queued(stream) > 0 {
                link.wait(stream); // nothing more is read of it until that has gone
            }
        }
        Event::Overdue | Event::TooLarge => {
            let head = ResponseHead::new(Status::BAD_REQUEST, Fields::EMPTY);
            let _ = link.respond(stream, &head, Body::Whole(b""), None, now, out);
        }
        _ => {}
    }
}

fn open(
    link: &mut Link,
    stream: u32,
    head: &RequestHead<'_>,
    now: Instant,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let opening = handshake::check(head)?;
    opening.check_origin(&Origins::SameHost)?;
    // Refused only for a subprotocol that was not offered.
    if let Ok(accepted) = handshake::accept(&opening, None) {
        let fields = accepted.fields();
        let _ = link.upgrade_websocket(stream, fields.as_fields(), false, None, now, out);
    }
    Ok(())
}
