//! Received bytes, until the link has used them.

use alloc::vec::Vec;
use core::mem;

use super::Connection;
use crate::client::Wire;
use crate::client::connecting::sealed::Opened;
use crate::link::Event;
use crate::wire::Instant;

impl Connection {
    /// Takes bytes that have arrived.
    pub fn receive(
        &mut self,
        bytes: &mut [u8],
        now: Instant,
        mut owner: impl FnMut(&mut Wire, u32, Event<'_>),
    ) {
        self.wire.now = now;
        let Some(sealed) = &mut self.sealed else {
            return self.receive_plain(bytes, &mut owner);
        };
        let mut kept = mem::take(&mut sealed.kept);
        let kept = match kept.is_empty() {
            true => {
                let used = self.open(bytes, &mut owner);
                bytes.get(used..).unwrap_or_default().to_vec()
            }
            false => {
                kept.extend_from_slice(bytes);
                let used = self.open(&mut kept, &mut owner);
                kept.drain(..used.min(kept.len()));
                kept
            }
        };
        if let Some(sealed) = &mut self.sealed {
            sealed.kept = kept;
        }
    }

    /// Opens what the transport can open, and gives it to the link; returns how much was
    /// used.
    fn open(
        &mut self,
        bytes: &mut [u8],
        owner: &mut impl FnMut(&mut Wire, u32, Event<'_>),
    ) -> usize {
        let mut at = 0;
        while !self.wire.told && !self.wire.is_paused && at < bytes.len() {
            let Some(sealed) = &mut self.sealed else {
                return at;
            };
            let rest = bytes.get_mut(at..).unwrap_or_default();
            let opened = sealed.open(rest);
            self.wire.behind = sealed.out.len();
            let (used, opened) = match opened {
                Ok(opened) => opened,
                Err(gone) => {
                    self.tell_gone(gone, owner);
                    break;
                }
            };
            at += used;
            match opened {
                Opened::Content(found) => {
                    let content = rest.get_mut(found).unwrap_or_default();
                    self.receive_plain(content, owner);
                }
                Opened::Agreed(speaks) => {
                    self.begin(speaks);
                    owner(&mut self.wire, 0, Event::Opened);
                }
                Opened::End => {
                    self.end_input(owner);
                    break; // nothing counts after the end
                }
                Opened::Own if used == 0 => return at,
                Opened::Own => {}
            }
        }
        match self.wire.is_paused && !self.wire.told && !self.ended {
            true => at,
            false => bytes.len(),
        }
    }

    fn receive_plain(
        &mut self,
        bytes: &mut [u8],
        owner: &mut impl FnMut(&mut Wire, u32, Event<'_>),
    ) {
        self.received += bytes.len() as u64;
        let mut kept = mem::take(&mut self.input);
        if kept.is_empty() {
            let used = self.feed(bytes, owner);
            kept.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            kept.extend_from_slice(bytes);
            self.feed_kept(&mut kept, owner);
        }
        self.input = kept;
    }

    fn feed_kept(&mut self, kept: &mut Vec<u8>, owner: &mut impl FnMut(&mut Wire, u32, Event<'_>)) {
        let mut at = mem::take(&mut self.used) as usize;
        at += self.feed(kept.get_mut(at..).unwrap_or_default(), owner);
        if at >= kept.len() {
            *kept = Vec::new(); // it may be at rest for long
        } else if at > kept.len() / 2 || !self.wire.is_paused {
            kept.drain(..at);
        } else {
            self.used = at as u32; // no more than the owner reads in one go
        }
    }

    /// Looks at what has come since the owner has [paused](Wire::pause), until it pauses
    /// again.
    pub fn resume(&mut self, now: Instant, mut owner: impl FnMut(&mut Wire, u32, Event<'_>)) {
        self.wire.now = now;
        if !mem::take(&mut self.wire.is_paused) || self.wire.told {
            return;
        }
        if !self.input.is_empty() || self.wire.link.is_pending() || self.ended {
            let mut kept = mem::take(&mut self.input);
            self.feed_kept(&mut kept, &mut owner);
            self.input = kept;
        }
        if !self.wire.is_paused && self.sealed.as_ref().is_some_and(|it| !it.kept.is_empty()) {
            self.receive(&mut [], now, &mut owner);
        }
        if !self.wire.is_paused && mem::take(&mut self.ends) {
            self.receive_eof(now, owner);
        }
    }

    /// Whether the owner has [paused](Wire::pause) it.
    pub const fn is_paused(&self) -> bool {
        self.wire.is_paused
    }

    /// Takes the end of what arrives: the server has sent its last byte. A transport
    /// whose end the server has not announced was cut off
    /// ([`EndReason::Reset`](crate::link::EndReason::Reset)).
    pub fn receive_eof(&mut self, now: Instant, mut owner: impl FnMut(&mut Wire, u32, Event<'_>)) {
        self.wire.now = now;
        if self.wire.is_paused {
            self.ends = true;
            return;
        }
        match self.sealed.as_mut().and_then(|it| it.cut_off()) {
            Some(gone) => self.tell_gone(gone, &mut owner),
            None => self.end_input(&mut owner),
        }
    }

    fn end_input(&mut self, owner: &mut impl FnMut(&mut Wire, u32, Event<'_>)) {
        self.ended = true;
        let mut rest = mem::take(&mut self.input);
        self.feed_kept(&mut rest, owner);
        if self.wire.is_paused {
            self.input = rest;
        }
    }
}
