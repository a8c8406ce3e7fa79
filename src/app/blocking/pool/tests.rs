use super::*;
use std::sync::mpsc::channel;

const PATIENCE: Duration = Duration::from_secs(60);

fn pool(threads: usize, queue: usize) -> Pool {
    let pool = Pool::default();
    let limits = BlockingLimits::DEFAULT;
    pool.set_limits(limits.with_threads(threads).with_queue(queue));
    pool
}

#[test]
fn what_has_no_room_is_given_back_and_what_waits_can_be_cancelled() {
    let pool = pool(1, 2);
    let (go, wait) = channel::<()>();
    let (tell, told) = channel();
    let begun = tell.clone();
    let work = move || {
        begun.send(0).unwrap();
        let _ = wait.recv();
    };
    assert!(pool.submit(Box::new(work)).is_ok());
    assert_eq!(told.recv_timeout(PATIENCE), Ok(0)); // it runs
    let mut tickets = alloc::vec::Vec::new();
    for number in [1, 2] {
        let tell = tell.clone();
        let ticket = pool.submit(Box::new(move || tell.send(number).unwrap()));
        tickets.push(ticket.map_err(drop).unwrap());
    }
    assert!(pool.submit(Box::new(|| {})).is_err());
    pool.cancel(tickets[0]);
    pool.cancel(tickets[0]);
    assert_eq!(pool.counts().waiting.load(Relaxed), 1);
    drop(go);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(2));
    assert_eq!(pool.close(None), 0);
    assert!(pool.submit(Box::new(|| {})).is_err());
    let counts = pool.counts();
    let seen = [
        &counts.running,
        &counts.waiting,
        &counts.done,
        &counts.refused,
    ];
    assert_eq!(seen.map(|it| it.load(Relaxed)), [0, 0, 2, 2]);
}

#[test]
fn threads_are_as_many_as_there_is_work_for() {
    let pool = pool(3, 0);
    assert_eq!(pool.0.lock().threads, 0);
    let (go, wait) = channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    for _ in 0..3 {
        let wait = wait.clone();
        let work = move || _ = wait.lock().unwrap().recv();
        assert!(pool.submit(Box::new(work)).is_ok());
    }
    assert!(pool.submit(Box::new(|| {})).is_err());
    assert_eq!(pool.0.lock().threads, 3);
    drop(go);
    assert_eq!(pool.close(Some(Instant::now() + PATIENCE)), 0);
}

#[test]
fn a_close_does_not_wait_beyond_its_end() {
    let pool = pool(1, 1);
    let (go, wait) = channel::<()>();
    let (tell, told) = channel();
    let work = move || {
        tell.send(()).unwrap();
        let _ = wait.recv();
    };
    assert!(pool.submit(Box::new(work)).is_ok());
    told.recv_timeout(PATIENCE).unwrap();
    let dropped = Arc::new(());
    let held = dropped.clone();
    assert!(pool.submit(Box::new(move || drop(held))).is_ok());
    assert_eq!(pool.close(Some(Instant::now())), 1);
    assert_eq!(Arc::strong_count(&dropped), 1);
    drop(go);
}
