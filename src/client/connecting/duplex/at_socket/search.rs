//! All interleavings of a receiver and threads that send, one after another: whatever
//! order they run in, no thread waits whose message has left, and what the peer does is
//! always seen.
//!
//! A thread is a machine whose steps are what happens between two releases of the lock, or
//! one wake-up. The peer opens windows and takes output whenever it likes, and a thread
//! begins or gives up whenever it likes. Where nothing moves but these, the rules of
//! [`World::fault_at_rest`] hold.

use alloc::vec::Vec;
use std::collections::HashSet;

use super::{AtSocket, Duty, Who};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    /// Not in a call.
    Away,
    /// About to take the lock, and to look. With `true` it has given up.
    Lock {
        gives_up: bool,
    },
    /// It waits for the socket, without the lock: for bytes, for room.
    Watches {
        bytes: bool,
        room: bool,
    },
    /// It has waited for the socket, and is about to take the lock.
    HasWatched {
        gives_up: bool,
    },
    Sleeps,
    /// It has slept, and is about to take the lock.
    HasSlept {
        gives_up: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Thread {
    at: At,
    /// Calls that may begin.
    calls: u8,
    /// How often it may give up.
    patience: u8,
    /// A message of its own is to be put out when it has the lock.
    has_message: bool,
}

/// The first thread is the receiver.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    threads: Vec<Thread>,
    at_socket: AtSocket,
    alarm: bool,
    /// Messages that wait for the window, and those that wait for the kernel.
    held: u8,
    output: u8,
    /// Windows that the peer has opened and nobody has read, and may still open.
    opened: u8,
    to_open: u8,
    /// Messages that the kernel has room for, and will have.
    room: u8,
    to_make: u8,
    /// Something for the receiver has come, or may still come.
    news: u8,
    to_come: u8,
}

/// What is done wrongly, to see that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// One that has waited for the socket wakes nobody.
    SilentReturn,
    /// A receiver that comes does not sound the alarm.
    SilentReceiver,
    /// A receiver that leaves wakes nobody.
    SilentLeave,
    /// Who has put something out does not sound the alarm.
    SilentOutput,
    /// Who has written what waited does not sound the alarm.
    SilentWriter,
    /// Who sleeps does not look again.
    SilentSleepers,
}

impl World {
    /// Each thread makes so many calls, and gives up so often.
    fn new(senders: usize, calls: u8, patience: u8, room: u8) -> Self {
        let thread = Thread {
            at: At::Away,
            calls,
            patience,
            has_message: false,
        };
        let messages = calls * senders as u8;
        Self {
            threads: alloc::vec![thread; senders + 1],
            at_socket: AtSocket::EMPTY,
            alarm: false,
            held: 0,
            output: 0,
            opened: 0,
            to_open: messages,
            room,
            to_make: messages - room,
            news: 0,
            to_come: 1,
        }
    }

    /// What happens under the lock whoever has it: what can be written is. Whether
    /// something was.
    fn push(&mut self) -> bool {
        let n = self.output.min(self.room);
        self.output -= n;
        self.room -= n;
        n > 0
    }

    /// What the thread at the socket reads.
    fn read(&mut self) {
        let n = self.held.min(self.opened);
        self.opened -= n; // what is not used yet stays for the next
        self.held -= n;
        self.output += n;
    }

    fn has_left(&self) -> bool {
        self.held == 0 && self.output == 0
    }

    fn wake(&mut self) {
        for thread in &mut self.threads {
            if thread.at == At::Sleeps {
                thread.at = At::HasSlept { gives_up: false };
            }
        }
    }

    /// The steps that are possible, and whether each comes of itself.
    fn next(&self, fault: Fault) -> Vec<(Self, bool)> {
        let mut next = Vec::new();
        let mut peer = |change: &dyn Fn(&mut Self)| {
            let mut world = self.clone();
            change(&mut world);
            next.push((world, false));
        };
        if self.to_open > 0 && self.held > 0 {
            peer(&|it| (it.to_open, it.opened) = (it.to_open - 1, it.opened + 1));
        }
        if self.to_make > 0 {
            peer(&|it| (it.to_make, it.room) = (it.to_make - 1, it.room + 1));
        }
        if self.to_come > 0 {
            peer(&|it| (it.to_come, it.news) = (it.to_come - 1, it.news + 1));
        }
        for nth in 0..self.threads.len() {
            self.steps_of(nth, fault, &mut next);
        }
        next
    }

    fn steps_of(&self, nth: usize, fault: Fault, next: &mut Vec<(Self, bool)>) {
        let thread = &self.threads[nth];
        let to = |at: At| {
            let mut world = self.clone();
            world.threads[nth].at = at;
            world
        };
        let given_up = |at: At| {
            let mut world = to(at);
            world.threads[nth].patience -= 1;
            world
        };
        match thread.at {
            At::Away if thread.calls > 0 => {
                let mut world = to(At::Lock { gives_up: false });
                world.threads[nth].calls -= 1;
                world.threads[nth].has_message = nth > 0;
                next.push((world, false));
            }
            At::Away => {}
            At::Lock { gives_up } => next.push((self.locked(nth, gives_up, fault), true)),
            At::Watches { bytes, room } => {
                let is_ready = bytes && self.opened + self.news > 0 || room && self.room > 0;
                if is_ready || self.alarm {
                    let mut world = to(At::HasWatched { gives_up: false });
                    world.alarm = false;
                    next.push((world, true));
                }
                if thread.patience > 0 {
                    next.push((given_up(At::HasWatched { gives_up: true }), false));
                }
            }
            At::Sleeps if thread.patience > 0 => {
                next.push((given_up(At::HasSlept { gives_up: true }), false));
            }
            At::Sleeps => {}
            At::HasWatched { gives_up } => {
                let mut world = self.clone();
                world.at_socket.waited(Duty::Watch);
                if fault != Fault::SilentReturn {
                    world.wake();
                }
                world.read();
                next.push((world.locked(nth, gives_up, fault), true));
            }
            At::HasSlept { gives_up } => {
                let mut world = self.clone();
                world.at_socket.waited(Duty::Sleep);
                next.push((world.locked(nth, gives_up, fault), true));
            }
        }
    }

    /// What happens under the lock.
    fn locked(&self, nth: usize, gives_up: bool, fault: Fault) -> Self {
        let mut world = self.clone();
        match nth {
            0 => world.receives(gives_up, fault),
            _ => world.sends(nth, gives_up, fault),
        }
        world
    }

    fn receives(&mut self, gives_up: bool, fault: Fault) {
        self.push();
        self.wake();
        if gives_up || self.news > 0 {
            self.news = 0;
            self.threads[0].at = At::Away;
            self.at_socket.receiver_leaves();
            if fault != Fault::SilentLeave {
                self.wake();
                self.alarm |= self.at_socket.there() == Some(Who::Sender);
            }
            return;
        }
        self.threads[0].at = match self.at_socket.wait(Who::Receiver, true) {
            Duty::Watch => At::Watches {
                bytes: true,
                room: self.output > 0,
            },
            Duty::Sleep => {
                self.alarm |= fault != Fault::SilentReceiver;
                At::Sleeps
            }
        };
    }

    fn sends(&mut self, nth: usize, gives_up: bool, fault: Fault) {
        let puts_out = core::mem::take(&mut self.threads[nth].has_message);
        match nth {
            1 => self.held += u8::from(puts_out),
            _ => self.output += u8::from(puts_out), // its window is open
        }
        let has_written = self.push();
        let is_news = puts_out && fault != Fault::SilentOutput;
        let is_written = has_written && fault != Fault::SilentWriter;
        self.alarm |= (is_news || is_written) && self.at_socket.there() == Some(Who::Sender);
        let is_stuck = self.output > 0;
        self.alarm |= is_stuck && is_news && self.at_socket.there() == Some(Who::Receiver);
        if fault != Fault::SilentSleepers {
            self.wake_others(nth);
        }
        if gives_up || self.has_left() {
            self.threads[nth].at = At::Away;
            return;
        }
        self.threads[nth].at = match self.at_socket.wait(Who::Sender, true) {
            Duty::Watch => At::Watches {
                bytes: !is_stuck,
                room: is_stuck,
            },
            Duty::Sleep => At::Sleeps,
        };
    }

    fn wake_others(&mut self, nth: usize) {
        // A thread that wakes others on each look would never let them sleep: only where
        // their messages have left.
        let own = self.threads[nth].at;
        if self.has_left() {
            self.wake();
        }
        self.threads[nth].at = own;
    }

    /// What must not be where nothing moves by itself.
    fn fault_at_rest(&self) -> Option<&'static str> {
        let waits = |it: &Thread| it.at != At::Away;
        let senders = self.threads.iter().skip(1).filter(|it| waits(it)).count();
        let watches = |it: &&Thread| matches!(it.at, At::Watches { .. });
        let watching = self.threads.iter().filter(watches).count();
        let receiver = &self.threads[0];
        if senders > 0 && self.has_left() {
            return Some("a sender waits whose message has left");
        }
        if (senders > 0 || waits(receiver)) && watching == 0 {
            return Some("nobody sees what the peer does");
        }
        if waits(receiver) && !matches!(receiver.at, At::Watches { .. }) {
            return Some("the receiver does not wait for the socket");
        }
        // What is put out leaves first: until then nothing is read for more of it.
        let could_leave = match self.output {
            0 => self.held > 0 && self.opened > 0,
            _ => self.room > 0,
        };
        if senders > 0 && could_leave {
            return Some("something could leave");
        }
        None
    }
}

/// Searches all states; how many there are, or what is wrong in one of them.
fn search(world: World, fault: Fault) -> Result<usize, (&'static str, World)> {
    let mut seen = HashSet::new();
    let mut open = alloc::vec![world];
    while let Some(world) = open.pop() {
        if seen.contains(&world) {
            continue;
        }
        let at_socket = |it: &&Thread| matches!(it.at, At::Watches { .. } | At::HasWatched { .. });
        if world.threads.iter().filter(at_socket).count() > 1 {
            return Err(("two threads wait for the socket", world));
        }
        let next = world.next(fault);
        if !next.iter().any(|(_, by_itself)| *by_itself)
            && let Some(what) = world.fault_at_rest()
        {
            return Err((what, world));
        }
        open.extend(next.into_iter().map(|(next, _)| next));
        seen.insert(world);
    }
    Ok(seen.len())
}

#[cfg(test)]
mod tests;
