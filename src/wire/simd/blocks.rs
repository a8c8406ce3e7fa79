//! What vectors say about 64 bytes of a head.

/// A mask has bit `i` set where byte `i` of the block is of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Masks {
    /// `tchar` (RFC 9110 §5.6.2).
    pub(crate) token: u64,
    /// CR.
    pub(crate) cr: u64,
    /// LF.
    pub(crate) lf: u64,
    /// Control characters other than HTAB, CR and LF.
    pub(crate) control: u64,
}

impl Masks {
    /// The masks of a text whose first bytes are judged by `self` and whose
    /// bytes from `by` on by `later`. Where both judge they agree.
    #[inline(always)]
    pub(crate) const fn join(self, later: Self, by: u32) -> Self {
        Self {
            token: self.token | later.token << by,
            cr: self.cr | later.cr << by,
            lf: self.lf | later.lf << by,
            control: self.control | later.control << by,
        }
    }

    /// The masks without the first `by` bytes, at most 63.
    #[inline(always)]
    const fn skip(self, by: u32) -> Self {
        Self {
            token: self.token >> by,
            cr: self.cr >> by,
            lf: self.lf >> by,
            control: self.control >> by,
        }
    }
}

/// Vectors of one instruction set. A value is the proof that the processor has
/// it.
pub(crate) trait Blocks: Copy {
    /// Judges 16 bytes.
    fn sixteen(self, text: &[u8; 16]) -> Masks;

    /// Judges 32 bytes.
    #[inline(always)]
    fn thirty_two(self, text: &[u8; 32]) -> Masks {
        let ([a, b], _) = text.as_chunks::<16>() else {
            return Masks::default(); // not reached: 32 bytes are two times 16
        };
        self.sixteen(a).join(self.sixteen(b), 16)
    }

    /// Judges 64 bytes.
    #[inline(always)]
    fn sixty_four(self, text: &[u8; 64]) -> Masks {
        let ([a, b], _) = text.as_chunks::<32>() else {
            return Masks::default(); // not reached: 64 bytes are two times 32
        };
        self.thirty_two(a).join(self.thirty_two(b), 32)
    }

    /// Judges the bytes of `text` from `base` on, up to 64, and says how many
    /// they are; the bits beyond are clear. Loads that would run over the end
    /// begin earlier instead. A text of fewer than 16 bytes is not judged.
    #[inline(always)]
    fn at(self, text: &[u8], base: usize) -> (Masks, usize) {
        let rest = text.get(base..).unwrap_or_default();
        if let Some(block) = rest.first_chunk::<64>() {
            return (self.sixty_four(block), 64);
        }
        if rest.is_empty() || text.len() < 16 {
            return (Masks::default(), 0);
        }
        let len = rest.len() as u32; // 1 to 63
        let masks = match (text.last_chunk::<32>(), text.last_chunk::<64>()) {
            (Some(block), _) if len <= 32 => self.thirty_two(block).skip(32 - len),
            (_, Some(block)) => self.sixty_four(block).skip(64 - len),
            _ => self.short(text).skip(base as u32),
        };
        (masks, rest.len())
    }

    /// Judges a whole text of 16 to 63 bytes.
    #[inline(always)]
    fn short(self, text: &[u8]) -> Masks {
        let len = text.len() as u32;
        match (text.first_chunk::<32>(), text.last_chunk::<32>()) {
            (Some(a), Some(b)) => self.thirty_two(a).join(self.thirty_two(b), len - 32),
            _ => match (text.first_chunk::<16>(), text.last_chunk::<16>()) {
                (Some(a), Some(b)) => self.sixteen(a).join(self.sixteen(b), len - 16),
                _ => Masks::default(),
            },
        }
    }
}

/// The bits of `tchar`: `LOW[b & 15]` has bit `b >> 4` set where `b` is one.
/// Two look-ups of 16 entries judge a byte.
pub(super) static LOW: [u8; 16] = low_nibbles();

/// Bit `b >> 4`; none for octets beyond US-ASCII.
pub(super) static HIGH: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0];

const fn low_nibbles() -> [u8; 16] {
    let mut table = [0; 16];
    let mut b = 0u8;
    while b < 128 {
        if crate::wire::ascii::in_tchar_grammar(b) {
            table[(b & 15) as usize] |= 1 << (b >> 4);
        }
        b += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::{Job, swar::Words};
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    struct Judge<'t>(&'t [u8], usize);

    impl Job for Judge<'_> {
        type Output = (Masks, usize);

        #[inline(always)]
        fn run<B: Blocks>(self, blocks: B) -> (Masks, usize) {
            blocks.at(self.0, self.1)
        }
    }

    /// The answers of all back ends that this processor has.
    fn answers(text: &[u8], base: usize) -> Vec<(Masks, usize)> {
        let mut answers = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            use super::super::x86_64::{Avx2, Ssse3};
            answers.extend(Avx2::new().map(|blocks| blocks.run(Judge(text, base))));
            answers.extend(Ssse3::new().map(|blocks| blocks.run(Judge(text, base))));
        }
        answers.extend(super::super::dispatch(Judge(text, base)));
        answers
    }

    fn naive(text: &[u8], base: usize) -> (Masks, usize) {
        let mut masks = Masks::default();
        let rest = &text[base..text.len().min(base + 64)];
        for (i, &b) in rest.iter().enumerate() {
            masks.token |= u64::from(crate::wire::ascii::is_tchar(b)) << i;
            masks.cr |= u64::from(b == b'\r') << i;
            masks.lf |= u64::from(b == b'\n') << i;
            let control = b.is_ascii_control() && !matches!(b, b'\t' | b'\r' | b'\n');
            masks.control |= u64::from(control) << i;
        }
        (masks, rest.len())
    }

    #[test]
    fn every_back_end_judges_every_octet_as_the_tables_do() {
        for b in 0..=255 {
            for len in [16, 17, 31, 32, 33, 63, 64, 65, 100] {
                let mut text = alloc::vec![b'a'; len];
                text[len / 3] = b;
                text[len - 1] = b;
                for base in [0, 1, len / 2, len - 1] {
                    let oracle = naive(&text, base);
                    assert_eq!(Words.at(&text, base), oracle, "{b} {len} {base}");
                    for answer in answers(&text, base) {
                        assert_eq!(answer, oracle, "{b} {len} {base}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_back_end_gives_the_same_masks(
            text in proptest::collection::vec(any::<u8>(), 16..200), base in 0..200usize,
        ) {
            let base = base.min(text.len());
            let oracle = naive(&text, base);
            prop_assert_eq!(Words.at(&text, base), oracle);
            for answer in answers(&text, base) {
                prop_assert_eq!(answer, oracle);
            }
        }
    }
}
