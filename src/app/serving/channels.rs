//! The channels of an app as it is put together.

use alloc::boxed::Box;

use super::builder::App;
use crate::app::channels::backplane::Backplane;
use crate::app::channels::channel_limits::ChannelLimits;
use crate::app::channels::options::ChannelOptions;

impl App {
    /// How many channels there may be, what they may be called, and what one session may do
    /// in them.
    #[must_use]
    pub const fn channel_limits(mut self, limits: ChannelLimits) -> Self {
        self.channels.limits = limits;
        self
    }

    /// Sets the options of the channel of this name or, if that ends with `*`, all channels whose
    /// names begin so. A name counts before beginnings, and a long beginning before a short
    /// one. Channels that nothing is said of have no history.
    #[must_use]
    pub fn channel(mut self, name: &str, options: ChannelOptions) -> Self {
        let fault = self.channels.options.add(name, options).err();
        self.fail(fault);
        self
    }

    /// Connects the channels with those of other processes. Without, they are this
    /// process's own.
    #[must_use]
    pub fn backplane(mut self, backplane: impl Backplane) -> Self {
        self.channels.backplane = Some(Box::new(backplane));
        self
    }
}

#[cfg(test)]
mod tests;
