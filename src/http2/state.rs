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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Idle,
    Open,
    HalfClosedLocal,
    HalfClosedRemote,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    Headers { end: bool },
    Data { end: bool },
    Reset,
    WindowUpdate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Us,
    Peer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Idle,
    /// This side of the stream has been ended: STREAM_CLOSED.
    Ended,
    Closed,
}

impl State {
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

    pub(super) const fn sends(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedRemote)
    }
}

#[cfg(test)]
mod tests;
