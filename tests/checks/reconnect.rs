//! What one that reconnects decides, under any clock, dice and server.
//!
//! Each byte is an act: of the application, of time, of the network or of the server.

use core::time::Duration;

use barewire::client::{
    Closed, Receipt, ReceiptState, ReconnectError, ReconnectEvent, ReconnectLimits,
    ReconnectOptions, ReconnectTask, Reconnector, ToWrite, UnknownPolicy,
};
use barewire::websocket::CloseCode;
use barewire::wire::Instant;

/// What lies in the output of a connection.
enum Frame {
    Message(u64),
    Ping([u8; 8]),
    Close,
}

/// The world around it.
struct World {
    core: Reconnector,
    now: Instant,
    sends_again: bool,
    receipts: Vec<Receipt>,
    /// The connection that is open: its frames, with their ends.
    frames: Vec<(u64, Frame)>,
    put: u64,
    handed_over: u64,
    /// How many frames the server has read.
    read: usize,
    pongs: Vec<[u8; 8]>,
    has_close: bool,
    seen: Vec<u64>,
    is_over: bool,
}

const LIMITS: ReconnectLimits = ReconnectLimits::DEFAULT.with_messages(20).with_bytes(300);

/// Whatever happens, messages arrive in order, none twice unless that was asked for, what is
/// said of them is true, and no more is held than the limits say.
pub fn reconnect(data: &[u8]) {
    let [switches, acts @ ..] = data else { return };
    let sends_again = switches & 1 != 0;
    let options = ReconnectOptions::new()
        .limits(LIMITS)
        .unknown(match sends_again {
            true => UnknownPolicy::SendAgain,
            false => UnknownPolicy::Report,
        });
    let options = match switches & 2 {
        0 => options,
        _ => options.attempts(3),
    };
    let mut world = World {
        core: Reconnector::new(options),
        now: Instant::START,
        sends_again,
        receipts: Vec::new(),
        frames: Vec::new(),
        put: 0,
        handed_over: 0,
        read: 0,
        pongs: Vec::new(),
        has_close: false,
        seen: Vec::new(),
        is_over: false,
    };
    for &act in acts {
        world.act(act);
        world.look();
    }
    world.end();
}

impl World {
    fn act(&mut self, act: u8) {
        let much = u64::from(act >> 3);
        match act & 7 {
            0 => self.send(much),
            1 => self.step(),
            2 => self.write(),
            3 => {
                if self.core.is_open() {
                    self.handed_over = self.put.min(self.handed_over + much * 3);
                    self.core.handed_over(self.handed_over, self.now);
                }
            }
            4 => self.server_reads(much),
            5 => {
                if let Some(pong) = self.pongs.pop()
                    && self.core.is_open()
                {
                    self.core.pong(&pong);
                }
            }
            6 => self.lose(much),
            _ => match much {
                0 => drop(self.core.try_now()),
                1 => self.core.reconnect(Duration::from_secs(2)),
                2 => self.core.close(self.now),
                3 => self.core.pong(b"what"),
                4 => self.core.pong(&1_u64.to_be_bytes()),
                more => self.now += Duration::from_millis(1 << more.min(16)),
            },
        }
    }

    fn send(&mut self, length: u64) {
        let id = self.receipts.len() as u64 + 1;
        let mut message = id.to_be_bytes().to_vec();
        message.resize(8 + length as usize, b'x');
        match self.core.send(message.into()) {
            Ok(receipt) => {
                assert_eq!(receipt.id(), id);
                self.receipts.push(receipt);
            }
            Err(ReconnectError::Full(_)) => assert!(!self.is_over),
            Err(_) => {}
        }
    }

    fn step(&mut self) {
        match self.core.task(self.now) {
            ReconnectTask::Connect(_) => {
                (self.put, self.handed_over, self.read) = (100, 100, 0);
                self.frames.clear();
                self.pongs.clear();
                self.has_close = false;
                self.core.opened(None, self.now);
            }
            ReconnectTask::Wait(until) => {
                assert!(until > self.now);
                if until != Instant::NEVER {
                    self.now = until;
                }
            }
            ReconnectTask::Serve => {
                if let Some(closed) = self.core.elapsed(self.now) {
                    self.core.lost(closed, self.now, 1 << 63);
                } else if let Some(deadline) = self.core.deadline() {
                    self.now = self.now.max(deadline);
                }
            }
            other => assert_eq!(other, ReconnectTask::Over),
        }
    }

    fn write(&mut self) {
        for _ in 0..8 {
            let frame = match self.core.next(self.now) {
                None => return,
                Some(ToWrite::Message(message)) => {
                    let id = message.payload()[..8].try_into().unwrap();
                    Frame::Message(u64::from_be_bytes(id))
                }
                Some(ToWrite::Ping(payload)) => Frame::Ping(payload),
                Some(ToWrite::Close { .. }) => Frame::Close,
                Some(other) => panic!("{other:?}"),
            };
            assert!(!self.has_close, "nothing follows a Close frame");
            self.has_close |= matches!(frame, Frame::Close);
            let from = self.put;
            self.put += 7;
            self.core.placed(from, self.put, self.now);
            self.frames.push((self.put, frame));
        }
    }

    /// The server reads at most so many frames of what the kernel has taken.
    fn server_reads(&mut self, most: u64) {
        for _ in 0..most {
            let Some((end, frame)) = self.frames.get(self.read) else {
                return;
            };
            if *end > self.handed_over {
                return;
            }
            self.read += 1;
            match frame {
                Frame::Message(id) => {
                    if !self.sends_again {
                        let last = self.seen.last().copied().unwrap_or(0);
                        assert!(*id > last, "{id} behind {last}");
                    }
                    self.seen.push(*id);
                }
                Frame::Ping(payload) => self.pongs.push(*payload),
                Frame::Close => {}
            }
        }
    }

    fn lose(&mut self, code: u64) {
        if !self.core.is_open() && !matches!(self.core.task(self.now), ReconnectTask::Connect(_)) {
            return;
        }
        let closed = match code {
            0 => Closed::ByPeer {
                code: CloseCode::NORMAL,
                reason: String::new(),
            },
            _ => Closed::Lost("cable".into()),
        };
        self.core.lost(closed, self.now, code << 59);
    }

    /// Looks at all that can be seen.
    fn look(&mut self) {
        while let Some(event) = self.core.event() {
            assert!(!self.is_over, "{event:?} behind the end");
            self.is_over = matches!(
                event,
                ReconnectEvent::GaveUp { .. } | ReconnectEvent::Finished { .. }
            );
            if let ReconnectEvent::Closed { unknown, .. } = event {
                assert!(!self.sends_again || unknown.is_empty());
            }
        }
        assert_eq!(self.core.is_over(), self.is_over);
        let (count, bytes) = self.core.held();
        assert!(count <= LIMITS.messages && bytes <= LIMITS.bytes);
    }

    fn end(mut self) {
        self.core.abandon();
        self.look();
        for receipt in &self.receipts {
            let has_come = self.seen.contains(&receipt.id());
            match receipt.state() {
                ReceiptState::Confirmed => assert!(has_come, "{receipt:?}"),
                ReceiptState::Unknown => {}
                ReceiptState::Unsent => assert!(!has_come || self.sends_again, "{receipt:?}"),
                state => panic!("{receipt:?}: {state:?}"),
            }
        }
    }
}
