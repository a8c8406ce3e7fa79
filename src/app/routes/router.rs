//! From a method and a path to an endpoint.
//!
//! The routes form a tree by segments. In each node a literal goes before a
//! parameter, a parameter before a rest; where the first way leads to no
//! endpoint for the method, the next is tried: `GET /users/me` may be a route
//! beside `DELETE /users/{id}`, and `DELETE /users/me` finds the second.
//!
//! Patterns of literals alone would always be found first. Their endpoints lie
//! in a second place, under the path as it is sent, and what is found there
//! needs neither decoding nor the tree.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use super::endpoint::Endpoint;
use super::table::{About, RouteInfo, Routes};
use crate::app::exchange::path::Path;
use crate::app::exchange::pattern::{Params, Taken};
use crate::app::exchange::pattern::{Pattern, Segment};
use crate::app::exchange::record::RouteNumber;
use crate::http::Method;
use crate::net::Error;
use crate::wire::shortcut;

#[derive(Default)]
pub(crate) struct Router {
    root: Node,
    served: Vec<Served>,       // all routes, in the order they were added
    about: Vec<Option<About>>, // of each, as far as the table has it
    plain: Vec<Vec<Plain>>,    // patterns of literals, by length and then by text
}

struct Plain {
    path: Box<str>,
    here: Vec<usize>,              // of `served`
    known: [usize; Method::NAMED], // which of them serves each known method, or NOBODY
}

/// No index of `served`.
const NOBODY: usize = usize::MAX;

/// Up to so many literals are compared one by one: most differ in their
/// lengths.
const FEW: usize = 8;

/// A node of the tree: the continuations of a prefix of segments.
#[derive(Default)]
struct Node {
    literals: Vec<(Box<str>, Self)>, // sorted by text
    parameter: Option<Box<Self>>,
    here: Vec<usize>, // patterns that end here: indices of `Router::served`
    rest: Vec<usize>, // patterns that end with a rest
}

struct Served {
    verb: Verb,
    pattern: Box<str>,
    code: usize, // the index of the verb's method
    names: Box<[Box<str>]>,
    endpoint: Endpoint,
}

/// The methods that an endpoint serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    One(Box<str>),
    /// Every one that has no route of its own.
    Any,
}

impl Verb {
    fn as_str(&self) -> &str {
        match self {
            Self::One(method) => method,
            Self::Any => "*",
        }
    }
}

pub(super) enum Match<'r> {
    Found(&'r Endpoint, Params<'r>),
    WrongMethod,
    Nothing,
}

/// Looks at the routes of one place on the way and may choose one.
type Choose<'f, 'r> = &'f mut dyn FnMut(&[usize]) -> Option<&'r Served>;

impl Router {
    /// Adds a route.
    ///
    /// # Errors
    /// [`Error::Route`] if the pattern is malformed, or served already.
    pub(crate) fn add(
        &mut self,
        verb: Verb,
        pattern: &str,
        endpoint: Endpoint,
    ) -> Result<(), Error> {
        let refused = |verb: &Verb, fault| Error::Route {
            route: format!("{} {pattern}", verb.as_str()),
            fault,
        };
        let Pattern { segments, names } =
            Pattern::parse(pattern).map_err(|fault| refused(&verb, fault.into()))?;
        let plain = plain_path(&segments);
        let mut node = &mut self.root;
        let mut ends_in_rest = false;
        for segment in segments {
            match segment {
                Segment::Literal(text) => node = node.literal(text),
                Segment::Parameter => node = &mut **node.parameter.get_or_insert_default(),
                Segment::Rest => ends_in_rest = true, // the last, as patterns are parsed
            }
        }
        let place = if ends_in_rest {
            &mut node.rest
        } else {
            &mut node.here
        };
        let served = &mut self.served;
        let mut here = place.iter().filter_map(|&at| served.get(at));
        if let Some(other) = here.find(|it| it.verb == verb) {
            let fault = format!("{:?} serves the same requests", other.pattern);
            return Err(refused(&verb, fault));
        }
        place.push(served.len());
        let code = match &verb {
            Verb::One(method) => {
                Method::new(method.as_bytes()).map_or(Method::NAMED, Method::index)
            }
            Verb::Any => Method::NAMED,
        };
        if let Some(path) = plain {
            let serves_any = verb == Verb::Any;
            put_plain(&mut self.plain, path, served.len(), (code, serves_any));
        }
        let endpoint = Endpoint {
            number: RouteNumber::of(served.len()),
            ..endpoint
        };
        served.push(Served {
            code,
            verb,
            pattern: pattern.into(),
            names,
            endpoint,
        });
        Ok(())
    }

    /// Says of the route that was added last what the table has of it.
    pub(crate) fn describe_last(&mut self, about: Option<About>) {
        self.about.resize(self.served.len(), None);
        if let Some(last) = self.about.last_mut() {
            *last = about;
        }
    }

    /// The table of all routes.
    pub(crate) fn table(&self) -> Routes {
        let all = self.served.iter().zip(&self.about);
        let shown = all.filter_map(|(it, about)| {
            let method = match &it.verb {
                Verb::One(method) => Some(&**method),
                Verb::Any => None,
            };
            Some(RouteInfo::new(method, &it.pattern, about.clone()?))
        });
        Routes(shown.collect())
    }

    pub(crate) fn pattern(&self, number: RouteNumber) -> Option<&str> {
        let served = self.served.get(number.index()?);
        served.map(|it| &*it.pattern)
    }

    /// Finds what serves `method` at a literal path that needs no decoding, as
    /// [`find`](Self::find) would.
    #[inline(always)]
    pub(super) fn find_plain(&self, sent: &str, method: Method<'_>) -> Option<&Endpoint> {
        if !shortcut!("router") {
            return None;
        }
        let paths = self.plain.get(sent.len())?;
        let at = match paths.as_slice() {
            [only] => (*only.path == *sent).then_some(0),
            paths => paths.binary_search_by(|it| (*it.path).cmp(sent)).ok(),
        };
        let plain = paths.get(at?)?;
        let found = match plain.known.get(method.index()) {
            Some(&at) => self.served.get(at),
            None => self
                .choose(&plain.here, method)
                .or_else(|| self.any(&plain.here)),
        };
        Some(&found?.endpoint)
    }

    fn choose(&self, place: &[usize], method: Method<'_>) -> Option<&Served> {
        let wanted = method.index();
        let mut served = place.iter().filter_map(|&at| self.served.get(at));
        served.find(|it| {
            it.code == wanted
                && (wanted != Method::NAMED
                    || matches!(&it.verb, Verb::One(one) if **one == *method.as_str()))
        })
    }

    fn any(&self, place: &[usize]) -> Option<&Served> {
        let mut served = place.iter().filter_map(|&at| self.served.get(at));
        served.find(|it| it.verb == Verb::Any)
    }

    /// Finds what serves `method` at `path`; GET serves HEAD without a route of its own (RFC
    /// 9110 §9.3.2).
    ///
    /// Linear in the segments of the longest pattern, doubled for each level where literal and
    /// parameter compete.
    pub(super) fn find(&self, path: &Path, method: Method<'_>) -> Match<'_> {
        let mut served = false;
        let mut found = self.search(path, method, &mut served);
        if found.is_none() && method == Method::HEAD {
            found = self.search(path, Method::GET, &mut served);
        }
        match found {
            Some((it, taken)) => {
                let names = &it.names;
                Match::Found(&it.endpoint, Params { names, taken })
            }
            None if served => Match::WrongMethod,
            None => Match::Nothing,
        }
    }

    fn search<'r>(
        &'r self,
        path: &Path,
        method: Method<'_>,
        any: &mut bool,
    ) -> Option<(&'r Served, Taken)> {
        let mut choose = |place: &[usize]| {
            *any |= !place.is_empty();
            self.choose(place, method).or_else(|| self.any(place))
        };
        self.root.walk(path, 0, Taken::NONE, &mut choose)
    }

    /// Writes the methods of `path` as an Allow value (RFC 9110 §10.2.1); nothing if none or
    /// all are served.
    pub(super) fn put_allowed(&self, path: &Path, out: &mut String) {
        let mut methods: Vec<&str> = Vec::new();
        let mut every = false;
        self.root.walk(path, 0, Taken::NONE, &mut |place| {
            for served in place.iter().filter_map(|&at| self.served.get(at)) {
                match &served.verb {
                    Verb::One(method) => methods.push(method),
                    Verb::Any => every = true,
                }
            }
            None
        });
        if !every {
            put_methods(methods, out);
        }
    }

    /// Writes all methods that any path is served with.
    pub(super) fn put_all_allowed(&self, out: &mut String) {
        let methods = self.served.iter().filter_map(|served| match &served.verb {
            Verb::One(method) => Some(&**method),
            Verb::Any => None,
        });
        let methods = methods.collect();
        put_methods(methods, out);
    }
}

/// Writes a list of methods: each once, with HEAD where there is GET, and with
/// OPTIONS.
fn put_methods(mut methods: Vec<&str>, out: &mut String) {
    if methods.is_empty() {
        return;
    }
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    methods.sort_unstable();
    methods.dedup();
    for (at, method) in methods.into_iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(method);
    }
}

impl Node {
    /// The node that a literal segment leads to, made if there is none.
    fn literal(&mut self, text: Box<str>) -> &mut Self {
        let at = match self
            .literals
            .binary_search_by(|(other, _)| other.cmp(&text))
        {
            Ok(at) => at,
            Err(at) => {
                self.literals.insert(at, (text, Self::default()));
                at
            }
        };
        &mut self.literals[at].1 // found or inserted just now
    }

    /// Walks every way from the segment at `at` on, until `choose` chooses.
    fn walk<'r>(
        &'r self,
        path: &Path,
        at: usize,
        taken: Taken,
        choose: Choose<'_, 'r>,
    ) -> Option<(&'r Served, Taken)> {
        let Some(segment) = path.segment(at) else {
            return choose(&self.here).map(|served| (served, taken));
        };
        if let Some(node) = self.find_literal(segment)
            && let Some(found) = node.walk(path, at + 1, taken, choose)
        {
            return Some(found);
        }
        if let Some(node) = &self.parameter
            && let Some(found) = node.walk(path, at + 1, taken.and(at, false), choose)
        {
            return Some(found);
        }
        choose(&self.rest).map(|served| (served, taken.and(at, true)))
    }

    fn find_literal(&self, segment: &str) -> Option<&Self> {
        let literals = &self.literals;
        let found = if literals.len() <= FEW {
            literals.iter().find(|(text, _)| **text == *segment)
        } else {
            let at = literals.binary_search_by(|(text, _)| (**text).cmp(segment));
            at.ok().and_then(|at| literals.get(at))
        };
        found.map(|(_, node)| node)
    }
}

/// The path that a pattern of literals serves, if it is sent as it stands: with
/// a percent sign it is not.
fn plain_path(segments: &[Segment]) -> Option<Box<str>> {
    let mut path = String::new();
    for segment in segments {
        match segment {
            Segment::Literal(text) if !text.contains('%') => {
                path.push('/');
                path.push_str(text);
            }
            _ => return None,
        }
    }
    Some(path.into())
}

/// Notes that route `index` serves `path`, with the method of this code or any without a route
/// of its own.
fn put_plain(
    plain: &mut Vec<Vec<Plain>>,
    path: Box<str>,
    index: usize,
    (code, serves_any): (usize, bool),
) {
    if plain.len() <= path.len() {
        plain.resize_with(path.len() + 1, Vec::new);
    }
    let Some(paths) = plain.get_mut(path.len()) else {
        return; // made long enough just now
    };
    let at = match paths.binary_search_by(|it| it.path.cmp(&path)) {
        Ok(at) => at,
        Err(at) => {
            let (here, known) = (Vec::new(), [NOBODY; Method::NAMED]);
            paths.insert(at, Plain { path, here, known });
            at
        }
    };
    let Some(it) = paths.get_mut(at) else {
        return; // found or inserted just now
    };
    it.here.push(index);
    for (of, place) in it.known.iter_mut().enumerate() {
        if of == code || serves_any && *place == NOBODY {
            *place = index;
        }
    }
}

#[cfg(test)]
mod tests;
