//! How every client is measured: the processor time of its process per operation, once it
//! is warm, while the server is another process.
//!
//! `PROGRAM CASE ADDRESS AT_ONCE OPERATIONS`, the last for each of those at once. It prints
//! a line of JSON.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// What is answered to a GET.
pub const HELLO: &str = "Hello, World!";
/// The length of a download.
pub const DOWNLOAD: usize = 100 << 20;
/// The events of a stream.
pub const EVENTS: usize = 200_000;
/// What a download is read into.
pub const BUFFER: usize = 64 << 10;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Task {
    pub case: String,
    /// IP address and port.
    pub address: String,
    /// Threads, tasks or connections.
    pub at_once: usize,
    /// For each of them.
    pub operations: usize,
}

impl Task {
    /// The one that the program was called for.
    pub fn from_arguments() -> Self {
        let mut arguments = std::env::args().skip(1);
        let mut next = || arguments.next().expect("CASE ADDRESS AT_ONCE OPERATIONS");
        Self {
            case: next(),
            address: next(),
            at_once: next().parse().expect("a number at once"),
            operations: next().parse().expect("a number of operations"),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Operations that are not counted, for each of those at once.
    pub const fn warm_up(&self) -> usize {
        let some = self.operations / 10;
        if some < 1 {
            1
        } else if some > 100 {
            100
        } else {
            some
        }
    }
}

/// A count that goes on.
#[derive(Debug)]
pub struct Meter {
    cpu: f64,
    began: Instant,
}

impl Meter {
    pub fn start() -> Self {
        Self {
            cpu: cpu(),
            began: Instant::now(),
        }
    }

    /// Prints what so many operations took.
    pub fn stop(&self, operations: usize) {
        let wall = self.began.elapsed().as_secs_f64();
        let each = 1e6 * (cpu() - self.cpu) / operations as f64;
        let rate = operations as f64 / wall;
        println!("{{\"cpu_us\": {each:.4}, \"per_second\": {rate:.1}}}");
    }
}

/// Processor time of this process in seconds, all its threads and the system's share.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Has as many threads as are asked for each do what `make` makes there, again and again.
pub fn blocking<A: FnMut()>(task: &Task, make: impl Fn() -> A + Sync) {
    let barrier = Barrier::new(task.at_once + 1);
    thread::scope(|scope| {
        for _ in 0..task.at_once {
            scope.spawn(|| {
                let mut act = make();
                (0..task.warm_up()).for_each(|_| act());
                barrier.wait();
                (0..task.operations).for_each(|_| act());
                barrier.wait();
            });
        }
        barrier.wait();
        let meter = Meter::start();
        barrier.wait();
        meter.stop(task.at_once * task.operations);
    });
}

/// A download that is read to its end, and nothing else.
pub fn drain(mut body: impl std::io::Read, buffer: &mut [u8]) {
    let mut length = 0;
    loop {
        match body.read(buffer).expect("a body") {
            0 => break,
            bytes => length += bytes,
        }
    }
    assert_eq!(length, DOWNLOAD);
}

/// An event of so many bytes.
pub fn event(length: usize) -> Vec<u8> {
    let data = "x".repeat(length - "data: ".len() - 2);
    format!("data: {data}\n\n").into_bytes()
}

/// Ends a program that has been asked for what it does not do.
pub fn unknown(task: &Task) -> ! {
    eprintln!("no case {}", task.case);
    std::process::exit(2)
}
