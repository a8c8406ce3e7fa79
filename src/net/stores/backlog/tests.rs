use super::*;
use crate::wire::Sink;
use alloc::vec;
use proptest::prelude::*;

fn contents(backlog: &Backlog) -> Vec<u8> {
    let segments = backlog.queue.iter().flat_map(|queue| queue.plain.iter());
    segments
        .flat_map(|s| s.as_slice().unwrap().to_vec())
        .collect()
}

#[test]
fn an_empty_backlog_costs_a_pointer() {
    assert_eq!(size_of::<Backlog>(), size_of::<usize>());
}

#[test]
fn a_backlog_that_comes_and_goes_uses_the_same_memory() {
    let mut queues = Queues::new(1 << 20);
    let mut backlog = Backlog::new();
    let mut places = Vec::new();
    for _ in 0..10 {
        backlog.put(b"abc", &mut queues);
        backlog.put_shared(Bytes::from_static(&[0; SHARED_FROM]), &mut queues);
        backlog.put(b"def", &mut queues);
        let queue = backlog.queue.as_ref().unwrap();
        places.push((core::ptr::from_ref(&**queue), queue.plain.room()));
        backlog.advance(6 + SHARED_FROM, &mut queues);
        assert!(backlog.queue.is_none());
    }
    places.dedup();
    assert_eq!((places.len(), queues.spare.len()), (1, 1));
    assert!(queues.buffers.kept() > 0);
}

#[test]
fn sealing_moves_no_end() {
    // Ten bytes, six of which are sealed as a record of nine.
    for taken in 0..=9 {
        let mut queues = Queues::new(1 << 20);
        let mut backlog = Backlog::new();
        backlog.put(b"0123456789", &mut queues);
        backlog.put_sealed(b"own", 3, &mut queues);
        assert_eq!((backlog.content(), backlog.len()), (10, 13));
        backlog.advance(6, &mut queues);
        backlog.put_sealed(b"[012345]!", 3, &mut queues);
        let mut sent = 0;
        for n in [3, taken, 9 - taken] {
            let before = sent;
            sent += backlog.advance_sealed(n, &mut queues);
            assert_eq!(sent + backlog.content(), 10);
            assert!(sent <= before + n);
        }
        backlog.advance(4, &mut queues);
        assert!(sent == 6 && backlog.queue.is_none());
    }
}

#[test]
fn a_published_message_is_kept_by_reference() {
    let mut queues = Queues::new(1 << 20);
    let message = Bytes::from(vec![1; 100]);
    let mut members: Vec<Backlog> = (0..10).map(|_| Backlog::new()).collect();
    for member in &mut members {
        member.put_shared(message.clone(), &mut queues);
        member.parts(usize::MAX, |parts| {
            assert_eq!(parts[0].as_ptr(), message.as_ptr())
        });
    }
}

#[test]
fn writing_stops_at_its_share() {
    let mut queues = Queues::new(1 << 20);
    let mut backlog = Backlog::new();
    for n in 0..200 {
        backlog.put(&[n], &mut queues);
        backlog.put_shared(Bytes::from(vec![n; SHARED_FROM]), &mut queues);
    }
    let (all, mut out) = (contents(&backlog), Vec::new());
    let mut take = |output: Output<'_>| {
        let Output::Bytes(parts) = output else {
            panic!("there is no file")
        };
        let before = out.len();
        parts.iter().for_each(|part| out.extend_from_slice(part));
        Ok(out.len() - before)
    };
    assert_eq!(
        backlog.write(100_000, &mut queues, &mut take).unwrap(),
        100_000
    );
    assert_eq!(backlog.len(), all.len() - 100_000);
    let rest = backlog.write(usize::MAX, &mut queues, &mut take).unwrap();
    assert_eq!(rest, all.len() - 100_000);
    assert_eq!(out, all);
    assert!(backlog.queue.is_none());
}

#[test]
fn files_are_offered_behind_what_stands_in_front_of_them() {
    let exe = std::env::current_exe().unwrap();
    let file = alloc::sync::Arc::new(std::fs::File::open(exe).unwrap());
    let part = |offset, len| FilePart::new(file.clone(), offset, len);
    let (mut queues, mut backlog) = (Queues::new(1 << 20), Backlog::new());
    backlog.put(b"head", &mut queues);
    backlog.put_file(part(0, 0), &mut queues);
    backlog.put_file(part(0, 1000), &mut queues);
    backlog.put(b"between", &mut queues);
    backlog.put_file(part(7, 300), &mut queues);
    assert_eq!((backlog.len(), backlog.held()), (1311, 11));
    assert!(backlog.memory() < 200_000, "{}", backlog.memory());
    let mut seen = Vec::new();
    // One call takes little, the second all that is offered to it.
    for (max, take) in [(3, 3), (500, 101), (usize::MAX, usize::MAX)] {
        backlog
            .write(max, &mut queues, |output| {
                let (parts, file) = match output {
                    Output::Bytes(parts) => (parts, None),
                    Output::File(parts, part) => (parts, Some((part.offset(), part.len()))),
                };
                let bytes: usize = parts.iter().map(|part| part.len()).sum();
                seen.push((bytes, file));
                Ok((bytes + file.map_or(0, |(_, len)| len as usize)).min(take))
            })
            .unwrap();
    }
    let expected = [
        (3, None),
        (1, Some((0, 500))),
        (0, Some((100, 900))),
        (7, Some((7, 300))),
    ];
    assert_eq!(seen, expected);
    assert!(backlog.queue.is_none());
    assert_eq!(alloc::sync::Arc::strong_count(&file), 1);
}

#[test]
fn tiny_messages_hold_hardly_more_than_they_are() {
    let (mut queues, mut backlog) = (Queues::new(1 << 20), Backlog::new());
    for _ in 0..100_000 {
        backlog.put_shared(Bytes::from_static(b"\x81\x01x"), &mut queues);
    }
    assert_eq!(backlog.len(), 300_000);
    assert!(
        backlog.memory() < 2 * backlog.len() + 4096,
        "{}",
        backlog.memory()
    );
    backlog.clear(&mut queues);
    assert_eq!(backlog.memory(), 0);
}

#[test]
fn a_few_bytes_in_a_large_buffer_are_known_for_what_they_hold() {
    let (mut queues, mut backlog) = (Queues::new(1 << 20), Backlog::new());
    backlog.put(&[0; SEGMENT], &mut queues);
    backlog.clear(&mut queues); // its buffer goes to the pool
    backlog.put(b"x", &mut queues);
    assert!(backlog.memory() >= SEGMENT);
}

proptest! {
    #[test]
    fn a_backlog_behaves_like_a_vector(
        steps in prop::collection::vec((0..5u8, 0..90_000usize), 0..40),
    ) {
        let mut queues = Queues::new(1 << 20);
        let mut backlog = Backlog::new();
        let mut model: Vec<u8> = Vec::new();
        for (n, (step, size)) in steps.into_iter().enumerate() {
            let n = n as u8;
            match step {
                0 => {
                    backlog.put(&vec![n; size], &mut queues);
                    model.extend(vec![n; size]);
                }
                1 => {
                    backlog.put_shared(Bytes::from(vec![n; size % 20_000]), &mut queues);
                    model.extend(vec![n; size % 20_000]);
                }
                2 => {
                    let mut cork = Cork::new(usize::MAX);
                    cork.put(&vec![n; size % 50]);
                    cork.put_shared(Bytes::from(vec![n; size]));
                    cork.put(&vec![n + 1; size % 77]);
                    let from = (size / 2).min(cork.len());
                    backlog.extend_from(&cork, from, &mut queues);
                    let mut all = vec![n; size % 50 + size];
                    all.extend(vec![n + 1; size % 77]);
                    model.extend(&all[from..]);
                }
                _ => {
                    backlog.advance(size * 2, &mut queues);
                    model.drain(..(size * 2).min(model.len()));
                }
            }
            prop_assert_eq!(backlog.len(), model.len());
            prop_assert_eq!(backlog.is_empty(), model.is_empty());
            backlog.parts(size, |parts| {
                let offered: usize = parts.iter().map(|part| part.len()).sum();
                assert_eq!(offered, size.min(model.len()));
            });
        }
        prop_assert!(contents(&backlog) == model);
    }
}
