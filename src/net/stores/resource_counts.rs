//! How much of each resource of a loop is taken.

use core::fmt;

use super::caps::Caps;
use super::resource::Resource;

/// How many of each [`Resource`] a loop's peers and its application have. Each value is the
/// current one whenever it is read, from any thread.
///
/// ```
/// use barewire::net::{Limits, Loop, Resource};
///
/// let events = Loop::new(Limits::DEFAULT)?;
/// let resources = events.resources();
/// assert_eq!((resources.active(Resource::Futures), resources.refused(Resource::Futures)), (0, 0));
/// # Ok::<(), barewire::net::Error>(())
/// ```
#[derive(Clone)]
pub struct ResourceCounts(Caps);

impl ResourceCounts {
    pub(in crate::net) const fn new(caps: Caps) -> Self {
        Self(caps)
    }

    /// Those that there are now.
    pub fn active(&self, resource: Resource) -> u64 {
        self.0.counts(resource).0.into()
    }

    /// Those that were refused since the start, as a share of them was used up.
    pub fn refused(&self, resource: Resource) -> u64 {
        self.0.counts(resource).1
    }
}

impl fmt::Debug for ResourceCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = Resource::ALL.map(|it| (it, self.active(it), self.refused(it)));
        f.debug_tuple("ResourceCounts").field(&all).finish()
    }
}
