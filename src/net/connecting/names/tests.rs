use alloc::vec;
use core::time::Duration;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;

use super::*;
use crate::net::{Mio, Poller as _, Slab};

const LIMITS: Limits = Limits::DEFAULT;

#[test]
fn a_name_is_resolved_by_the_system_and_the_loop_woken() {
    let mut mio = Mio::new().unwrap();
    let mut resolver = Resolver::new(mio.waker(), &LIMITS);
    let dial = Slab::new().insert(());
    resolver.resolve(dial, "localhost", 80).unwrap();
    let answer = loop {
        if let Some(answer) = resolver.next() {
            break answer;
        }
        mio.poll(&mut vec![], Some(Duration::from_secs(10)))
            .unwrap();
    };
    assert_eq!(answer.dial, dial);
    let found = answer.found.unwrap();
    assert!(
        found
            .iter()
            .all(|address| address.ip().is_loopback() && address.port() == 80)
    );
}

#[test]
fn a_silent_name_server_holds_up_nobody_else() {
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let limits = LIMITS.with_resolving(10);
    let mut resolver = Resolver::with_lookup(Waker::new(|| {}), &limits, move |host, _| {
        if host == "silent" {
            let _ = gate.lock().unwrap().recv();
            return Err(ErrorKind::TimedOut.into());
        }
        Ok(vec![])
    });
    let mut slab = Slab::new();
    let silent = slab.insert(());
    resolver.resolve(silent, "silent", 1).unwrap();
    let good = slab.insert(());
    resolver.resolve(good, "good", 1).unwrap();
    let wait = |resolver: &mut Resolver| loop {
        match resolver.next() {
            Some(answer) => break answer,
            None => thread::sleep(Duration::from_millis(1)),
        }
    };
    assert_eq!(wait(&mut resolver).dial, good);
    release.send(()).unwrap();
    assert_eq!(wait(&mut resolver).dial, silent);
    // Names wait within the bound.
    let mut refused = 0;
    for _ in 0..100 {
        refused += usize::from(resolver.resolve(silent, "silent", 1).is_err());
    }
    assert_eq!(refused, 90);
    drop(resolver);
    drop(release);
}

fn lookups(idle: Duration) -> &'static Lookups {
    Box::leak(Box::new(Lookups::new(idle)))
}

#[test]
fn threads_are_few_and_survive_a_panic() {
    let lookups = lookups(IDLE);
    let (send, done) = channel();
    for nth in 0..100 {
        let send = send.clone();
        lookups
            .run(move || {
                send.send(nth).unwrap();
                assert!(nth % 2 == 0, "every other one");
            })
            .unwrap();
    }
    let mut all: alloc::vec::Vec<i32> = done.iter().take(100).collect();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<alloc::vec::Vec<_>>());
    assert!((1..=THREADS).contains(&lookups.lock().threads));
}

#[test]
fn threads_end_when_there_is_nothing_to_do() {
    let lookups = lookups(Duration::from_millis(1));
    let (send, done) = channel();
    lookups.run(move || send.send(()).unwrap()).unwrap();
    done.recv().unwrap();
    while lookups.lock().threads > 0 {
        thread::yield_now();
    }
}

#[test]
fn there_is_a_bound_to_what_waits() {
    let lookups = lookups(IDLE);
    let gate = alloc::sync::Arc::new(Mutex::new(()));
    let shut = gate.lock().unwrap();
    let mut refused = 0;
    for _ in 0..WAITING + THREADS + 1 {
        let gate = gate.clone();
        let run = lookups.run(move || drop(gate.lock()));
        refused += usize::from(run.is_err());
    }
    assert!(refused >= 1);
    drop(shut);
}
