//! An allocator that counts what the thread of a loop allocates.
#![allow(dead_code, reason = "each test file uses its part")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::alloc::System;

struct Counting;

pub(crate) static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// Bytes allocated and not freed since the thread is counted, with what an
/// allocator needs for each piece itself.
pub(crate) static LIVE: AtomicI64 = AtomicI64::new(0);

/// What allocators need for a piece, and lose by rounding up.
const PIECE: i64 = 16;

thread_local! {
    /// Whether this thread is the loop's. The test's own and the harness's, which
    /// says so when a test takes long, allocate as they like.
    pub(crate) static COUNTS: Cell<bool> = const { Cell::new(false) };
}

#[allow(unsafe_code, reason = "an allocator is unsafe to write")]
// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTS.get() {
            ALLOCATIONS.fetch_add(1, Relaxed);
            LIVE.fetch_add(layout.size() as i64 + PIECE, Relaxed);
        }
        // SAFETY: as the caller has promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if COUNTS.get() {
            LIVE.fetch_sub(layout.size() as i64 + PIECE, Relaxed);
        }
        // SAFETY: as the caller has promised.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The fewest of three rounds, of which one without any is enough: a connection whose peer
/// is held up for seconds is at rest meanwhile, which allocates and is no part of a round.
pub(crate) fn fewest(mut round: impl FnMut() -> u64) -> u64 {
    let mut fewest = u64::MAX;
    for _ in 0..3 {
        fewest = fewest.min(round());
        if fewest == 0 {
            break;
        }
    }
    fewest
}
