//! The patterns of routes, `/users/{id}/files/{*rest}`, and the values of their parameters.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use super::path::Path;

/// The most parameters that a pattern may have.
pub(super) const MAX_PARAMETERS: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(Box<str>),
    /// Any one segment: `{name}`.
    Parameter,
    /// All that follows, at least one segment: `{*name}`.
    Rest,
}

/// A pattern: its segments, and what its parameters are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) segments: Vec<Segment>,
    pub(crate) names: Box<[Box<str>]>,
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(text) = text.strip_prefix('/') else {
            return Err("a pattern begins with a slash");
        };
        if text.contains(['?', '#']) {
            return Err("a pattern is a path, without a query or a fragment");
        }
        let mut segments = Vec::new();
        let mut names: Vec<Box<str>> = Vec::new();
        for segment in text.split('/') {
            if matches!(segments.last(), Some(Segment::Rest)) {
                return Err("nothing follows {*name}");
            }
            let inside = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            let (kind, name) = match inside.map(|name| (name, name.strip_prefix('*'))) {
                None => (Segment::Literal(segment.into()), None),
                Some((_, Some(name))) => (Segment::Rest, Some(name)),
                Some((name, None)) => (Segment::Parameter, Some(name)),
            };
            match name {
                None if segment.contains(['{', '}']) => {
                    return Err("a parameter is a complete segment: /{name}/");
                }
                None if is_foreign(segment) => {
                    return Err("a parameter is written {name}, and all that follows {*name}");
                }
                None => {}
                Some(name) if name.is_empty() || name.contains(['{', '}', '*']) => {
                    return Err("a parameter has a name: {name} or {*name}");
                }
                Some(name) if names.iter().any(|other| **other == *name) => {
                    return Err("two parameters have the same name");
                }
                Some(_) if names.len() == MAX_PARAMETERS => {
                    return Err("a pattern has at most 8 parameters");
                }
                Some(name) => names.push(name.into()),
            }
            segments.push(kind);
        }
        Ok(Self {
            segments,
            names: names.into_boxed_slice(),
        })
    }
}

/// Whether a segment is a parameter in the notation of another router: `:id`, `*`, `*rest` or
/// `<id>`.
fn is_foreign(segment: &str) -> bool {
    segment.starts_with([':', '*']) || segment.starts_with('<') && segment.ends_with('>')
}

/// The segments of a path that parameters have taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    segments: [u32; MAX_PARAMETERS],
    count: u8,  // <= MAX_PARAMETERS
    rest: bool, // the last reaches to the end of the path
}

impl Taken {
    pub(crate) const NONE: Self = Self {
        segments: [0; MAX_PARAMETERS],
        count: 0,
        rest: false,
    };

    pub(crate) fn and(mut self, segment: usize, rest: bool) -> Self {
        // A pattern has no more parameters than there is room for, and a path
        // no more segments than bytes.
        if let Some(slot) = self.segments.get_mut(usize::from(self.count)) {
            *slot = segment as u32;
            self.count += 1;
        }
        self.rest = rest;
        self
    }
}

/// The parameters of a match: names, and which segments of the path are their
/// values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Params<'r> {
    pub(crate) names: &'r [Box<str>],
    pub(crate) taken: Taken,
}

impl Params<'_> {
    pub(crate) const NONE: Self = Self {
        names: &[],
        taken: Taken::NONE,
    };

    /// Where the value of the parameter `name` lies in the text of `path`.
    pub(crate) fn span(&self, name: &str, path: &Path) -> Option<Range<usize>> {
        let at = self.names.iter().position(|other| **other == *name)?;
        let taken = &self.taken;
        let is_rest = taken.rest && at + 1 == usize::from(taken.count);
        let segment = *taken.segments.get(at)? as usize;
        if is_rest {
            path.rest(segment)
        } else {
            path.span(segment)
        }
    }
}

#[cfg(test)]
mod tests;
