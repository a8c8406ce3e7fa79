//! The clients: what is done over each transport, on one loop, as many at one time as there are
//! places. Whatever completes is noted on the board.

mod calls;
mod events;
mod graphql;
mod http;
mod pipelined;
mod polling;
mod sockets;

use std::sync::atomic::{AtomicU64, Ordering};

use barewire::client::ClientOptions;
use barewire::net::{Limits, Loop};

use crate::Result;
use crate::board::Board;
use crate::cells::{Cell, Transport};
use crate::process::Target;

/// A client of one transport for one task.
pub trait Client {
    /// Begins what the task asks for, in a place where nothing is under way.
    ///
    /// # Errors
    /// Why it could not begin.
    fn start(&mut self, slot: usize, events: &mut Loop) -> Result<()>;

    /// How many streams have to be open on the board before it may begin.
    fn streams(&self) -> usize {
        0
    }
}

/// What a client is made of.
#[derive(Clone, Copy)]
pub struct Job<'j> {
    pub cell: Cell,
    pub target: &'j Target,
    pub slots: usize,
    pub board: &'j Board,
}

/// A loop for so many connections.
///
/// # Errors
/// If the system has no poller to give.
pub fn new_loop(slots: usize) -> Result<Loop> {
    let connections = u32::try_from(2 * slots + 64)?;
    let limits = Limits::DEFAULT
        .with_connections(connections)
        .with_memory(1 << 30);
    Ok(Loop::new(limits)?)
}

/// The client of a cell.
///
/// # Errors
/// What the transport's own client says.
pub fn open(job: Job<'_>, events: &mut Loop) -> Result<Box<dyn Client>> {
    use Transport as T;
    Ok(match job.cell.transport {
        T::Http1 | T::Http1Fresh | T::Http2 => Box::new(http::Http::open(job, events)?),
        T::Pipelined => Box::new(pipelined::Pipelined::open(job)?),
        T::WebSocket | T::WebSocketDeflate | T::WebSocketHttp2 => {
            Box::new(sockets::Sockets::open(job, events)?)
        }
        T::Events => Box::new(events::EventStreams::open(job, events)?),
        T::LongPolling => Box::new(polling::Polling::open(job, events)?),
        T::Grpc | T::GrpcWeb => Box::new(calls::protobuf(job, events)?),
        T::Connect => Box::new(calls::json(job, events)?),
        T::GraphQl => Box::new(graphql::OverHttp::open(job, events)?),
        T::GraphQlWs => Box::new(graphql::OverSockets::open(job, events)?),
    })
}

/// The options of a client of HTTP: the version is chosen, never negotiated down.
fn http_options(job: Job<'_>) -> ClientOptions {
    let options = ClientOptions::new().no_proxy();
    let options = match &job.target.tls {
        Some(tls) => options.tls(tls.client.clone()),
        None => options,
    };
    match job.cell.transport.is_http2() {
        true => options.http2_prior_knowledge(),
        false => options.http1_only(),
    }
}

/// A name for a channel that nobody else has.
fn channel() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("c{}", LAST.fetch_add(1, Ordering::Relaxed))
}

/// What a message asks for: the payload again, or the list.
fn asked(cell: Cell) -> &'static str {
    match cell.payload {
        crate::payload::Payload::Users => "users",
        other => other.text(),
    }
}
