//! The board on which clients note what has happened, and the driver reads it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Clones are the same board. Calls of gRPC end on it from closures that have to be `Send`.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    done: Vec<usize>,
    opened: usize,
    failure: Option<String>,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was under way in this place is complete.
    pub fn done(&self, slot: usize) {
        self.lock().done.push(slot);
    }

    /// A stream is open, on which answers will come.
    pub fn opened(&self) {
        self.lock().opened += 1;
    }

    /// Something went wrong; the first cause is kept.
    pub fn fail(&self, why: impl ToString) {
        self.lock().failure.get_or_insert_with(|| why.to_string());
    }

    /// Notes the one or the other.
    pub fn end<T, E: ToString>(&self, slot: usize, result: std::result::Result<T, E>) {
        match result {
            Ok(_) => self.done(slot),
            Err(error) => self.fail(error.to_string()),
        }
    }

    /// How many streams are open.
    pub fn open_count(&self) -> usize {
        self.lock().opened
    }

    /// Takes the places that are free again.
    ///
    /// # Errors
    /// What went wrong.
    pub fn take(&self, into: &mut Vec<usize>) -> std::result::Result<(), String> {
        let mut state = self.lock();
        into.append(&mut state.done);
        state.failure.take().map_or(Ok(()), Err)
    }
}
