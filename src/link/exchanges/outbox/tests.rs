use super::*;
use alloc::vec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn an_outbox_behaves_like_a_vector(
        steps in prop::collection::vec((0..4u8, 0..70_000usize), 0..40),
    ) {
        let (mut outbox, mut model) = (Outbox::default(), Vec::new());
        for (n, (step, size)) in steps.into_iter().enumerate() {
            let bytes = vec![n as u8; size];
            match step {
                0 => outbox.put(&bytes),
                1 => outbox.share(bytes.clone().into()),
                _ => {
                    let len = match outbox.front() {
                        Some((NextBytes::Copied(front), _)) => front.len(),
                        Some((NextBytes::Shared(front), _)) => front.len(),
                        None => 0,
                    };
                    let n = size.min(len);
                    outbox.advance(n);
                    model.drain(..n);
                }
            }
            if step < 2 {
                model.extend(bytes);
            }
            prop_assert_eq!(outbox.len(), model.len());
            if let Some((front, last)) = outbox.front() {
                prop_assert!(!last, "it was not ended");
                let front = match front {
                    NextBytes::Copied(front) => front,
                    NextBytes::Shared(front) => front,
                };
                prop_assert!(model.starts_with(front));
            }
        }
        outbox.clear();
        prop_assert_eq!((outbox.len(), outbox.content.count()), (0, 0));
    }
}

#[test]
fn the_end_stands_behind_the_last_piece() {
    let mut outbox = Outbox::default();
    outbox.put(b"a");
    outbox.share(Bytes::from_static(&[0; SHARED_FROM]));
    outbox.end(Fields::EMPTY);
    assert!(matches!(
        outbox.front(),
        Some((NextBytes::Copied(b"a"), false))
    ));
    outbox.advance(1);
    assert!(matches!(outbox.front(), Some((NextBytes::Shared(_), true))));
}
