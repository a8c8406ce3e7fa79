//! Calls whose responses come from channels.

use super::call_session::CallSession;
use super::codec::Payload;
use super::responses::{ResponseStream, Turn};
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::slow::Missed;
use crate::app::exchange::session::SessionContext;
use crate::app::publishing::handle::Answered;
use crate::app::publishing::inbox::{Item, Over};
use crate::app::publishing::join::{ChannelAnswer, Join, Joined, Outcome};
use crate::grpc::{Code, Status};
use crate::link::EndReason;

impl<M: Payload> ResponseStream<'_, '_, M> {
    /// Joins a channel: what is published there comes to the call's object
    /// ([`ServerStream::publication`](crate::app::ServerStream::publication),
    /// [`Conversation::publication`](crate::app::Conversation::publication)), which sends
    /// what it likes. At its end a call leaves all channels by itself.
    ///
    /// # Errors
    /// [`ChannelError`] if a limit on channels forbids it.
    pub fn join(&mut self, channel: &str) -> Result<Joined, ChannelError> {
        self.join_with(channel, &Join::new())
    }

    /// Joins a channel, and gets what the client missed there if `join` asks for that.
    ///
    /// # Errors
    /// [`ChannelError`] if a limit on channels forbids it.
    pub fn join_with(&mut self, channel: &str, join: &Join) -> Result<Joined, ChannelError> {
        match &mut self.sending.client {
            Some(client) => client.membership.join(self.at.context, channel, join),
            None => Err(ChannelError::Unavailable), // every object has its client
        }
    }

    /// Says who the call's user is, as [`Socket::identify`](crate::app::Socket::identify) does.
    ///
    /// # Errors
    /// [`ChannelError::DataTooLong`] beyond
    /// [`ChannelLimits::presence`](crate::app::ChannelLimits::presence).
    pub fn identify(&mut self, user: &str) -> Result<(), ChannelError> {
        match &self.sending.client {
            Some(client) => client.membership.identify(user),
            None => Err(ChannelError::Unavailable), // every object has its client
        }
    }

    /// Leaves a channel; false if the call was not in it.
    pub fn leave(&mut self, channel: &str) -> bool {
        let client = self.sending.client.as_mut();
        client.is_some_and(|client| client.membership.leave(channel))
    }
}

impl CallSession {
    /// Gives the call's object what was published, as long as the client takes it.
    pub(super) fn take_publications(&mut self, at: &mut SessionContext<'_, '_>) {
        self.look_over(at);
        while !self.sending.waiting
            && !self.sending.is_ended()
            && let Some(client) = &self.sending.client
        {
            client.membership.catch_up(at.context);
            match client.membership.next_publication() {
                Ok(Some((channel, Item::Publication(publication)))) => {
                    self.turn(at, Turn::Published(&channel, &publication));
                }
                Ok(Some((channel, Item::Missed(count)))) => {
                    self.turn(at, Turn::Missed(Missed::new(&channel, count)));
                }
                Ok(None) => return,
                Err(over) => return self.end_over(at, over),
            }
        }
    }

    /// The call cannot get all that was published, so that it ends.
    fn end_over(&mut self, at: &mut SessionContext<'_, '_>, over: Over) {
        let status = match over {
            Over::TooSlow => Status::new(Code::ResourceExhausted, "the client is too slow"),
            Over::Lost => Status::new(Code::Unavailable, over.as_str()),
        };
        self.end_with(at, status.into(), EndReason::Aborted);
    }

    /// Ends the call if it has to, though its client takes nothing now.
    fn look_over(&mut self, at: &mut SessionContext<'_, '_>) {
        let client = self.sending.client.as_ref();
        if let Some(over) = client.and_then(|client| client.membership.is_over())
            && !self.sending.is_ended()
        {
            self.end_over(at, over);
        }
    }

    pub(super) fn channel_answered(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        (channel, token, answered): (&str, u32, Answered),
    ) {
        let Some(client) = &mut self.sending.client else {
            return;
        };
        let membership = &mut client.membership;
        let outcome = membership.answered(at.context, (channel, token), answered);
        if let Some(Outcome::Joined(result)) = outcome {
            let answer = ChannelAnswer::new(channel, token, result);
            self.turn(at, Turn::Joined(answer));
        }
    }
}
