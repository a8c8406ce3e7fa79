//! A client of HTTP/2 over a real socket.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::net::TcpStream;

use barewire::http2::{BodyLength, Limits};
use barewire::wire::Role;

use crate::app_support::Running;
use crate::http2_support::*;

/// A client over a real socket.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    pub(crate) side: Side,
    pub(crate) seen: Vec<Seen>,
}

impl Peer {
    pub(crate) fn connect(running: &Running) -> Self {
        let mut peer = Self {
            stream: running.connect(),
            side: Side::new(Role::Client, Limits::DEFAULT),
            seen: Vec::new(),
        };
        peer.until(|seen| seen.contains(&Seen::Settings));
        peer
    }

    /// Talks until something has been seen.
    #[track_caller]
    pub(crate) fn until(&mut self, mut is: impl FnMut(&[Seen]) -> bool) -> &[Seen] {
        let mut bytes = vec![0; 1 << 16];
        loop {
            self.flush();
            if is(&self.seen) {
                return &self.seen;
            }
            match self.stream.read(&mut bytes) {
                Ok(n @ 1..) => self.seen.extend(self.side.feed(&bytes[..n])),
                end => panic!("{end:?} after {:?}", self.seen),
            }
        }
    }

    pub(crate) fn flush(&mut self) {
        let out = core::mem::take(&mut self.side.out);
        self.stream.write_all(&out).unwrap();
    }

    pub(crate) fn get(&mut self, path: &str) -> u32 {
        self.side.ask("GET", path, None, &[], None)
    }

    /// Sends a whole request and waits for the whole answer.
    pub(crate) fn fetch(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let length = (!body.is_empty()).then_some(BodyLength::Known(body.len() as u64));
        let id = self.side.ask(method, path, None, &[], length);
        self.send(id, body, true);
        self.until(|seen| ended(seen, id));
        (status(&self.seen, id), content(&self.seen, id))
    }

    /// Sends content as its windows allow.
    pub(crate) fn send(&mut self, id: u32, mut body: &[u8], end: bool) {
        while !body.is_empty() {
            let n = self.side.write(id, body, end);
            body = &body[n..];
            let machine = &self.side.machine;
            if !body.is_empty() && machine.capacity(id) == 0 {
                self.wait_for_window(id);
            }
        }
        self.flush();
    }

    pub(crate) fn wait_for_window(&mut self, id: u32) {
        let mut bytes = vec![0; 1 << 16];
        while self.side.machine.capacity(id) == 0 {
            self.flush();
            let n = self.stream.read(&mut bytes).unwrap();
            assert!(n > 0, "the end instead of a window");
            self.seen.extend(self.side.feed(&bytes[..n]));
        }
    }
}
