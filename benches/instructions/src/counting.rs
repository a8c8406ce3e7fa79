//! Runs each of the main paths a few times and many times, so that a counter of
//! instructions can take the difference.
//!
//! Before and after each of the two runs stands a call of
//! [`instructions_mark`], which does nothing: `./run` has callgrind write down
//! there what the thread has done since its last call. What is printed says
//! what the marks stand for, a line for each path: its name, the operations of
//! the short run, and those of the long one.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Operations of a short run, and of a long one.
const FEW: u32 = 50;
const MANY: u32 = 550;

/// Where a counter looks.
#[inline(never)]
pub fn instructions_mark() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    CALLS.fetch_add(1, Relaxed);
}

/// Has a path counted: `run` is called with the number of operations, first to
/// pay for what is needed once, and `mark` on the thread that does them.
pub fn count(name: &str, mut mark: impl FnMut(), mut run: impl FnMut(u32)) {
    run(FEW);
    mark();
    run(FEW);
    mark();
    run(MANY);
    mark();
    println!("{name}\t{FEW}\t{MANY}");
}

/// Only those paths whose names begin so, if the program was given an argument.
pub fn wanted(name: &str) -> bool {
    std::env::args()
        .nth(1)
        .is_none_or(|prefix| name.starts_with(&prefix))
}

/// Has the path of a codec counted, one operation a call.
pub fn path(name: &str, mut operation: impl FnMut()) {
    if wanted(name) {
        let run = |operations| (0..operations).for_each(|_| operation());
        count(name, instructions_mark, run);
    }
}
