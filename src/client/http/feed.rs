//! The pieces of a request's body between who writes them and the connection.

use alloc::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Bytes that may wait before the writer is asked to.
const HIGH: usize = 64 << 10;

/// Pieces that wait for their connection.
#[derive(Debug, Default)]
pub(super) struct Feed(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    is_finished: bool,
    /// None will be taken.
    is_closed: bool,
    is_awaited: bool,
}

pub(super) enum Fed {
    Piece(Bytes),
    Nothing,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Took {
    /// It was taken, and more may follow.
    All,
    /// It was taken, and no more should follow for now.
    Enough,
    Nothing,
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next(&self) -> Fed {
        let mut state = self.lock();
        match state.pieces.pop_front() {
            Some(piece) => {
                state.bytes -= piece.len();
                Fed::Piece(piece)
            }
            None if state.is_finished => Fed::End,
            None => Fed::Nothing,
        }
    }

    pub(super) fn write(&self, piece: Bytes) -> Took {
        let mut state = self.lock();
        if state.is_finished || state.is_closed {
            return Took::Nothing;
        }
        if !piece.is_empty() {
            state.bytes += piece.len();
            state.pieces.push_back(piece);
        }
        state.is_awaited |= state.bytes >= HIGH;
        match state.is_awaited {
            true => Took::Enough,
            false => Took::All,
        }
    }

    pub(super) fn finish(&self) {
        self.lock().is_finished = true;
    }

    /// Takes no more. Returns whether the writer does not know and had not finished.
    pub(super) fn close(&self) -> bool {
        let mut state = self.lock();
        (state.pieces, state.bytes) = (VecDeque::new(), 0);
        !core::mem::replace(&mut state.is_closed, true) && !state.is_finished
    }

    pub(super) fn is_relieved(&self) -> bool {
        let mut state = self.lock();
        state.is_awaited && state.bytes < HIGH / 2 && {
            state.is_awaited = false;
            true
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }
}
