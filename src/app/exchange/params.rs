//! What a pattern's parameters stand for in one request.

use alloc::boxed::Box;
use core::ops::Range;

use super::pattern::MAX_PARAMETERS;

/// The parameters of a match: names, and where the values lie in the path's
/// text.
#[derive(Debug, Clone)]
pub(in crate::app) struct Params<'r> {
    pub(in crate::app) names: &'r [Box<str>],
    pub(in crate::app) spans: [(u32, u32); MAX_PARAMETERS],
}

impl Params<'_> {
    /// No parameters.
    pub(in crate::app) const NONE: Self = Params {
        names: &[],
        spans: [(0, 0); MAX_PARAMETERS],
    };

    /// Where the value of the parameter `name` lies.
    pub(in crate::app) fn span(&self, name: &str) -> Option<Range<usize>> {
        let at = self.names.iter().position(|other| **other == *name)?;
        let &(start, end) = self.spans.get(at)?;
        Some(start as usize..end as usize)
    }
}
