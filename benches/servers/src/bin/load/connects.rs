//! Connections that are each opened, used for one request, and closed.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::drive::{Start, Talk};
use crate::histogram::Histogram;
use crate::options::Options;
use crate::wire::Wire;

/// Has so many threads do that one after the other, and tells what came of it.
pub fn run<T: Talk>(
    options: &Options,
    open: impl Fn() -> io::Result<Wire> + Sync,
    talk: impl Fn() -> T + Sync,
) -> io::Result<String> {
    let (begun, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let latencies = Mutex::new((0, Histogram::new()));
    let one = || -> io::Result<()> {
        let at = Instant::now();
        crate::once(open()?, talk())?.end()?;
        let mut all = latencies.lock().expect("nobody panics with it");
        all.0 += 1;
        all.1.add(at.elapsed().as_nanos() as u64, 1);
        Ok(())
    };
    thread::scope(|scope| {
        let several = || -> io::Result<()> {
            while !over.load(Ordering::Relaxed) {
                let number = begun.fetch_add(1, Ordering::Relaxed);
                if options.operations.is_some_and(|all| number >= all) {
                    break;
                }
                one()?;
            }
            Ok(())
        };
        let mut start = Start::now(options)?;
        let threads: Vec<_> = (0..options.connections)
            .map(|_| scope.spawn(several))
            .collect();
        if options.operations.is_none() {
            thread::sleep(options.warmup);
            *latencies.lock().expect("nobody panics with it") = (0, Histogram::new());
            start = Start::now(options)?;
            thread::sleep(options.measured);
        }
        let report = |start: &Start| {
            let all = latencies.lock().expect("nobody panics with it");
            start.report(options, all.0, &all.1)
        };
        let timed = options.operations.is_none().then(|| report(&start));
        // Without a time they end by themselves.
        over.store(timed.is_some(), Ordering::Relaxed);
        for thread in threads {
            thread.join().map_err(|_| io::Error::other("a thread"))??;
        }
        timed.unwrap_or_else(|| report(&start))
    })
}
