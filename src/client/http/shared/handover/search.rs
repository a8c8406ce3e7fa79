//! All interleavings of threads that share a connection, one after another: whatever
//! order they run in, no thread sleeps for ever whose news has come.
//!
//! A thread is a machine whose steps are what happens between two releases of the lock,
//! or one wake-up. The server answers whenever it likes, and a thread gives up whenever
//! it likes, as at a deadline, a cancel or a panic. The search takes each step that is
//! possible in each state that can be reached.

use alloc::vec::Vec;
use std::collections::HashSet;

use super::{Duty, Handover};

/// Where a thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    /// About to take the lock, and to look for news. With `true` it has given up.
    Lock { gives_up: bool },
    /// It waits for the socket, without the lock.
    Polls,
    /// It has seen the socket ready, and is about to take the lock.
    Reads,
    /// It waits for its bell.
    Sleeps,
    /// All its calls are over.
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Thread {
    at: At,
    /// Calls to come, the present one included.
    calls: u8,
    /// The present request was sent, and not answered.
    asked: bool,
    /// An answer was read for it.
    news: bool,
    bell: bool,
    /// Bells that it still has to ring.
    rings: Vec<usize>,
    /// How often it may give up.
    patience: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    threads: Vec<Thread>,
    handover: Handover,
    /// Answers that the socket holds, by thread.
    socket: Vec<usize>,
}

/// A mistake made on purpose, to see that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// One that was appointed is not woken.
    SilentAppointment,
    /// One that gives up does not say so.
    NoGoodbye,
    /// News is stored and its thread is not woken.
    SilentNews,
    /// A thread sleeps although there is news for it.
    Blind,
}

impl World {
    fn new(threads: usize, calls: u8, patience: u8) -> Self {
        let mut handover = Handover::new();
        (0..threads).for_each(|seat| handover.seat(seat));
        let thread = Thread {
            at: At::Lock { gives_up: false },
            calls,
            asked: true,
            news: false,
            bell: false,
            rings: Vec::new(),
            patience,
        };
        Self {
            threads: alloc::vec![thread; threads],
            handover,
            socket: Vec::new(),
        }
    }

    /// The states that one step leads to, and whether the step comes of itself: that a
    /// thread gives up does not.
    fn next(&self, fault: Fault) -> Vec<(Self, bool)> {
        let mut next = Vec::new();
        for nth in 0..self.threads.len() {
            let thread = &self.threads[nth];
            if thread.asked {
                let mut world = self.clone();
                world.threads[nth].asked = false;
                world.socket.push(nth);
                world.socket.sort_unstable(); // their order does not matter
                next.push((world, true));
            }
            if !thread.rings.is_empty() {
                // It rings before it does anything else.
                let mut world = self.clone();
                let ringing = world.threads[nth].rings.remove(0);
                world.threads[ringing].bell = true;
                next.push((world, true));
                continue;
            }
            let may_give_up = thread.patience > 0;
            match thread.at {
                At::Done => {}
                At::Lock { gives_up } => next.push((self.locked(nth, gives_up, fault), true)),
                At::Polls => {
                    if !self.socket.is_empty() {
                        next.push((self.moved(nth, At::Reads), true));
                    }
                    if may_give_up {
                        next.push((self.gives_up(nth), false));
                    }
                }
                At::Reads => next.push((self.read(nth, fault), true)),
                At::Sleeps => {
                    if thread.bell {
                        let mut world = self.moved(nth, At::Lock { gives_up: false });
                        world.threads[nth].bell = false;
                        next.push((world, true));
                    }
                    if may_give_up {
                        next.push((self.gives_up(nth), false));
                    }
                }
            }
        }
        next
    }

    fn moved(&self, nth: usize, at: At) -> Self {
        let mut world = self.clone();
        world.threads[nth].at = at;
        world
    }

    fn gives_up(&self, nth: usize) -> Self {
        let mut world = self.moved(nth, At::Lock { gives_up: true });
        world.threads[nth].patience -= 1;
        world
    }

    /// The state after a thread that waits has held the lock.
    fn locked(&self, nth: usize, gives_up: bool, fault: Fault) -> Self {
        let mut world = self.clone();
        let has_news = world.threads[nth].news && fault != Fault::Blind;
        if has_news || gives_up {
            if gives_up && !has_news && fault == Fault::NoGoodbye {
                world.over(nth);
                return world;
            }
            let appointed = world.handover.leave(nth);
            let rings = appointed.filter(|_| fault != Fault::SilentAppointment);
            world.threads[nth].rings.extend(rings);
            world.over(nth);
            return world;
        }
        world.threads[nth].at = match world.handover.wait(nth) {
            Duty::Lead => At::Polls,
            Duty::Follow => At::Sleeps,
        };
        world
    }

    /// A call is over: the next one begins.
    fn over(&mut self, nth: usize) {
        // What comes for a call that was given up finds nobody.
        self.socket.retain(|it| *it != nth);
        let thread = &mut self.threads[nth];
        thread.calls -= 1;
        (thread.news, thread.asked) = (false, thread.calls > 0);
        thread.at = match thread.calls {
            0 => At::Done,
            _ => At::Lock { gives_up: false },
        };
    }

    /// The state after a leader has read and held the lock.
    fn read(&self, nth: usize, fault: Fault) -> Self {
        let mut world = self.moved(nth, At::Lock { gives_up: false });
        for seat in core::mem::take(&mut world.socket) {
            world.threads[seat].news = true;
            if world.handover.call(seat) && fault != Fault::SilentNews {
                world.threads[nth].rings.push(seat);
            }
        }
        world
    }

    /// Whether one thread at most waits for the socket or reads from it.
    fn has_one_leader(&self) -> bool {
        let leads = |it: &&Thread| matches!(it.at, At::Polls | At::Reads);
        self.threads.iter().filter(leads).count() <= 1
    }

    fn is_over(&self) -> bool {
        self.threads.iter().all(|it| it.at == At::Done)
    }
}

/// Searches all states; how many there are, or one in which threads wait for ever.
fn search(world: World, fault: Fault) -> Result<usize, World> {
    let mut seen = HashSet::new();
    let mut open = alloc::vec![world];
    while let Some(world) = open.pop() {
        if seen.contains(&world) {
            continue;
        }
        let next = world.next(fault);
        let is_stuck = !next.iter().any(|(_, by_itself)| *by_itself);
        if (is_stuck && !world.is_over()) || !world.has_one_leader() {
            return Err(world);
        }
        open.extend(next.into_iter().map(|(next, _)| next));
        seen.insert(world);
    }
    Ok(seen.len())
}

#[cfg(test)]
mod tests;
