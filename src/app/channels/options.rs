//! Options of channels, by name or by the beginning of names.

use alloc::{string::String, sync::Arc, vec::Vec};

use core::time::Duration;

use super::ask::{Ask, Rule, Verdict};
use super::history::History;
use super::slow::SlowMembers;
use crate::net::Error;

/// The options of channels of a name, or of all names with the same beginning.
///
/// ```
/// use barewire::app::{App, ChannelOptions, History};
/// use std::time::Duration;
///
/// let keep = History::DEFAULT.with_publications(100).with_age(Duration::from_secs(60));
/// App::new()
///     .channel("news", ChannelOptions::new().history(keep))
///     .channel("chat.*", ChannelOptions::new().history(History::DEFAULT));
/// ```
#[derive(Debug, Clone, Default)]
pub struct ChannelOptions {
    pub(crate) history: Option<History>,
    pub(crate) may_join: Option<Rule>,
    pub(crate) may_publish: Option<Rule>,
    pub(crate) presence: bool,
    pub(crate) notices: bool,
    pub(crate) slow: SlowMembers,
}

impl ChannelOptions {
    /// A channel that remembers nothing, and that every session may join and publish to, as
    /// all are that no options are given for.
    pub const fn new() -> Self {
        Self {
            history: None,
            may_join: None,
            may_publish: None,
            presence: false,
            notices: false,
            slow: SlowMembers::Close,
        }
    }

    /// Knows who is there ([`Hub::present`](crate::app::Hub::present)): each session, with
    /// the user that it has [joined as](crate::app::Join::user). A session that ends, also
    /// one whose client is found to be gone, is there no more.
    #[must_use]
    pub const fn presence(mut self) -> Self {
        self.presence = true;
        self
    }

    /// Knows who is there, and tells the other members when a user comes with the first
    /// session, and goes with the last ([`Publication::notice`]). A notice has no place in
    /// the history.
    ///
    /// [`Publication::notice`]: crate::app::Publication::notice
    #[must_use]
    pub const fn notices(mut self) -> Self {
        self.presence = true;
        self.notices = true;
        self
    }

    /// Sets the treatment of members that do not take what is published.
    #[must_use]
    pub const fn slow_members(mut self, slow: SlowMembers) -> Self {
        self.slow = slow;
        self
    }

    /// Asks this rule whether a session may join. It runs on the session's loop and must not
    /// wait: [`Ask::decide_later`] is for what takes longer.
    ///
    /// ```
    /// use barewire::app::{App, ChannelOptions, Verdict};
    ///
    /// let options = ChannelOptions::new().may_join(|ask| match ask.user {
    ///     "" => Verdict::Refuse,
    ///     _ => Verdict::Allow,
    /// });
    /// App::new().channel("members.*", options);
    /// ```
    #[must_use]
    pub fn may_join(mut self, rule: impl Fn(&Ask<'_>) -> Verdict + Send + Sync + 'static) -> Self {
        self.may_join = Some(Rule::new(rule));
        self
    }

    /// Asks this rule whether a session may publish, likewise. What the app publishes by its
    /// [`Hub`](crate::app::Hub) is not asked for.
    #[must_use]
    pub fn may_publish(
        mut self,
        rule: impl Fn(&Ask<'_>) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        self.may_publish = Some(Rule::new(rule));
        self
    }

    /// Remembers so much: who comes back gets what was missed ([`Join::since`]).
    ///
    /// [`Join::since`]: crate::app::Join::since
    #[must_use]
    pub const fn history(mut self, keep: History) -> Self {
        self.history = Some(keep);
        self
    }
}

#[derive(Debug, Default)]
pub(crate) struct OptionsByName {
    plain: Arc<ChannelOptions>,
    /// Whole names, and beginnings of names; the longest ones first, and whole ones before.
    given: Vec<(String, bool, Arc<ChannelOptions>)>,
}

impl OptionsByName {
    /// Notes the options for a name, or a beginning of names that ends with `*`.
    pub(crate) fn add(&mut self, pattern: &str, options: ChannelOptions) -> Result<(), Error> {
        let beginning = pattern.strip_suffix('*');
        let name = beginning.unwrap_or(pattern);
        if name.contains('*') || pattern.is_empty() {
            return Err(Error::Config(
                "a pattern of channels is a name, or the beginning of names and `*`",
            ));
        }
        let is_prefix = beginning.is_some();
        let is_same = |other: &&(String, bool, _)| other.0 == name && other.1 == is_prefix;
        if self.given.iter().find(is_same).is_some() {
            return Err(Error::Config("two options for the same channels"));
        }
        let options = Arc::new(options);
        self.given.push((String::from(name), is_prefix, options));
        self.given
            .sort_by_key(|it| (it.1, core::cmp::Reverse(it.0.len())));
        Ok(())
    }

    pub(crate) fn of(&self, channel: &str) -> &Arc<ChannelOptions> {
        let is_meant = |it: &&(String, bool, _)| match it.1 {
            true => channel.starts_with(&it.0),
            false => channel == it.0,
        };
        let found = self.given.iter().find(is_meant);
        found.map_or(&self.plain, |it| &it.2)
    }

    /// How long the history is that is kept for the shortest time; `None` if there is none.
    pub(crate) fn shortest_age(&self) -> Option<Duration> {
        let ages = self.given.iter().filter_map(|it| it.2.history);
        ages.map(|keep| keep.age).min()
    }
}

#[cfg(test)]
mod tests;
