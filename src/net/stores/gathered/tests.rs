use super::*;
use proptest::prelude::*;
use std::vec;

proptest! {
    #[test]
    fn it_behaves_like_a_vector(steps in prop::collection::vec((0..7u8, 0..9000usize), 0..40)) {
        let (mut gathered, mut model) = (Gathered::new(), Vec::new());
        for (n, (step, size)) in steps.into_iter().enumerate() {
            let n = n as u8;
            match step {
                0 => {
                    gathered.put(&vec![n; size]);
                    model.extend(vec![n; size]);
                }
                1 => {
                    gathered.put_front(&[n; 64], size % 80);
                    model.extend(vec![n; (size % 80).min(64)]);
                }
                2 => {
                    gathered.space(size).fill(n);
                    model.extend(vec![n; size]);
                }
                3 => {
                    gathered.truncate(size);
                    model.truncate(size);
                }
                4 => {
                    gathered.advance(size);
                    model.drain(..size.min(model.len()));
                }
                5 => {
                    let (few, many) = (vec![n; size / 7], vec![!n; size]);
                    gathered.put_all([&few, b"", &many]);
                    model.extend(few);
                    model.extend(many);
                }
                _ => {
                    gathered.shrink_to(size);
                    model.clear();
                    prop_assert!(gathered.capacity() <= size.max(8));
                }
            }
            prop_assert_eq!(gathered.as_slice(), &model[..]);
            prop_assert_eq!((gathered.len(), gathered.is_empty()), (model.len(), model.is_empty()));
        }
    }
}
