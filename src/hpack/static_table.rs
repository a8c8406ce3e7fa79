//! The static table (RFC 7541 appendix A).

use super::short::same;

/// How many entries there are: indices 1 to 61.
pub(super) const LEN: u32 = 61;

/// An entry, its name and value in one piece.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) text: &'static [u8],
    pub(super) name: usize,
}

macro_rules! entries {
    ($(($name:literal $value:literal))*) => {
        [$(Known {
            text: concat!($name, $value).as_bytes(),
            name: $name.len(),
        },)*]
    };
}

static ENTRIES: [Known; LEN as usize] = entries! {
    (":authority" "")
    (":method" "GET")
    (":method" "POST")
    (":path" "/")
    (":path" "/index.html")
    (":scheme" "http")
    (":scheme" "https")
    (":status" "200")
    (":status" "204")
    (":status" "206")
    (":status" "304")
    (":status" "400")
    (":status" "404")
    (":status" "500")
    ("accept-charset" "")
    ("accept-encoding" "gzip, deflate")
    ("accept-language" "")
    ("accept-ranges" "")
    ("accept" "")
    ("access-control-allow-origin" "")
    ("age" "")
    ("allow" "")
    ("authorization" "")
    ("cache-control" "")
    ("content-disposition" "")
    ("content-encoding" "")
    ("content-language" "")
    ("content-length" "")
    ("content-location" "")
    ("content-range" "")
    ("content-type" "")
    ("cookie" "")
    ("date" "")
    ("etag" "")
    ("expect" "")
    ("expires" "")
    ("from" "")
    ("host" "")
    ("if-match" "")
    ("if-modified-since" "")
    ("if-none-match" "")
    ("if-range" "")
    ("if-unmodified-since" "")
    ("last-modified" "")
    ("link" "")
    ("location" "")
    ("max-forwards" "")
    ("proxy-authenticate" "")
    ("proxy-authorization" "")
    ("range" "")
    ("referer" "")
    ("refresh" "")
    ("retry-after" "")
    ("server" "")
    ("set-cookie" "")
    ("strict-transport-security" "")
    ("transfer-encoding" "")
    ("user-agent" "")
    ("vary" "")
    ("via" "")
    ("www-authenticate" "")
};

#[inline]
pub(super) fn entry(index: u32) -> Option<Known> {
    ENTRIES.get((index as usize).wrapping_sub(1)).copied()
}

#[inline]
pub(super) fn get(index: u32) -> Option<(&'static [u8], &'static [u8])> {
    let known = entry(index)?;
    known.text.split_at_checked(known.name)
}

/// Where the static table holds a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StaticMatch {
    /// The lowest index of the name, or that of the field; 0 for neither.
    pub(super) index: u32,
    pub(super) whole: bool,
}

#[inline]
pub(super) fn find(name: &[u8], value: &[u8]) -> StaticMatch {
    let first = index_of(name);
    // Where the last entry of the name is, if one of them has a value.
    let last = match first {
        2 | 4 | 6 => first + 1,
        8 => 14,
        16 => 16,
        _ => 0,
    };
    let mut index = first;
    while index <= last {
        if get(index).is_some_and(|(_, known)| same(known, value)) {
            return StaticMatch { index, whole: true };
        }
        index += 1;
    }
    StaticMatch {
        index: first,
        whole: false,
    }
}

/// The lowest index of a name; 0 if it has none.
#[inline]
fn index_of(name: &[u8]) -> u32 {
    let Some(slot) = slot(name) else {
        return 0;
    };
    let index = u32::from(SLOTS[slot]);
    match get(index) {
        Some((known, _)) if same(known, name) => index,
        _ => 0,
    }
}

/// Slots of the names: no two share one.
static SLOTS: [u8; 128] = slots();

const SPREAD: u32 = 0x746b_faa1;

/// Where a name is, if it is one of the table; `None` for an empty one.
#[inline]
const fn slot(name: &[u8]) -> Option<usize> {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else {
        return None;
    };
    let middle = name[name.len() / 2]; // it is not empty
    let ends = u32::from_le_bytes([name.len() as u8, last, middle, first]);
    Some((ends.wrapping_mul(SPREAD) >> 25) as usize)
}

const fn slots() -> [u8; 128] {
    let mut slots = [0; 128];
    let mut index = ENTRIES.len();
    // The lowest index of a name is written last.
    while index > 0 {
        let known = ENTRIES[index - 1];
        if let Some(slot) = slot(known.text.split_at(known.name).0) {
            slots[slot] = index as u8;
        }
        index -= 1;
    }
    slots
}

#[cfg(test)]
mod tests;
