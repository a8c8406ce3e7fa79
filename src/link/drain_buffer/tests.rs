use super::*;
use alloc::vec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn it_behaves_like_a_vector(steps in prop::collection::vec((0..6u8, 0..900usize), 0..60)) {
        let account = Account::new(usize::MAX);
        let (mut buffer, mut model) = (DrainBuffer::new(), Vec::new());
        buffer.charge_to(Some(&account));
        for (n, (step, size)) in steps.into_iter().enumerate() {
            let piece = vec![n as u8; size];
            match step {
                0 => {
                    buffer.push(&piece);
                    model.extend(piece);
                }
                1 => {
                    buffer.try_push(&piece).unwrap();
                    model.extend(piece);
                }
                2 => {
                    buffer.push_owned(piece.clone());
                    model.extend(piece);
                }
                3 => {
                    buffer.advance(size);
                    model.drain(..size.min(model.len()));
                }
                4 => {
                    let taken: Vec<u8> = model.drain(..size.min(model.len())).collect();
                    prop_assert_eq!(&*buffer.take(size), &taken[..]);
                }
                _ => buffer.release(size),
            }
            prop_assert_eq!(buffer.unused(), &model[..]);
            prop_assert_eq!((buffer.len(), buffer.is_empty()), (model.len(), model.is_empty()));
            prop_assert_eq!(account.held(), buffer.memory());
        }
        buffer.take_memory();
        prop_assert_eq!((account.held(), buffer.len()), (0, 0));
    }
}

#[test]
fn memory_is_asked_for_before_it_is_taken() {
    let account = Account::new(100);
    let mut buffer = DrainBuffer::new();
    buffer.charge_to(Some(&account));
    buffer.try_push(&[1; 60]).unwrap();
    assert_eq!(buffer.try_push(&[2; 60]), Err(Full));
    assert_eq!((buffer.len(), account.held()), (60, 60));
    buffer.advance(60);
    buffer.try_push(&[3; 60]).unwrap(); // in the same memory
    assert_eq!((buffer.unused(), account.held()), (&[3; 60][..], 60));
}

#[test]
fn a_front_that_is_used_byte_by_byte_is_moved_seldom() {
    let mut buffer = DrainBuffer::new();
    for n in 0..100_000_u32 {
        buffer.push(&n.to_be_bytes());
        assert_eq!(buffer.take(4), n.to_be_bytes());
    }
    assert!(buffer.memory() <= 64, "{}", buffer.memory());
}
