use super::*;
use alloc::string::ToString as _;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

const FAR: Instant = Instant::NEVER;
const KEEP: Duration = Duration::from_secs(30);

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 80))
}

/// Names whose resolver answers each time with one more, when it is let.
fn slow() -> (Arc<Names>, Sender<()>, Receiver<()>) {
    let (go, wait) = channel();
    let (tell, asked) = channel();
    let (wait, count) = (Mutex::new(wait), AtomicUsize::new(0));
    let resolver = move |_: &str, _: u16| {
        tell.send(()).unwrap();
        let _ = lock(&wait).recv();
        let nth = count.fetch_add(1, Ordering::SeqCst);
        Ok(alloc::vec![address(u8::try_from(nth).unwrap())])
    };
    let names = Names::new(Some(Arc::new(resolver)), KEEP);
    (Arc::new(names), go, asked)
}

#[test]
fn many_wait_for_one_lookup_and_its_answer_is_kept() {
    let (names, go, asked) = slow();
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let names = names.clone();
            thread::spawn(move || names.resolve("a", 80, FAR, &Canceller::new()))
        })
        .collect();
    asked.recv().unwrap();
    go.send(()).unwrap();
    for waiter in waiting {
        assert_eq!(*waiter.join().unwrap().unwrap(), [address(0)]);
    }
    let kept = names.resolve("a", 80, FAR, &Canceller::new());
    assert_eq!(*kept.unwrap(), [address(0)]);
    assert!(asked.try_recv().is_err());
    names.forget("a", 80);
    go.send(()).unwrap();
    let anew = names.resolve("a", 80, FAR, &Canceller::new());
    assert_eq!(*anew.unwrap(), [address(1)]);
}

#[test]
fn a_thread_may_stop_waiting_and_the_lookup_is_completed() {
    let (names, go, asked) = slow();
    let soon = clock::now() + Duration::from_millis(5);
    let late = names.resolve("a", 80, soon, &Canceller::new());
    assert!(late.unwrap_err().is_timeout());
    let cancel = Canceller::new();
    let waiting = {
        let (names, cancel) = (names.clone(), cancel.clone());
        thread::spawn(move || names.resolve("a", 80, FAR, &cancel))
    };
    asked.recv().unwrap();
    cancel.cancel();
    let error = waiting.join().unwrap().unwrap_err();
    assert!(error.is_cancelled() && error.phase() == Phase::Resolve);
    go.send(()).unwrap();
    let found = names.resolve("a", 80, FAR, &Canceller::new());
    assert_eq!(*found.unwrap(), [address(0)]);
}

#[test]
fn what_fails_is_told_and_not_kept() {
    let count = Arc::new(AtomicUsize::new(0));
    let counts = count.clone();
    let resolver = move |_: &str, _: u16| match counts.fetch_add(1, Ordering::SeqCst) {
        0 => Err(io::Error::other("no such service")),
        1 => Ok(Vec::new()),
        2 => panic!("a resolver that fails"),
        _ => Ok(alloc::vec![address(7)]),
    };
    let names = Names::new(Some(Arc::new(resolver)), KEEP);
    for text in ["no such service", "no address", "gave no answer"] {
        let error = names.resolve("a", 80, FAR, &Canceller::new()).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    }
    assert!(names.resolve("a", 80, FAR, &Canceller::new()).is_ok());
}

#[test]
fn addresses_are_kept_for_their_time_and_within_a_bound() {
    let mut table = Table::default();
    let found: Found = Ok(Arc::from([address(1)]));
    let at = |seconds| Instant::START + Duration::from_secs(seconds);
    for nth in 0..u16::try_from(KEPT).unwrap() {
        table.note((String::from("a"), nth), &found, KEEP, at(0));
    }
    table.note((String::from("b"), 0), &found, KEEP, at(29));
    assert!(table.0.len() == KEPT && !table.0.contains_key(&(String::from("b"), 0)));
    table.note((String::from("b"), 0), &found, KEEP, at(31));
    assert_eq!(table.0.len(), 1);
    table.note((String::from("c"), 0), &found, Duration::ZERO, at(31));
    assert_eq!(table.0.len(), 1);
}
