//! Whether a thread is inside of a loop's turn, where nothing may block.

use core::cell::Cell;

std::thread_local! {
    static TURNS: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread runs a turn of a loop at the moment. What blocks then holds up all
/// connections of the loop, and waits for ever for what the loop itself is to bring.
pub(crate) fn is_loop_thread() -> bool {
    TURNS.get() > 0
}

/// Marks the thread for as long as it lives.
pub(super) struct Active(());

impl Active {
    pub(super) fn begin() -> Self {
        TURNS.set(TURNS.get().saturating_add(1));
        Self(())
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        TURNS.set(TURNS.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests;
