//! Which cells a run has, and how much time each gets.

use std::time::Duration;

use crate::cells::{Cell, Task, Transport};
use crate::measure::Effort;
use crate::payload::Payload;

/// How long a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Twenty seconds.
    Quick,
    /// Two minutes.
    Default,
    /// Under an hour.
    Full,
}

impl Mode {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Default => "default",
            Self::Full => "full",
        }
    }

    /// The effort for each cell.
    pub const fn effort(self) -> Effort {
        let ms = Duration::from_millis;
        match self {
            Self::Quick => Effort {
                rounds: 3,
                round: ms(60),
                latency: ms(120),
                members: 100,
                idle: 200,
                connects: 10,
            },
            Self::Default => Effort {
                rounds: 3,
                round: ms(150),
                latency: ms(300),
                members: 1_000,
                idle: 1_000,
                connects: 24,
            },
            Self::Full => Effort {
                rounds: 5,
                round: ms(600),
                latency: ms(2_500),
                members: 1_000,
                idle: 10_000,
                connects: 100,
            },
        }
    }

    const fn tasks(self) -> &'static [Task] {
        match self {
            Self::Quick => &[Task::Request, Task::Connect],
            Self::Default => &[
                Task::Request,
                Task::Connect,
                Task::Pushes,
                Task::Upload,
                Task::BothWays,
                Task::FanOut,
            ],
            Self::Full => &Task::ALL,
        }
    }

    fn has(self, cell: Cell) -> bool {
        match (self, cell.task) {
            (Self::Full, _) => true,
            // What a handshake costs needs TLS, which the other tasks of short runs leave out.
            (_, Task::Connect) => cell.payload == Payload::Tiny,
            (Self::Default, Task::Request) => cell.payload == Payload::Kib,
            _ => cell.payload == Payload::Kib && !cell.secure,
        }
    }
}

/// The cells of a run that make sense, in order, and those that do not, with the reason.
pub fn plan(mode: Mode, only: Option<&str>) -> (Vec<Cell>, Vec<(Cell, &'static str)>) {
    let (mut cells, mut left_out) = (Vec::new(), Vec::new());
    for &task in mode.tasks() {
        for transport in Transport::ALL {
            let is_named = |it: &str| transport.name().contains(it) || task.name().contains(it);
            if !only.is_none_or(is_named) {
                continue;
            }
            for payload in Payload::ALL {
                for secure in [false, true] {
                    let cell = Cell {
                        transport,
                        task,
                        payload,
                        secure,
                    };
                    match cell.check() {
                        Err(why) => left_out.push((cell, why)),
                        Ok(()) if mode.has(cell) => cells.push(cell),
                        Ok(()) => {}
                    }
                }
            }
        }
    }
    (cells, left_out)
}
