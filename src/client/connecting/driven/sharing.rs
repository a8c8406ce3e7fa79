//! A connection that threads share: driving it step by step, so that the lock around it
//! is free while one of them waits.
//!
//! ```text
//!   lock   settle: what time has made due, and what is to be written
//!   ────   SharedSocket::wait: for bytes, for room, or for the alarm
//!   lock   receive: what was read
//! ```

use alloc::sync::Arc;
use std::io;

use super::{Buffer, Driven, READS, Told};
use crate::client::connecting::clock;
use crate::client::connecting::socket::{Alarm, Socket, WaitFor};
use crate::link::EndReason;
use crate::wire::Instant;

/// The socket of a shared connection, as the thread sees it that waits for it.
#[derive(Debug)]
pub(crate) struct SharedSocket {
    socket: Arc<Socket>,
    alarm: Alarm,
}

/// Input that has arrived, and is to be given to the connection.
pub(crate) struct Arrived {
    buffer: Buffer,
    read: io::Result<Option<usize>>,
}

impl SharedSocket {
    /// Waits until `until` for bytes, for room if output is `stuck`, or for the alarm. One
    /// thread waits at a time and hands over what arrives.
    pub(crate) fn wait(&self, stuck: bool, until: Instant) -> Arrived {
        let mut buffer = Buffer::take();
        let left = until.saturating_since(clock::now());
        let wanted = match stuck {
            true => WaitFor::Both,
            false => WaitFor::Bytes,
        };
        let read = match self.socket.wait_alarmed(&self.alarm, wanted, left) {
            Ok(woken) if woken.is_readable => self.socket.read_now(&mut buffer.0),
            Ok(_) => Ok(None),
            Err(error) => Err(error),
        };
        Arrived { buffer, read }
    }

    /// Ends the present wait, or else the next.
    pub(crate) fn sound(&self) {
        self.alarm.sound();
    }
}

impl Driven {
    /// Ends the canceller's hold and returns the socket to wait for. The caller looks for
    /// itself whether it was used.
    pub(crate) fn share(&mut self) -> io::Result<SharedSocket> {
        self.unwatch();
        Ok(SharedSocket {
            socket: self.socket.clone(),
            alarm: Alarm::new(&self.socket)?,
        })
    }

    /// Does what time has made due, and writes what the kernel takes; whether that is all
    /// of it.
    pub(crate) fn settle(&mut self, now: Instant, owner: Told<'_>) -> bool {
        if self.connection.is_due(now) {
            self.connection.elapsed(now, &mut *owner);
        }
        self.push(now, owner)
    }

    pub(crate) fn receive(&mut self, arrived: Arrived, now: Instant, owner: Told<'_>) {
        let Arrived { mut buffer, read } = arrived;
        let has_read = matches!(read, Ok(Some(1..)));
        self.take_read(&mut buffer, read, now, owner);
        if Socket::IS_EDGE_TRIGGERED && has_read {
            self.receive_rest(&mut buffer, usize::MAX, now, owner);
        }
    }

    /// Takes what has arrived while no thread waited, or much of it. No thread may wait
    /// meanwhile.
    pub(crate) fn catch_up(&mut self, now: Instant, owner: Told<'_>) {
        // Nobody has looked: the time since counts against us.
        self.connection.output_waits(now);
        let most = match Socket::IS_EDGE_TRIGGERED {
            true => usize::MAX,
            false => READS, // who waits next takes the rest
        };
        self.receive_rest(&mut Buffer::take(), most, now, owner);
    }

    fn receive_rest(&mut self, buffer: &mut Buffer, most: usize, now: Instant, owner: Told<'_>) {
        for _ in 0..most {
            if self.connection.is_over() {
                return;
            }
            let read = self.socket.read_now(&mut buffer.0);
            if matches!(read, Ok(None)) {
                return;
            }
            let is_end = !matches!(read, Ok(Some(1..)));
            self.take_read(buffer, read, now, owner);
            if is_end {
                return;
            }
        }
    }

    fn take_read(
        &mut self,
        buffer: &mut Buffer,
        read: io::Result<Option<usize>>,
        now: Instant,
        owner: Told<'_>,
    ) {
        match read {
            Ok(None) => {}
            Ok(Some(0)) => self.connection.receive_eof(now, owner),
            Ok(Some(bytes)) => {
                let bytes = buffer.0.get_mut(..bytes).unwrap_or_default();
                self.connection.receive(bytes, now, owner);
            }
            Err(_) => self.connection.closed(EndReason::Reset, owner),
        }
    }

    /// Bytes that were put out so far: those that the kernel has taken, and those that
    /// wait for it.
    pub(crate) fn put_out(&mut self) -> u64 {
        let waiting = self.connection.output().len() - self.written;
        self.handed_over + waiting as u64
    }
}
