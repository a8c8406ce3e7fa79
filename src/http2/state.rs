//! The life of a stream (RFC 9113 §5.1), as one table.
//!
//! ```text
//!               HEADERS either way
//!     Idle ---------------------------> Open
//!                                      /    \
//!                    END_STREAM sent  /      \  END_STREAM received
//!                                    v        v
//!                     HalfClosedLocal          HalfClosedRemote
//!                                    \        /
//!             END_STREAM received     v      v   END_STREAM sent
//!                                      Closed  <-- RST_STREAM, from anywhere
//! ```
//!
//! Pushes are refused before they reach a stream, so the reserved states do
//! not exist here.

/// Where a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Idle,
    Open,
    /// We have ended our side.
    HalfClosedLocal,
    /// The peer has ended its side.
    HalfClosedRemote,
    Closed,
}

/// A frame on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    Headers { end: bool },
    Data { end: bool },
    Reset,
    WindowUpdate,
}

/// Who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Us,
    Peer,
}

/// Why a frame cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The stream is idle: PROTOCOL_ERROR.
    Idle,
    /// This side of the stream has been ended: STREAM_CLOSED.
    Ended,
    /// The stream is closed.
    Closed,
}

impl State {
    /// Where the stream is after a frame.
    pub(super) const fn after(self, by: By, frame: Frame) -> Result<Self, Refused> {
        match (self, by, frame) {
            (Self::Idle, By::Us, Frame::Headers { end: true }) => Ok(Self::HalfClosedLocal),
            (Self::Idle, By::Peer, Frame::Headers { end: true }) => Ok(Self::HalfClosedRemote),
            (Self::Idle, _, Frame::Headers { end: false }) => Ok(Self::Open),
            (Self::Idle, _, Frame::Data { .. } | Frame::Reset | Frame::WindowUpdate) => {
                Err(Refused::Idle)
            }

            (Self::Open, By::Us, Frame::Headers { end: true } | Frame::Data { end: true }) => {
                Ok(Self::HalfClosedLocal)
            }
            (Self::Open, By::Peer, Frame::Headers { end: true } | Frame::Data { end: true }) => {
                Ok(Self::HalfClosedRemote)
            }
            (
                Self::Open,
                _,
                Frame::Headers { end: false } | Frame::Data { end: false } | Frame::WindowUpdate,
            ) => Ok(Self::Open),

            (Self::HalfClosedLocal, By::Us, Frame::Headers { .. } | Frame::Data { .. }) => {
                Err(Refused::Ended)
            }
            (
                Self::HalfClosedLocal,
                By::Peer,
                Frame::Headers { end: true } | Frame::Data { end: true },
            ) => Ok(Self::Closed),
            (
                Self::HalfClosedLocal,
                By::Peer,
                Frame::Headers { end: false } | Frame::Data { end: false },
            )
            | (Self::HalfClosedLocal, _, Frame::WindowUpdate) => Ok(Self::HalfClosedLocal),

            (Self::HalfClosedRemote, By::Peer, Frame::Headers { .. } | Frame::Data { .. }) => {
                Err(Refused::Ended)
            }
            (
                Self::HalfClosedRemote,
                By::Us,
                Frame::Headers { end: true } | Frame::Data { end: true },
            ) => Ok(Self::Closed),
            (
                Self::HalfClosedRemote,
                By::Us,
                Frame::Headers { end: false } | Frame::Data { end: false },
            )
            | (Self::HalfClosedRemote, _, Frame::WindowUpdate) => Ok(Self::HalfClosedRemote),

            (Self::Open | Self::HalfClosedLocal | Self::HalfClosedRemote, _, Frame::Reset) => {
                Ok(Self::Closed)
            }

            // Frames that crossed the end on their way.
            (Self::Closed, By::Peer, Frame::Reset | Frame::WindowUpdate) => Ok(Self::Closed),
            (Self::Closed, By::Peer, Frame::Headers { .. } | Frame::Data { .. })
            | (Self::Closed, By::Us, _) => Err(Refused::Closed),
        }
    }

    /// Whether the peer may still send on it.
    pub(super) const fn receives(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedLocal)
    }

    /// Whether we may still send on it.
    pub(super) const fn sends(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedRemote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 5] = [
        State::Idle,
        State::Open,
        State::HalfClosedLocal,
        State::HalfClosedRemote,
        State::Closed,
    ];
    const FRAMES: [Frame; 6] = [
        Frame::Headers { end: false },
        Frame::Headers { end: true },
        Frame::Data { end: false },
        Frame::Data { end: true },
        Frame::Reset,
        Frame::WindowUpdate,
    ];

    const fn mirrored(state: State) -> State {
        match state {
            State::HalfClosedLocal => State::HalfClosedRemote,
            State::HalfClosedRemote => State::HalfClosedLocal,
            State::Idle | State::Open | State::Closed => state,
        }
    }

    #[test]
    fn both_sides_follow_the_same_table() {
        for state in STATES {
            for frame in FRAMES {
                let ours = state.after(By::Us, frame);
                let theirs = mirrored(state).after(By::Peer, frame);
                if state != State::Closed {
                    assert_eq!(ours.map(mirrored), theirs, "{state:?} {frame:?}");
                }
            }
        }
    }

    #[test]
    fn content_needs_an_open_side_and_an_end_closes_it() {
        for state in STATES {
            for end in [false, true] {
                let data = state.after(By::Peer, Frame::Data { end });
                assert_eq!(data.is_ok(), state.receives());
                if let Ok(next) = data {
                    assert_eq!(next.receives(), !end);
                    assert_eq!(next.sends(), state.sends());
                }
                let data = state.after(By::Us, Frame::Data { end });
                assert_eq!(data.is_ok(), state.sends());
            }
            let reset = state.after(By::Peer, Frame::Reset);
            assert_eq!(reset.is_ok(), state != State::Idle);
            assert!(reset.is_err() || reset == Ok(State::Closed));
        }
    }
}
