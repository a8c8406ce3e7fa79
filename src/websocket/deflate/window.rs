//! The end of what was received, which the next message may refer to.

use alloc::vec::Vec;

/// The last bytes of a text, as a ring.
#[derive(Debug, Default)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    oldest: usize,
}

impl Window {
    pub(crate) const NONE: Self = Self {
        bytes: Vec::new(),
        oldest: 0,
    };

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) const fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn parts(&self) -> [&[u8]; 2] {
        let (newer, older) = self.bytes.split_at(self.oldest);
        [older, newer]
    }

    /// Appends a text, keeping the last `most` bytes.
    pub(super) fn push(&mut self, plain: &[u8], most: usize) {
        let beyond = plain.len().saturating_sub(most);
        let mut plain = plain.get(beyond..).unwrap_or_default();
        if plain.len() == most {
            self.bytes.clear();
            self.oldest = 0;
        }
        let room = most - self.bytes.len();
        if room > 0 {
            let length = (self.bytes.len() + plain.len()).min(most);
            if self.bytes.capacity() < length {
                // No more than half is empty, and none once it is full.
                let size = (length * 2).min(most);
                self.bytes.reserve_exact(size - self.bytes.len());
            }
            let (first, rest) = plain.split_at(plain.len().min(room));
            self.bytes.extend_from_slice(first);
            plain = rest;
        }
        while let Some(place) = self.bytes.get_mut(self.oldest..)
            && !plain.is_empty()
        {
            let (first, rest) = plain.split_at(plain.len().min(place.len()));
            let (place, _) = place.split_at_mut(first.len());
            place.copy_from_slice(first);
            self.oldest = (self.oldest + first.len()) % most;
            plain = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_end_of_a_text_is_kept(
            most in 1..80_usize,
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
        ) {
            let (mut window, mut expected) = (Window::default(), vec![]);
            for text in texts {
                window.push(&text, most);
                expected.extend(text);
                expected.drain(..expected.len().saturating_sub(most));
                prop_assert_eq!(window.parts().concat(), &expected[..]);
                prop_assert!(window.capacity() <= most.min(2 * expected.len()));
                prop_assert_eq!(window.is_empty(), expected.is_empty());
            }
        }
    }
}
