//! Short strings compared and copied without a call.
//!
//! Names and values are mostly of 5 to 30 octets, for which the call of
//! `memcmp` or `memcpy` costs more than the work. Here the first and the last
//! word of a string are taken, which overlap in the middle.

#[inline]
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        0 => true,
        1..4 => a.iter().eq(b),
        4..8 => ends::<4>(a) == ends(b),
        8..=16 => ends::<8>(a) == ends(b),
        17..=32 => ends::<16>(a) == ends(b),
        _ => a == b,
    }
}

/// Copies `from` to the front of `to`; `None`, and nothing done, if there is
/// too little room.
#[inline]
pub(super) fn copy(from: &[u8], to: &mut [u8]) -> Option<()> {
    let to = to.get_mut(..from.len())?;
    match from.len() {
        4..8 => copy_ends::<4>(from, to),
        8..=16 => copy_ends::<8>(from, to),
        17..=32 => copy_ends::<16>(from, to),
        0..4 => {
            for (to, &b) in to.iter_mut().zip(from) {
                *to = b;
            }
            Some(())
        }
        _ => {
            to.copy_from_slice(from);
            Some(())
        }
    }
}

/// The first `N` and the last `N` octets.
#[inline]
fn ends<const N: usize>(text: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    Some((text.first_chunk()?, text.last_chunk()?))
}

#[inline]
fn copy_ends<const N: usize>(from: &[u8], to: &mut [u8]) -> Option<()> {
    let (first, last) = ends::<N>(from)?;
    *to.first_chunk_mut()? = *first;
    *to.last_chunk_mut()? = *last;
    Some(())
}

#[cfg(test)]
mod tests;
