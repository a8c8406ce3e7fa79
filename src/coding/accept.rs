//! Which codings a client takes (RFC 9110 §12.5.3).

use super::name::Coding;
use crate::http::{Fields, quality};
use crate::wire::ascii;

/// The preference of an Accept-Encoding field for each coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    weights: [u16; Coding::COUNT], // in thousandths, by `Coding as usize`
    identity: u16,
}

impl Accepted {
    /// Reads the preference of a request. Without the field every coding would do, but
    /// clients that know none leave it out: then it is none.
    pub(crate) fn of(fields: Fields<'_>) -> Self {
        let (mut named, mut identity, mut any) = ([None; Coding::COUNT], None, None);
        for element in fields.list("accept-encoding") {
            let (name, parameters) = match element.iter().position(|&byte| byte == b';') {
                Some(at) => element.split_at(at),
                None => (element, &b""[..]),
            };
            let name = ascii::trim_ows(name);
            let known = Coding::ALL.into_iter().find(|it| it.is_named(name));
            let place = match known {
                Some(coding) => named.get_mut(coding as usize),
                None if name == b"*" => Some(&mut any),
                None if name.eq_ignore_ascii_case(b"identity") => Some(&mut identity),
                None => None,
            };
            if let Some(place) = place {
                place.get_or_insert_with(|| quality(parameters));
            }
        }
        Self {
            weights: named.map(|it: Option<u16>| it.or(any).unwrap_or(0)),
            // A client that does not speak of it takes what is not coded last.
            identity: identity.or(any).unwrap_or(1),
        }
    }

    /// The codings among `preferred` that the client takes at least as gladly as none, the
    /// best first, and among equals in the order of `preferred`.
    pub(crate) fn in_order(self, preferred: &[Coding]) -> impl Iterator<Item = Coding> + '_ {
        let mut below = (u16::MAX, usize::MAX); // the weight and place of the last one
        core::iter::from_fn(move || {
            let places = preferred.iter().enumerate();
            let weighed =
                places.map(|(at, coding)| ((self.weight(*coding), usize::MAX - 1 - at), *coding));
            let next = weighed
                .filter(|&((weight, at), _)| {
                    weight > 0 && weight >= self.identity && (weight, at) < below
                })
                .max_by_key(|&(place, _)| place)?;
            below = next.0;
            Some(next.1)
        })
    }

    fn weight(self, coding: Coding) -> u16 {
        self.weights.get(coding as usize).copied().unwrap_or(0)
    }

    /// Whether the client does not take what is not coded.
    pub(crate) const fn refuses_identity(self) -> bool {
        self.identity == 0
    }
}

#[cfg(test)]
mod tests;
