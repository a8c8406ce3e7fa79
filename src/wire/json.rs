//! JSON that is passed on as it is written: members of objects, and strings.

use alloc::borrow::Cow;
use alloc::string::String;
#[cfg(feature = "graphql")]
use alloc::vec::Vec;
use core::fmt;
use core::fmt::Write as _;

#[cfg(feature = "graphql")]
use serde::de::SeqAccess;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotObject {
    /// It is not JSON.
    Malformed,
    Other,
}

/// The members with these names, as written. The last of a repeated name counts, as in
/// JavaScript.
pub(crate) fn members<'a, const N: usize>(
    text: &'a str,
    names: [&str; N],
) -> Result<[Option<&'a str>; N], NotObject> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Members(names).deserialize(&mut reader);
    // What follows the object makes the text none.
    match read.and_then(|found| reader.end().map(|()| found)) {
        Ok(found) => Ok(found),
        Err(error) if error.classify() == Category::Data => {
            // A number, say, behind which nothing was read.
            match serde_json::from_str::<IgnoredAny>(text) {
                Ok(_) => Err(NotObject::Other),
                Err(_) => Err(NotObject::Malformed),
            }
        }
        Err(_) => Err(NotObject::Malformed),
    }
}

struct Members<'n, const N: usize>([&'n str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Members<'_, N> {
    type Value = [Option<&'de str>; N];

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<&'de str>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(place) = map.next_key_seed(Name(&self.0))? {
            match place.and_then(|at| found.get_mut(at)) {
                Some(place) => *place = Some(map.next_value::<&RawValue>()?.get()),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// The name of a member: which of those that are looked for.
struct Name<'n, const N: usize>(&'n [&'n str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Name<'_, N> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for Name<'_, N> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|it| *it == name))
    }
}

/// The elements of an array, as they are written: at most one more than so many.
#[cfg(feature = "graphql")]
pub(crate) fn elements(text: &str, most: usize) -> Option<Vec<&str>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Elements(most).deserialize(&mut reader);
    read.and_then(|found| reader.end().map(|()| found)).ok()
}

#[cfg(feature = "graphql")]
struct Elements(usize);

#[cfg(feature = "graphql")]
impl<'de> DeserializeSeed<'de> for Elements {
    type Value = Vec<&'de str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

#[cfg(feature = "graphql")]
impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(element) = seq.next_element::<&RawValue>()? {
            if found.len() <= self.0 {
                found.push(element.get());
            }
        }
        Ok(found)
    }
}

/// The value at a path of names and numbers between dots, as it is written: found in one pass.
#[cfg(feature = "graphql")]
pub(crate) fn at_path<'a>(text: &'a str, path: &str) -> Option<&'a str> {
    let mut reader = serde_json::Deserializer::from_str(text);
    At(path).deserialize(&mut reader).ok()?
}

/// What is left of a path.
#[cfg(feature = "graphql")]
struct At<'p>(&'p str);

#[cfg(feature = "graphql")]
impl<'p> At<'p> {
    fn split(&self) -> (&'p str, Option<Self>) {
        match self.0.split_once('.') {
            Some((step, rest)) => (step, Some(Self(rest))),
            None => (self.0, None),
        }
    }
}

#[cfg(feature = "graphql")]
impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<&'de str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

#[cfg(feature = "graphql")]
impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (step, mut found) = (self.split().0, None);
        while let Some(place) = map.next_key_seed(Name(&[step]))? {
            match (place, self.split().1) {
                (Some(_), Some(rest)) => found = map.next_value_seed(rest)?,
                (Some(_), None) => found = Some(map.next_value::<&RawValue>()?.get()),
                (None, _) => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let (step, rest) = self.split();
        for _ in 0..step.parse::<usize>().unwrap_or(usize::MAX) {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = match rest {
            Some(rest) => seq.next_element_seed(rest)?.flatten(),
            None => seq.next_element::<&RawValue>()?.map(RawValue::get),
        };
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}

/// A member that is there and not null.
pub(crate) fn given(member: Option<&str>) -> Option<&str> {
    member.filter(|it| *it != "null")
}

/// The text of a string; `None` if it is none.
pub(crate) fn string(json: &str) -> Option<Cow<'_, str>> {
    // Most have no escapes, and are not copied.
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    match inner.contains('\\') {
        false => Some(Cow::Borrowed(inner)),
        true => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

/// Whether arrays and objects are nested deeper than this. The text is JSON, or is refused
/// later.
pub(crate) fn is_deeper(json: &str, most: usize) -> bool {
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Appends a string.
pub(crate) fn put_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    let is_special = |it: u8| matches!(it, b'"' | b'\\' | 0..=0x1f);
    while let Some((plain, special, after)) = rest.bytes().position(is_special).and_then(|at| {
        let (plain, special) = rest.split_at_checked(at)?;
        Some((plain, special.chars().next()?, special.get(1..)?))
    }) {
        out.push_str(plain);
        let _ = match special {
            '"' | '\\' => write!(out, "\\{special}"),
            '\n' => out.write_str("\\n"),
            special => write!(out, "\\u{:04x}", u32::from(special)),
        };
        rest = after;
    }
    out.push_str(rest);
    out.push('"');
}
