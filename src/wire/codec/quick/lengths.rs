//! Huffman codes: how long they are, and which (RFC 1951 §3.2.2).

/// The symbols of literals and lengths: one to spare is that of no length.
pub(super) const LITERALS: usize = 286;
pub(super) const DISTANCES: usize = 30;
pub(super) const LENGTHS: usize = 19;

const LONGEST: usize = 15;

/// The code of a symbol, as it is sent, and its length in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

impl Code {
    pub(super) const NONE: Self = Self { bits: 0, length: 0 };
}

/// Gives each used symbol a code length of at most `most` bits, shortest for the most used.
/// There is a code even for one symbol.
pub(super) fn set_lengths(counts: &[u32], codes: &mut [Code], most: usize) {
    // Symbols by how often they are used: both in one number, which sorts.
    let mut order = [0_u32; LITERALS];
    let mut used = 0;
    for (symbol, (&count, code)) in counts.iter().zip(&mut *codes).enumerate() {
        *code = Code::NONE;
        if count > 0
            && let Some(place) = order.get_mut(used)
        {
            *place = count << 9 | symbol as u32; // both are bounded by the size of a block
            used += 1;
        }
    }
    let order = order.get_mut(..used).unwrap_or_default();
    order.sort_unstable();
    let mut depths = [0_u32; LITERALS];
    let depths = depths.get_mut(..used).unwrap_or_default();
    for (depth, &entry) in depths.iter_mut().zip(&*order) {
        *depth = entry >> 9;
    }
    to_depths(depths);
    let mut sizes = bounded(depths, most.min(LONGEST));
    // The longest codes are those of the symbols that are used least.
    let mut length = most.min(LONGEST);
    for &entry in &*order {
        while length > 0 && sizes[length] == 0 {
            length -= 1;
        }
        sizes[length] -= 1;
        if let Some(code) = codes.get_mut(entry as usize & 0x1ff) {
            code.length = length as u8;
        }
    }
}

/// Counts in rising order become leaf depths of the best tree, in place (Moffat and
/// Katajainen).
fn to_depths(a: &mut [u32]) {
    let n = a.len();
    if n < 2 {
        a.iter_mut().for_each(|depth| *depth = 1);
        return;
    }
    a[0] += a[1];
    let (mut root, mut leaf) = (0, 2);
    for next in 1..n - 1 {
        let mut sum = 0;
        for _ in 0..2 {
            if leaf >= n || root < next && a[root] < a[leaf] {
                sum += a[root];
                a[root] = next as u32;
                root += 1;
            } else {
                sum += a[leaf];
                leaf += 1;
            }
        }
        a[next] = sum;
    }
    a[n - 2] = 0;
    for next in (0..n - 2).rev() {
        a[next] = a[a[next] as usize] + 1;
    }
    let (mut available, mut depth, mut place) = (1, 0, n);
    let mut inner = n - 1; // one past the last that is not looked at
    while available > 0 {
        let mut nodes = 0;
        while inner > 0 && a[inner - 1] == depth {
            nodes += 1;
            inner -= 1;
        }
        for _ in nodes..available {
            place -= 1;
            a[place] = depth;
        }
        available = 2 * nodes;
        depth += 1;
    }
}

/// How many codes have each length, none longer than `most`: shorter ones make room.
fn bounded(depths: &[u32], most: usize) -> [u32; LONGEST + 1] {
    let mut sizes = [0_u32; LONGEST + 1];
    for &depth in depths {
        sizes[(depth as usize).min(most)] += 1;
    }
    if depths.len() < 2 {
        return sizes;
    }
    // In units of the longest code.
    let unit = |length: usize| 1_u32 << (most - length);
    let all = unit(0);
    let mut taken: u32 = (1..=most).map(|length| sizes[length] * unit(length)).sum();
    while taken > all {
        // One of the longest becomes the sibling of one that was shorter.
        let shorter = (1..most).rev().find(|&length| sizes[length] > 0);
        let Some(shorter) = shorter else { break };
        sizes[most] -= 1;
        sizes[shorter] -= 1;
        sizes[shorter + 1] += 2;
        taken -= 1;
    }
    sizes
}

/// Gives each symbol the code of its length.
pub(super) const fn set_codes(codes: &mut [Code]) {
    let mut sizes = [0_u16; LONGEST + 1];
    let mut at = 0;
    while at < codes.len() {
        sizes[codes[at].length as usize & LONGEST] += 1;
        at += 1;
    }
    let (mut next, mut first, mut length) = ([0_u16; LONGEST + 1], 0_u16, 1);
    sizes[0] = 0;
    while length <= LONGEST {
        first = (first + sizes[length - 1]) << 1;
        next[length] = first;
        length += 1;
    }
    at = 0;
    while at < codes.len() {
        let length = codes[at].length as usize & LONGEST;
        if length > 0 {
            // Codes are sent from their highest bit on.
            codes[at].bits = next[length].reverse_bits() >> (16 - length);
            next[length] += 1;
        }
        at += 1;
    }
}
