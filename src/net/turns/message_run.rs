//! Messages that were received together.

use super::feeding::Further;
use super::state::State;
use crate::net::Context;
use crate::websocket::Kind;

impl<'c> Context<'c> {
    /// The message behind the one that the handler is being called with, if it has
    /// been received completely and nothing is to be done before it: it is handed over
    /// by this, and not in a call of its own. For handlers that have something to do
    /// once for many messages.
    #[inline]
    pub(crate) fn next_message(&mut self) -> Option<(Kind, &'c mut [u8])> {
        let Further { run, feeding } = self.further.as_deref_mut()?;
        if run.input().is_empty() || feeding.is_late(run.input(), self.state) {
            return None;
        }
        let State {
            connections,
            cork,
            limits,
            memory,
            ..
        } = &mut *self.state;
        let connection = connections.get_mut(self.exchange.connection)?;
        let may_follow = connection.may_be_fed()
            && !connection.is_behind(cork.len(), limits.backlog_high)
            && !memory.is_full();
        if !may_follow {
            return None;
        }
        let (used, kind, payload) = run.next(&connection.link)?;
        feeding.took(used);
        Some((kind, payload))
    }
}
