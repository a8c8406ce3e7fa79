use super::*;
use alloc::vec;
use proptest::prelude::*;

/// A part of a file of zeros.
#[derive(Debug)]
struct Zeros(u64);

impl Stored for Zeros {
    fn len(&self) -> u64 {
        self.0
    }

    fn advance(&mut self, n: u64) {
        self.0 -= n;
    }
}

proptest! {
    #[test]
    fn a_queue_behaves_like_a_vector_and_is_charged_for_what_it_holds(
        steps in prop::collection::vec((0..7u8, 1..90_000usize), 0..40),
    ) {
        let account = Account::new(usize::MAX);
        let (mut queue, mut model) = (Segments::<Zeros>::default(), Vec::new());
        queue.charge_to(Some(&account));
        for (n, (step, size)) in steps.into_iter().enumerate() {
            let bytes = vec![n as u8; size];
            match step {
                0 => queue.put(&bytes, Vec::new),
                1 => {
                    queue.extend(size, Vec::new);
                    queue.tail(size).copy_from_slice(&bytes);
                }
                2 => queue.put_reference(Reference::Shared(bytes.clone().into())),
                3 => queue.put_reference(Reference::Published(bytes.clone().into())),
                4 => {
                    queue.put_reference(Reference::Stored(Zeros(size as u64)));
                    model.extend(vec![0; size]);
                }
                _ => {
                    queue.advance(2 * size, drop);
                    model.drain(..(2 * size).min(model.len()));
                }
            }
            if step < 4 {
                model.extend(bytes);
            }
            prop_assert_eq!(queue.len() + clamp(queue.stored()), model.len());
            let mut at = 0;
            let (mut held, mut referred) = (0, 0);
            for segment in queue.iter() {
                let (len, stored) = segment.lens();
                if let Some(slice) = segment.as_slice() {
                    prop_assert_eq!(slice, &model[at..at + len]);
                }
                prop_assert!(len + clamp(stored) > 0);
                at += len + clamp(stored);
                held += segment.memory().0;
                referred += segment.memory().1;
            }
            prop_assert_eq!(at, model.len());
            prop_assert_eq!((queue.held, account.referred()), (held, referred));
            prop_assert_eq!(account.held(), queue.memory());
        }
        queue.clear(drop);
        prop_assert_eq!((queue.len(), queue.held, account.referred()), (0, 0, 0));
    }
}
