//! Octets that are known to be text.

use super::blocks::HALF;
use crate::wire::ascii;

/// Octets `from` to `to` of `text` as a request target, and the first `?`; `None` unless all
/// may stand there ([`ascii::is_in_path`], after the `?` [`ascii::is_in_target`]).
#[inline(always)]
pub(crate) fn target(text: &[u8], from: usize, to: usize) -> Option<(&str, Option<usize>)> {
    let target = text.get(from..to)?;
    let query = judge(text, from, to)?;
    // SAFETY: every octet was just found to be US-ASCII, which is UTF-8.
    Some((unsafe { core::str::from_utf8_unchecked(target) }, query))
}

/// Where the first `?` is; `None` if an octet cannot stand in a target.
#[inline(always)]
fn judge(text: &[u8], from: usize, to: usize) -> Option<Option<usize>> {
    // A short one is judged in one step.
    if let Some(block) = text.get(from..).and_then(|rest| rest.first_chunk())
        && to - from < HALF
    {
        let (rare, question) = target_bytes(block);
        let here = (1 << (to - from)) - 1;
        let at = (question & here).trailing_zeros() as usize;
        return match rare & here {
            0 => Some((at < HALF).then_some(at)),
            _ => judge_bytes(text, from, to),
        };
    }
    judge_long(text, from, to)
}

/// Judges a target in steps of a block.
fn judge_long(text: &[u8], from: usize, to: usize) -> Option<Option<usize>> {
    let mut query = None;
    let mut at = from;
    while at < to {
        let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk()) else {
            return judge_bytes(text, from, to);
        };
        let (rare, question) = target_bytes(block);
        // The last load reads beyond the target, and what it finds there does
        // not count.
        let here = match to - at {
            left @ 0..HALF => (1 << left) - 1,
            _ => u32::MAX,
        };
        if rare & here != 0 {
            return judge_bytes(text, from, to);
        }
        if question & here != 0 && query.is_none() {
            query = Some(at - from + question.trailing_zeros() as usize);
        }
        at += HALF;
    }
    Some(query)
}

/// Bits of 16 bytes: rare in a request target (among them all that cannot stand in a path), and
/// `?`.
#[inline(always)]
fn target_bytes(block: &[u8; HALF]) -> (u32, u32) {
    #[cfg(target_arch = "x86_64")]
    return super::x86_64::target_bytes(block);
    #[cfg(not(target_arch = "x86_64"))]
    super::swar::target_bytes(block)
}

/// [`judge`] byte by byte, where the text ends soon or holds what is rare.
#[cold]
fn judge_bytes(text: &[u8], from: usize, to: usize) -> Option<Option<usize>> {
    let target = text.get(from..to)?;
    let question = target.iter().position(|&b| b == b'?');
    let (path, query) = target.split_at(question.unwrap_or(target.len())); // within it
    let fits =
        path.iter().all(|&b| ascii::is_in_path(b)) && query.iter().all(|&b| ascii::is_in_target(b));
    fits.then_some(question)
}

#[cfg(test)]
mod tests;
