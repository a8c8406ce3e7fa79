//! Bodies that blocking work writes, through [`std::io::Write`].
//!
//! ```text
//!   work ──write──► BodyWriter ──piece──► mailbox ──► Written ──► Stream::write
//!                       ▲                                │
//!                       └── waits while WINDOW is out ◄──┘ the client has room
//! ```

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::mem;
use core::panic::AssertUnwindSafe;
use std::io::{self, ErrorKind, Write};
use std::panic::catch_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::pool::{Pool, Ticket};
use super::session::busy;
use crate::app::exchange::refusal::Done;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::stream::{Stream, Streaming};
use crate::http::{FieldBuffer, Status};
use crate::link::EndReason;
use crate::net::report::report;
use crate::net::{Claim, Context, Exchange, Flow, Owner, Remote, Resource};

/// Bytes that are gathered before the loop gets them.
const PIECE: usize = 16 << 10;

/// Bytes that the loop has, and the client no room for; then writing blocks.
const WINDOW: usize = 4 * PIECE;

impl Reply<'_, '_> {
    /// Sends what `work` writes, which runs on a thread where it may block: what
    /// `serde_json::to_writer`, `csv`, `zip` and others write to an [`io::Write`] becomes the
    /// body as it is made.
    ///
    /// ```
    /// use barewire::app::App;
    /// use std::io::Write;
    ///
    /// App::new().get("/numbers.csv", |_request, reply| {
    ///     reply.header("Content-Type", "text/csv").blocking_writer(|body| {
    ///         writeln!(body, "number,square")?;
    ///         for number in 0..1_000_000_u64 {
    ///             writeln!(body, "{number},{}", number * number)?;
    ///         }
    ///         Ok(())
    ///     })
    /// });
    /// ```
    ///
    /// 16 KiB are gathered for one piece, or what there is at a
    /// [`flush`](Write::flush). Writing blocks while 64 KiB wait for a client that is slow,
    /// and is a [`BrokenPipe`](ErrorKind::BrokenPipe) once it has gone, or wants no body
    /// (HEAD). The head leaves with the first piece: an error before that is answered with
    /// 500, and a later one, or a panic, ends the exchange, so that the client does not take
    /// the part for the whole. Threads, their limits and what happens at a shutdown are
    /// those of [`blocking`](Self::blocking).
    pub fn blocking_writer(
        mut self,
        work: impl FnOnce(&mut BodyWriter) -> io::Result<()> + Send + 'static,
    ) -> Done {
        let job = match self.at().context.claim(Resource::Jobs) {
            Ok(job) => job,
            Err(exhausted) => {
                let subject = self.at().subject();
                report!(Warn, "{subject}: 503, as {exhausted}");
                return self.refuse(busy());
            }
        };
        let (status, length) = self.announced();
        let at = self.at();
        let pool = at.loop_state.pool.clone();
        let pipe = Arc::<Pipe>::default();
        let writer = BodyWriter::new(at.context, pipe.clone());
        match pool.submit(Box::new(move || run(writer, job, work))) {
            Ok(ticket) => self.receive(Written {
                pipe,
                pool,
                ticket,
                status,
                length,
                begun: false,
                blocked: 0,
                waiting: VecDeque::new(),
            }),
            Err(work) => {
                pipe.leave(); // so that nothing is posted
                drop(work);
                let subject = self.at().subject();
                report!(
                    Warn,
                    "{subject}: 503, as there is no room for more blocking work"
                );
                self.refuse(busy())
            }
        }
    }
}

/// Does the work, and says how it has ended.
fn run(mut writer: BodyWriter, claim: Claim, work: impl FnOnce(&mut BodyWriter) -> io::Result<()>) {
    if !writer.is_wanted() {
        return;
    }
    let written = catch_unwind(AssertUnwindSafe(|| work(&mut writer)));
    drop(claim); // before its client can ask for the next
    let end = match written {
        Ok(Ok(())) => writer.flush().map_or_else(End::Failed, |()| End::Complete),
        Ok(Err(error)) => End::Failed(error),
        Err(_) => End::Panicked,
    };
    writer.post(Part::End(end));
}

/// The body of a reply, as [blocking work](Reply::blocking_writer) writes it.
#[derive(Debug)]
pub struct BodyWriter {
    pipe: Arc<Pipe>,
    remote: Remote,
    owner: Owner,
    exchange: Exchange,
    gathered: Vec<u8>,
}

impl BodyWriter {
    fn new(context: &Context<'_>, pipe: Arc<Pipe>) -> Self {
        Self {
            pipe,
            remote: context.remote(),
            owner: context.owner(),
            exchange: context.exchange(),
            gathered: Vec::new(),
        }
    }

    /// Whether the client still reads. Work that takes long between two writes asks this
    /// now and then.
    pub fn is_wanted(&self) -> bool {
        !self.pipe.lock().has_left
    }

    /// Gives the loop a part, however full its mailbox: `Pipe` bounds how much there is.
    fn post(&self, part: Part) {
        let part = Box::new(part);
        self.remote.answer(self.owner, self.exchange, part);
    }

    /// Waits until there is room, and gives the loop what was gathered.
    fn pass_on(&mut self) -> io::Result<()> {
        let mut state = self.pipe.lock();
        while state.out >= WINDOW && !state.has_left {
            let waited = self.pipe.room.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        if state.has_left {
            return Err(ErrorKind::BrokenPipe.into());
        }
        state.out += self.gathered.len();
        drop(state);
        let piece = mem::replace(&mut self.gathered, Vec::with_capacity(PIECE));
        self.post(Part::Piece(piece.into()));
        Ok(())
    }
}

impl Write for BodyWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.gathered.len() >= PIECE {
            self.pass_on()?;
        }
        let room = PIECE - self.gathered.len().min(PIECE);
        let taken = data.get(..room).unwrap_or(data);
        self.gathered.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// Gives the loop what was written. It does not wait for the client to read it.
    fn flush(&mut self) -> io::Result<()> {
        match self.gathered.is_empty() {
            true if self.is_wanted() => Ok(()),
            true => Err(ErrorKind::BrokenPipe.into()),
            false => self.pass_on(),
        }
    }
}

/// What a writer and its exchange share.
#[derive(Debug, Default)]
struct Pipe {
    state: Mutex<State>,
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes that the loop got, and the client has no room for.
    out: usize,
    has_left: bool,
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_room(&self, bytes: usize) {
        let mut state = self.lock();
        state.out = state.out.saturating_sub(bytes);
        drop(state);
        self.room.notify_one();
    }

    fn leave(&self) {
        self.lock().has_left = true;
        self.room.notify_one();
    }
}

/// What a writer gives its exchange.
enum Part {
    Piece(Bytes),
    End(End),
}

enum End {
    Complete,
    Failed(io::Error),
    Panicked,
}

/// The exchange of a writer, on its loop.
struct Written {
    pipe: Arc<Pipe>,
    pool: Pool,
    ticket: Ticket,
    status: Status,
    length: Option<u64>,
    /// The head has left.
    begun: bool,
    /// Bytes that were written, and that the client has no room for.
    blocked: usize,
    /// What came since then.
    waiting: VecDeque<Part>,
}

impl Written {
    fn begin(&mut self, stream: &mut Stream<'_, '_>) {
        if !mem::replace(&mut self.begun, true) {
            stream.start(self.status, &FieldBuffer::new(), self.length);
        }
    }

    fn take(&mut self, stream: &mut Stream<'_, '_>, part: Part) {
        match part {
            Part::Piece(piece) => {
                self.begin(stream);
                let bytes = piece.len();
                match stream.write_shared(piece) {
                    Flow::Wait => self.blocked = bytes,
                    Flow::Go | Flow::Over(_) => self.pipe.make_room(bytes),
                }
            }
            Part::End(End::Complete) => {
                self.length = self.length.or((!self.begun).then_some(0));
                self.begin(stream);
                stream.finish();
            }
            Part::End(End::Failed(error)) => {
                stream.fail(format_args!("its body cannot be written: {error}"));
            }
            Part::End(End::Panicked) => stream.panicked(),
        }
    }
}

impl Streaming for Written {
    fn mail(&mut self, stream: &mut Stream<'_, '_>, mail: Box<dyn Any + Send>) {
        let Ok(part) = mail.downcast::<Part>() else {
            return;
        };
        match self.blocked {
            0 => self.take(stream, *part),
            _ => self.waiting.push_back(*part),
        }
    }

    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        self.pipe.make_room(mem::take(&mut self.blocked));
        while self.blocked == 0
            && !stream.is_finished()
            && let Some(part) = self.waiting.pop_front()
        {
            self.take(stream, part);
        }
    }

    fn closed(&mut self, _: EndReason) {
        self.pipe.leave();
    }
}

/// Also where the exchange has panicked, or wants no body.
impl Drop for Written {
    fn drop(&mut self) {
        self.pipe.leave();
        self.pool.cancel(self.ticket);
    }
}
