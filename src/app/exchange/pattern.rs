//! The patterns of routes: `/users/{id}/files/{*rest}`.

use alloc::{boxed::Box, vec::Vec};

/// The most parameters that a pattern may have.
pub(super) const MAX_PARAMETERS: usize = 8;

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) enum Segment {
    /// This text, percent-decoded.
    Literal(Box<str>),
    /// Any one segment: `{name}`.
    Parameter,
    /// All that follows, at least one segment: `{*name}`.
    Rest,
}

/// A pattern: its segments, and what its parameters are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) struct Pattern {
    pub(in crate::app) segments: Vec<Segment>,
    pub(in crate::app) names: Box<[Box<str>]>,
}

impl Pattern {
    /// Parses a pattern; an error says what is wrong with it.
    pub(in crate::app) fn parse(text: &str) -> Result<Self, &'static str> {
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

/// Whether a segment looks like a parameter in the notation of another router:
/// `:id`, `*`, `*rest` or `<id>`. As a literal it would match by its text alone,
/// which is hardly what was meant.
fn is_foreign(segment: &str) -> bool {
    segment.starts_with([':', '*']) || segment.starts_with('<') && segment.ends_with('>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_literals_parameters_and_a_rest() {
        let pattern = Pattern::parse("/users/{id}/{*rest}").unwrap();
        let expected = [
            Segment::Literal("users".into()),
            Segment::Parameter,
            Segment::Rest,
        ];
        assert_eq!(pattern.segments, expected);
        assert_eq!(pattern.names.join(","), "id,rest");
        assert_eq!(
            Pattern::parse("/").unwrap().segments,
            [Segment::Literal("".into())]
        );
    }

    #[test]
    fn a_faulty_pattern_is_refused() {
        let many = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}";
        for bad in [
            "", "a", "/{}", "/{*}", "/a{b}", "/{a", "/a}", "/{a}/{a}", "/{*a}/b", "/{{a}}", many,
            "/a/:id", "/*", "/a/*rest", "/<id>", "/a?b={c}", "/a#b",
        ] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
        for good in ["/v1/users:list", "/a*b", "/a<b"] {
            assert!(Pattern::parse(good).is_ok(), "{good}");
        }
    }
}
