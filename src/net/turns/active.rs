//! The loop whose turn a thread is inside of, where nothing may block.

use core::cell::Cell;

std::thread_local! {
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// Whether this thread runs a turn of a loop at the moment. What blocks then holds up all
/// connections of the loop, and waits for ever for what the loop itself is to bring.
#[cfg(feature = "client")]
pub(crate) fn is_loop_thread() -> bool {
    current() != 0
}

/// The name of the loop whose turn this thread runs; 0 if it runs none.
pub(crate) fn current() -> usize {
    CURRENT.get()
}

/// Marks the thread for as long as it lives.
pub(super) struct Active(usize);

impl Active {
    /// A turn of the loop of this name, which is not 0.
    pub(super) fn begin(name: usize) -> Self {
        Self(CURRENT.replace(name))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

#[cfg(test)]
mod tests;
