use super::*;
use alloc::vec;
use proptest::prelude::*;

fn contents(cork: &Cork, from: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    cork.pieces(from, |piece| {
        bytes.extend_from_slice(piece.as_slice().unwrap());
    });
    bytes
}

#[test]
fn a_large_body_leaves_without_a_copy_in_one_write() {
    let body = Bytes::from(vec![7; SHARED_FROM]);
    let mut cork = Cork::new(1 << 20);
    cork.put(b"head");
    cork.put_shared(body.clone());
    let mut calls = 0;
    let taken = cork.write(|parts| {
        calls += 1;
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[1].as_ptr(), body.as_ptr());
        Ok(parts.iter().map(|part| part.len()).sum())
    });
    assert_eq!((taken.unwrap(), calls), (4 + SHARED_FROM, 1));
}

#[test]
fn small_shared_bytes_are_copied() {
    let mut cork = Cork::new(1 << 20);
    cork.put_shared(Bytes::from(vec![7; SHARED_FROM - 1]));
    assert!(cork.shared.is_empty());
    assert_eq!(cork.len(), SHARED_FROM - 1);
}

#[test]
fn more_parts_than_one_write_takes_go_out_in_several() {
    let mut cork = Cork::new(usize::MAX);
    for n in 0..100 {
        cork.put(&[n]);
        cork.put_shared(Bytes::from(vec![n; SHARED_FROM]));
    }
    let (mut out, mut calls) = (Vec::new(), 0);
    let taken = cork.write(|parts| {
        calls += 1;
        parts.iter().for_each(|part| out.extend_from_slice(part));
        Ok(parts.iter().map(|part| part.len()).sum())
    });
    assert_eq!((taken.unwrap(), calls), (cork.len(), 4));
    assert_eq!(out, contents(&cork, 0));
}

fn part(len: u64) -> FilePart {
    let exe = std::env::current_exe().unwrap();
    let file = std::fs::File::open(exe).unwrap();
    FilePart::new(alloc::sync::Arc::new(file), 0, len)
}

#[test]
fn a_file_ends_the_writing_and_is_handed_over() {
    let mut cork = Cork::new(usize::MAX);
    cork.put(b"head");
    cork.put_file(part(0));
    assert!(!cork.has_file(), "nothing is no part");
    cork.put_file(part(1000));
    cork.put(b"tail");
    assert_eq!((cork.len(), cork.held()), (1008, 8));
    let mut written = Vec::new();
    let taken = cork.write(|parts| {
        parts
            .iter()
            .for_each(|part| written.extend_from_slice(part));
        Ok(parts.iter().map(|part| part.len()).sum())
    });
    assert_eq!((taken.unwrap(), &written[..]), (4, &b"head"[..]));
    let mut lens = Vec::new();
    cork.pieces(504, |piece| match piece {
        Piece::Reference(Reference::Stored(part), from) => {
            lens.push((part.len(), from as usize));
        }
        piece => lens.push((0, piece.len())),
    });
    assert_eq!(lens, [(1000, 500), (0, 4)]);
}

#[test]
fn what_is_taken_back_takes_its_file_along() {
    let mut cork = Cork::new(usize::MAX);
    cork.put_file(part(10));
    let mark = cork.mark();
    cork.put_file(part(20));
    cork.truncate(mark);
    assert_eq!(cork.len(), 10);
    cork.clear();
    assert!(cork.is_empty() && !cork.has_file());
    cork.put_file(part(u64::MAX));
    cork.put_file(part(u64::MAX));
    cork.put_file(part(u64::MAX));
    assert!(cork.len() < usize::MAX / 2, "sums must not overflow");
    cork.truncate(Mark::default());
    assert_eq!(cork.len(), 0);
}

#[test]
fn the_front_of_a_piece_is_kept_and_no_more() {
    let mut cork = Cork::new(usize::MAX);
    let mut plain = Vec::new();
    for n in [0, 3, 6, 7, 2] {
        cork.put_front(b"abcdef", n);
        plain.put_front(b"abcdef", n);
    }
    assert_eq!(plain, b"abcabcdefabcdefab");
    assert_eq!(contents(&cork, 0), plain);
}

#[test]
fn a_full_kernel_ends_the_writing() {
    let mut cork = Cork::new(100);
    cork.put(b"abcdef");
    let mut answers = [4, 9].into_iter();
    assert_eq!(cork.write(|_| Ok(answers.next().unwrap())).unwrap(), 4);
    assert!(
        cork.write(|_| Err(io::ErrorKind::BrokenPipe.into()))
            .is_err()
    );
}

#[test]
fn room_honours_the_cap() {
    let mut cork = Cork::new(10);
    cork.put(b"abc");
    assert_eq!(cork.room(), 7);
    cork.set_cap(2);
    assert_eq!(cork.room(), 0);
}

#[test]
fn clearing_keeps_the_memory_up_to_a_bound() {
    let mut cork = Cork::new(usize::MAX);
    cork.put(&[0; 1000]);
    let kept = cork.copied.capacity();
    cork.clear();
    assert_eq!(cork.copied.capacity(), kept);
    cork.space(2 * KEEP);
    cork.put_shared(Bytes::from(vec![0; SHARED_FROM]));
    for _ in 0..2 {
        cork.clear();
        assert_eq!((cork.len(), cork.is_empty()), (0, true));
        // What was needed just now is kept for the next time.
        assert!(cork.copied.capacity() >= 2 * KEEP);
        cork.space(2 * KEEP);
    }
    for _ in 0..=QUIET {
        cork.clear();
        cork.put(b"little");
    }
    assert!(cork.copied.capacity() <= KEEP);
    cork.space(MOST + 1);
    cork.clear();
    assert!(cork.copied.capacity() <= KEEP);
}

#[test]
fn a_mark_of_an_earlier_filling_does_no_harm() {
    let mut cork = Cork::new(usize::MAX);
    cork.put(b"abcdef");
    let stale = cork.mark();
    cork.clear();
    cork.put(b"xy");
    cork.put_shared(Bytes::from(vec![1; SHARED_FROM]));
    cork.truncate(Mark {
        copied: 1,
        shared: 9,
    });
    assert_eq!(contents(&cork, 0).len(), cork.len());
    cork.truncate(stale);
    assert_eq!(contents(&cork, 0), b"x");
}

proptest! {
    #[test]
    fn a_cork_behaves_like_a_vector(
        steps in prop::collection::vec((0..5u8, 0..40usize), 0..30),
        from in 0..100_000usize,
    ) {
        let mut cork = Cork::new(usize::MAX);
        let mut model = Vec::new();
        let mut marks = vec![(cork.mark(), 0)];
        for (n, (step, size)) in steps.into_iter().enumerate() {
            let n = n as u8;
            match step {
                0 => {
                    cork.put(&vec![n; size]);
                    model.extend(vec![n; size]);
                }
                1 => {
                    cork.space(size).fill(n);
                    model.extend(vec![n; size]);
                }
                2 => {
                    let size = SHARED_FROM - 20 + size;
                    cork.put_shared(Bytes::from(vec![n; size]));
                    model.extend(vec![n; size]);
                }
                3 => marks.push((cork.mark(), model.len())),
                _ => {
                    let at = size % marks.len();
                    let (mark, len) = marks[at];
                    marks.truncate(at + 1);
                    cork.truncate(mark);
                    model.truncate(len);
                }
            }
            prop_assert_eq!(cork.len(), model.len());
        }
        let from = from % (model.len() + 1);
        prop_assert_eq!(contents(&cork, from), &model[from..]);
        let parts: Vec<u8> = cork.parts(from, |parts| {
            parts.iter().flat_map(|part| part.to_vec()).collect()
        });
        prop_assert_eq!(parts, &model[from..]);
    }
}
