//! What a pattern's parameters stand for in one request.

use alloc::boxed::Box;
use core::ops::Range;

use super::pattern::MAX_PARAMETERS;

/// The parameters of a match: names, and where the values lie in the path's
/// text.
#[derive(Debug, Clone)]
pub(super) struct Params<'r> {
    pub(super) names: &'r [Box<str>],
    pub(super) spans: [(u32, u32); MAX_PARAMETERS],
}

impl Params<'_> {
    /// No parameters.
    pub(super) const NONE: Self = Params {
        names: &[],
        spans: [(0, 0); MAX_PARAMETERS],
    };

    /// Where the value of the parameter `name` lies.
    pub(super) fn span(&self, name: &str) -> Option<Range<usize>> {
        let at = self.names.iter().position(|other| **other == *name)?;
        let &(start, end) = self.spans.get(at)?;
        Some(start as usize..end as usize)
    }
}
