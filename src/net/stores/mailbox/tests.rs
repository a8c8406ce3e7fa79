use super::*;

fn pair<T>(capacity: usize) -> (Mailbox<T>, Inbox<T>) {
    mailbox(capacity, usize::MAX, Waker::new(|| {}))
}

fn all<T>(inbox: &mut Inbox<T>) -> Vec<T> {
    inbox.collect()
}

#[test]
fn replies_and_publishes_arrive_in_the_order_of_posting() {
    let (mailbox, mut inbox) = pair(100);
    for n in 0..20 {
        let priority = if n % 3 == 0 {
            Priority::Reply
        } else {
            Priority::Publish
        };
        mailbox.post(n, priority).unwrap();
    }
    assert_eq!(all(&mut inbox), Vec::from_iter(0..20));
    assert!(inbox.is_empty());
}

#[test]
fn a_full_mailbox_drops_publishes_before_replies() {
    let (mailbox, mut inbox) = pair(3);
    for n in 1..=3 {
        mailbox.post(n, Priority::Publish).unwrap();
    }
    assert_eq!(
        mailbox.post(4, Priority::Publish),
        Err(Undelivered::Full(4))
    );
    for n in 5..=7 {
        mailbox.post(n, Priority::Reply).unwrap();
    }
    assert_eq!(mailbox.post(8, Priority::Reply), Err(Undelivered::Full(8)));
    assert_eq!(
        mailbox.lost(),
        Lost {
            publishes: 4,
            replies: 1
        }
    );
    assert_eq!(all(&mut inbox), [5, 6, 7]);
    mailbox.post(9, Priority::Publish).unwrap();
    assert_eq!(inbox.next(), Some(9));
}

/// A publisher of large messages: 630 MiB waited in a mailbox that counted
/// messages alone.
#[test]
fn a_mailbox_is_bounded_in_bytes() {
    let (mailbox, mut inbox) = mailbox(1000, 100, Waker::new(|| {}));
    let post = |n, bytes, priority| mailbox.post_sized(n, bytes, priority);
    for n in 1..=3 {
        post(n, 30, Priority::Publish).unwrap();
    }
    let refused = post(4, 30, Priority::Publish);
    assert_eq!(refused, Err(Undelivered::Full(4)));
    post(5, 60, Priority::Reply).unwrap(); // instead of 2 and 3
    assert_eq!(post(6, 80, Priority::Reply), Err(Undelivered::Full(6)));
    let lost = |publishes, replies| Lost { publishes, replies };
    assert_eq!(mailbox.lost(), lost(3, 1), "nothing gave way for 6 in vain");
    assert_eq!(all(&mut inbox), [1, 5]);
    post(7, 1_000, Priority::Publish).unwrap(); // alone
    assert_eq!(post(8, 1, Priority::Publish), Err(Undelivered::Full(8)));
    assert_eq!(all(&mut inbox), [7]);
    // What the loop has swapped out, and not looked at, is held as well.
    post(9, 50, Priority::Publish).unwrap();
    post(10, 50, Priority::Publish).unwrap();
    assert_eq!(inbox.next(), Some(9));
    assert_eq!(post(11, 51, Priority::Publish), Err(Undelivered::Full(11)));
    post(12, 50, Priority::Publish).unwrap();
    assert_eq!(all(&mut inbox), [10, 12]);
    assert_eq!(mailbox.0.held.load(Ordering::Relaxed), 0);
}

#[test]
fn only_the_first_message_wakes_the_loop() {
    let rings = Arc::new(AtomicUsize::new(0));
    let count = rings.clone();
    let waker = Waker::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let (mailbox, mut inbox) = mailbox(100, usize::MAX, waker.clone());
    for _ in 0..10 {
        mailbox.post((), Priority::Publish).unwrap();
    }
    assert_eq!(rings.load(Ordering::Relaxed), 1);
    waker.lower();
    mailbox.post((), Priority::Publish).unwrap(); // still queued: no wake
    assert_eq!(rings.load(Ordering::Relaxed), 1);
    assert_eq!(all(&mut inbox).len(), 11);
    mailbox.post((), Priority::Publish).unwrap();
    assert_eq!(rings.load(Ordering::Relaxed), 2);
}

#[test]
fn a_loop_that_is_gone_gives_messages_back() {
    let (mailbox, inbox) = pair(10);
    let token = Arc::new(());
    mailbox.post(token.clone(), Priority::Reply).unwrap();
    drop(inbox);
    assert_eq!(Arc::strong_count(&token), 1);
    assert!(mailbox.is_closed());
    let back = mailbox.post(token, Priority::Reply).unwrap_err();
    assert!(matches!(back, Undelivered::Closed(_)));
    assert_eq!(Arc::strong_count(&back.into_message()), 1);
}

#[test]
fn many_threads_lose_nothing_and_keep_their_order() {
    let (mailbox, mut inbox) = pair(usize::MAX);
    let threads: Vec<_> = (0..4u32)
        .map(|thread| {
            let mailbox = mailbox.clone();
            std::thread::spawn(move || {
                for n in 0..2000u32 {
                    let priority = if n % 2 == 0 {
                        Priority::Reply
                    } else {
                        Priority::Publish
                    };
                    mailbox.post((thread, n), priority).unwrap();
                }
            })
        })
        .collect();
    let mut next = [0; 4];
    let mut total = 0;
    while total < 8000 {
        match inbox.next() {
            Some((thread, n)) => {
                assert_eq!(n, core::mem::replace(&mut next[thread as usize], n + 1));
                total += 1;
            }
            None => std::thread::yield_now(),
        }
    }
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert!(inbox.is_empty());
}

#[test]
fn a_steady_stream_uses_the_same_memory() {
    let (mailbox, mut inbox) = pair(1000);
    let round = |inbox: &mut Inbox<u32>| {
        for n in 0..100 {
            mailbox.post(n, Priority::Publish).unwrap();
        }
        all(inbox);
        (
            inbox.batch.publishes.capacity(),
            mailbox.0.lock().publishes.capacity(),
        )
    };
    round(&mut inbox);
    let settled = round(&mut inbox);
    for _ in 0..10 {
        let now = round(&mut inbox);
        assert_eq!(now.0 + now.1, settled.0 + settled.1);
    }
}
