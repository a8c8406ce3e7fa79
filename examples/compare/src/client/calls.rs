//! Calls of gRPC, gRPC-Web and Connect: unary, and streams of all three kinds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use barewire::client::{
    CallListener, CallOptions, Channel, ChannelLimits, Ending, GrpcChannelOptions, Outgoing,
};
use barewire::grpc::{Code, Json, Payload as Codec, Proto, Protocol};
use barewire::net::{Flow, Loop};

use super::{Client, Job};
use crate::Result;
use crate::board::Board;
use crate::cells::{Cell, MESSAGES, Task, Transport, window};
use crate::payload::{Payload, Text, Users};
use crate::server::{JSON, PROTO};

/// A client whose messages are Protocol Buffers.
pub(super) fn protobuf(job: Job<'_>, events: &mut Loop) -> Result<impl Client + use<>> {
    Calls::<Proto<Text>, Proto<Users>>::open(job, events, PROTO, Proto)
}

/// A client whose messages are JSON.
pub(super) fn json(job: Job<'_>, events: &mut Loop) -> Result<impl Client + use<>> {
    Calls::<Json<Text>, Json<Users>>::open(job, events, JSON, Json)
}

struct Calls<T, U> {
    channels: Vec<Channel>,
    listening: Vec<Outgoing<T>>,
    service: &'static str,
    message: T,
    named: T,
    cell: Cell,
    board: Board,
    list: std::marker::PhantomData<fn() -> U>,
}

impl<T, U> Calls<T, U>
where
    T: Codec + Clone + Send + 'static,
    U: Codec + Send + 'static,
{
    fn open(
        job: Job<'_>,
        events: &mut Loop,
        service: &'static str,
        wrap: fn(Text) -> T,
    ) -> Result<Self> {
        let mut channels = Vec::with_capacity(job.slots);
        // Room for the messages of `window`, as a WebSocket has it.
        let limits = ChannelLimits::DEFAULT.with_unsent(1 << 20);
        for _ in 0..job.slots {
            let options = GrpcChannelOptions::new().no_proxy().limits(limits);
            let options = match job.cell.transport {
                Transport::GrpcWeb => options.protocol(Protocol::GrpcWeb).http1(),
                Transport::Connect => options.protocol(Protocol::Connect).http1(),
                _ => options,
            };
            let options = match &job.target.tls {
                Some(tls) => options.tls(tls.client.clone()),
                None => options,
            };
            channels.push(Channel::on(events, &job.target.url("http", ""), options)?);
        }
        let body = job.cell.payload.name().to_owned();
        let mut new = Self {
            channels,
            listening: Vec::new(),
            service,
            message: wrap(Text::of(job.cell.payload)),
            named: wrap(Text { body }),
            cell: job.cell,
            board: job.board.clone(),
            list: std::marker::PhantomData,
        };
        if job.cell.task == Task::FanOut {
            for slot in 0..job.slots {
                let call = new.stream(slot, "All", usize::MAX, &Arc::default())?;
                call.send(&new.named)?;
                call.close_sending();
                new.listening.push(call);
            }
        }
        Ok(new)
    }

    fn path(&self, method: &str) -> String {
        format!("/{}/{method}", self.service)
    }

    fn unary<O: Codec + Send + 'static>(&self, slot: usize, method: &str) -> Result<()> {
        let board = self.board.clone();
        let done = move |answer| board.end(slot, answer);
        let options = CallOptions::new();
        self.channels[slot].unary_then::<T, O>(&self.path(method), &self.message, options, done)?;
        Ok(())
    }

    /// A call that gets so many messages, and sends so many more when it has got one, or where
    /// there is room.
    fn stream(
        &self,
        slot: usize,
        method: &str,
        wanted: usize,
        left: &Arc<AtomicUsize>,
    ) -> Result<Outgoing<T>> {
        let listener = Listener {
            slot,
            board: self.board.clone(),
            task: self.cell.task,
            message: self.message.clone(),
            wanted,
            received: 0,
            left: left.clone(),
        };
        Ok(self.channels[slot].open(&self.path(method), CallOptions::new(), listener)?)
    }
}

impl<T, U> Client for Calls<T, U>
where
    T: Codec + Clone + Send + 'static,
    U: Codec + Send + 'static,
{
    fn start(&mut self, slot: usize, _events: &mut Loop) -> Result<()> {
        let left = Arc::new(AtomicUsize::new(0));
        match (self.cell.task, self.cell.payload) {
            (Task::FanOut, _) => {}
            (Task::Pushes, _) => {
                let call = self.stream(slot, "Pushes", MESSAGES, &left)?;
                call.send(&self.named)?;
                call.close_sending();
            }
            (Task::Upload, _) => {
                left.store(MESSAGES, Ordering::Relaxed);
                let call = self.stream(slot, "Upload", 1, &left)?;
                while send(&call, &left, &self.message, &self.board) == Some(Flow::Go) {}
            }
            (Task::BothWays, _) => {
                left.store(MESSAGES, Ordering::Relaxed);
                let call = self.stream(slot, "Both", MESSAGES, &left)?;
                for _ in 0..window(self.cell.payload) {
                    send(&call, &left, &self.message, &self.board);
                }
            }
            (_, Payload::Users) => self.unary::<U>(slot, "Users")?,
            _ => self.unary::<T>(slot, "Echo")?,
        }
        Ok(())
    }
}

struct Listener<T> {
    slot: usize,
    board: Board,
    task: Task,
    message: T,
    wanted: usize,
    received: usize,
    left: Arc<AtomicUsize>,
}

/// Sends one more, if there is one left, and says behind the last that no more comes.
fn send<T: Codec>(
    call: &Outgoing<T>,
    left: &AtomicUsize,
    message: &T,
    board: &Board,
) -> Option<Flow> {
    let rest = left.load(Ordering::Relaxed).checked_sub(1)?;
    left.store(rest, Ordering::Relaxed);
    let flow = call.send(message);
    if rest == 0 {
        call.close_sending();
    }
    flow.map_err(|error| board.fail(error)).ok()
}

impl<T: Codec + Send + 'static> CallListener for Listener<T> {
    type Request = T;
    type Response = T;

    fn message(&mut self, _message: T, call: &Outgoing<T>) {
        self.received += 1;
        match self.task {
            Task::FanOut => self.board.done(self.slot),
            Task::BothWays => {
                send(call, &self.left, &self.message, &self.board);
            }
            _ => {}
        }
    }

    fn writable(&mut self, call: &Outgoing<T>) {
        if self.task == Task::Upload {
            while send(call, &self.left, &self.message, &self.board) == Some(Flow::Go) {}
        }
    }

    fn end(self, ending: Ending) {
        match ending.code() {
            Code::Ok if self.received == self.wanted => self.board.done(self.slot),
            Code::Cancelled => {}
            _ => self
                .board
                .fail(format!("{ending}, after {} messages", self.received)),
        }
    }
}
