//! Asking the rules of a channel whether a session may join or publish.

use alloc::sync::Arc;

use super::handle::Answered;
use super::join::Join;
use super::loop_channels::{LoopChannels, Publisher};
use super::post::Post;
use crate::app::channels::ask::{Ask, Rule, Verdict};
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::clock::unix_millis;
use crate::app::telemetry::activity::Activity;

impl LoopChannels {
    /// Whether a session may join a channel; `None` if that is decided later.
    pub(super) fn may_join(
        &self,
        activity: &Activity,
        channel: &str,
        join: &Join,
    ) -> Result<Option<()>, ChannelError> {
        let directory = self.directory();
        let Some(rule) = directory
            .options(channel)
            .and_then(|it| it.may_join.clone())
        else {
            return Ok(Some(()));
        };
        directory.limits().check_name(channel)?; // rules see no others
        let decide = || {
            let (join, token) = (join.clone(), join.token);
            let of = |result| Answered::MayJoin(result, join);
            self.answer_to(activity.exchange(), &channel.into(), token, of)
        };
        let who = (channel, activity.id(), activity.peer());
        let ask = Ask::new(who, (&join.user, &[]), &decide);
        self.ask(activity, &ask, &rule)
    }

    pub(super) fn user_of(&self, session: u64) -> Option<Arc<str>> {
        let local = self.floor.local.borrow();
        let users = local.users.borrow();
        users.get(&session).cloned()
    }

    /// Whether a session may publish by this rule; `None` if that is decided later.
    pub(super) fn may_publish(
        &self,
        channel: &str,
        post: &Post<'_>,
        by: Publisher<'_>,
        rule: &Rule,
    ) -> Result<Option<()>, ChannelError> {
        let Publisher {
            activity,
            is_excepted,
            ..
        } = by;
        let publication = post.publication(activity.id(), unix_millis());
        let publication = publication.ok_or(ChannelError::Unsendable)?;
        let decide = || {
            let publication = publication.clone();
            let of = move |result| Answered::MayPublish(result, publication, is_excepted);
            self.answer_to(activity.exchange(), &channel.into(), post.token, of)
        };
        let who = (channel, activity.id(), activity.peer());
        let user = self.user_of(activity.id());
        let user = user.as_deref().unwrap_or_default();
        let ask = Ask::new(who, (user, publication.payload()), &decide);
        self.ask(activity, &ask, rule)
    }

    fn ask(
        &self,
        activity: &Activity,
        ask: &Ask<'_>,
        rule: &Rule,
    ) -> Result<Option<()>, ChannelError> {
        let most = self.directory().limits().joined;
        let waiting = {
            let local = self.floor.local.borrow();
            let all = local.asking.borrow();
            all.get(&activity.id()).copied().unwrap_or_default()
        };
        if waiting >= most {
            return Err(ChannelError::TooFast);
        }
        match ask.of(rule) {
            Verdict::Allow => Ok(Some(())),
            Verdict::Refuse => Err(ChannelError::Refused),
            Verdict::Later => {
                let local = self.floor.local.borrow();
                *local.asking.borrow_mut().entry(activity.id()).or_default() += 1;
                Ok(None)
            }
        }
    }

    pub(super) fn is_decided(&self, activity: &Activity) {
        let local = self.floor.local.borrow();
        let mut all = local.asking.borrow_mut();
        if let Some(count) = all.get_mut(&activity.id()) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                all.remove(&activity.id());
            }
        }
    }
}
