//! The values of a pattern's parameters in one request.

use alloc::boxed::Box;
use core::ops::Range;

use super::path::Path;
use super::pattern::MAX_PARAMETERS;

/// The segments of a path that parameters have taken.
#[derive(Debug, Clone, Copy)]
pub(in crate::app) struct Taken {
    segments: [u32; MAX_PARAMETERS],
    count: u8,  // <= MAX_PARAMETERS
    rest: bool, // the last reaches to the end of the path
}

impl Taken {
    /// None.
    pub(in crate::app) const NONE: Self = Self {
        segments: [0; MAX_PARAMETERS],
        count: 0,
        rest: false,
    };

    /// Adds a parameter.
    pub(in crate::app) fn and(mut self, segment: usize, rest: bool) -> Self {
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
pub(in crate::app) struct Params<'r> {
    pub(in crate::app) names: &'r [Box<str>],
    pub(in crate::app) taken: Taken,
}

impl Params<'_> {
    /// None.
    pub(in crate::app) const NONE: Self = Self {
        names: &[],
        taken: Taken::NONE,
    };

    /// Where the value of the parameter `name` lies in the text of `path`.
    pub(in crate::app) fn span(&self, name: &str, path: &Path) -> Option<Range<usize>> {
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
