//! A gRPC channel, whose loop is what is counted: its server answers on another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc;

use barewire::client::{CallOptions, Channel};
use barewire::net::Address;

use crate::server::start;
use crate::{count, instructions_mark, wanted};

/// Unary calls, alone and many at once.
pub fn channel() {
    for (name, each) in [
        ("channel unary call, 100 B", 1),
        ("channel unary call, 100 B, 10 at once", 10),
    ] {
        if wanted(name) {
            unary(name, each);
        }
    }
}

/// Calls that are begun from the answers to those before, on the loop's thread.
struct Calls {
    channel: Channel,
    request: Vec<u8>,
    /// So many at once.
    each: u32,
    /// What is still to be answered.
    under_way: AtomicU32,
    to_begin: AtomicU32,
    over: mpsc::Sender<()>,
}

impl Calls {
    fn call(&self, done: impl FnOnce() + Send + 'static) {
        let (path, options) = ("/echo.Echo/Say", CallOptions::new());
        let called = self
            .channel
            .unary_then(path, &self.request, options, move |answer| {
                let answer: Vec<u8> = answer.expect("it is echoed").into_message();
                assert_eq!(answer.len(), 100);
                done();
            });
        called.expect("the call begins");
    }

    fn begin(self: &Arc<Self>) {
        self.under_way.store(self.each, Relaxed);
        for _ in 0..self.each {
            let calls = self.clone();
            self.call(move || calls.answered());
        }
    }

    fn answered(self: &Arc<Self>) {
        if self.under_way.fetch_sub(1, Relaxed) > 1 {
            return;
        }
        match self.to_begin.fetch_sub(1, Relaxed) {
            1 => self.over.send(()).expect("somebody waits"),
            _ => self.begin(),
        }
    }
}

fn unary(name: &str, each: u32) {
    let server = start();
    let [Address::Tcp(address)] = server.local_addresses() else {
        panic!("one TCP address was listened on");
    };
    let channel = Channel::connect(&address.to_string()).expect("the system has a thread");
    let (over, wait) = mpsc::channel();
    let calls = Arc::new(Calls {
        channel,
        request: vec![b'a'; 100],
        each,
        under_way: AtomicU32::new(0),
        to_begin: AtomicU32::new(0),
        over: over.clone(),
    });
    let mark = || {
        let over = over.clone();
        calls.call(move || {
            instructions_mark();
            over.send(()).expect("somebody waits");
        });
        wait.recv().expect("the call is answered");
    };
    count(name, mark, |operations| {
        calls.to_begin.store(operations / each, Relaxed);
        calls.begin();
        wait.recv().expect("the calls are answered");
    });
    server.handle().shutdown(core::time::Duration::ZERO);
}
