//! The methods that WebSockets and event streams share.

/// The methods of a session and its channels, for a type with the fields `at` and `client`.
/// Behind `Deref` no argument could look at the session: `socket.publish("room", socket.id())`.
macro_rules! member_methods {
    () => {
        /// Bytes that wait for the peer to take them.
        pub fn backlog(&self) -> usize {
            self.at.context.backlog()
        }

        /// The peer's address.
        pub fn peer(&self) -> Option<$crate::net::Peer> {
            self.client.membership.activity().peer()
        }

        /// The session's number: unique as long as the app runs, and below 2⁵³, so
        /// that a JSON number holds it.
        pub fn id(&self) -> u64 {
            self.client.id()
        }

        /// The session as any thread can reach it.
        pub fn handle(&self) -> $crate::app::Handle {
            self.client.handle(self.at.context)
        }

        /// A waker for this session, for use on this loop
        /// ([`WebSocket::woken`](crate::app::WebSocket::woken),
        /// [`Events::woken`](crate::app::Events::woken)): by a listener of a client's
        /// call, for example.
        pub fn waker(&self) -> $crate::net::LocalWaker {
            self.at.context.waker()
        }

        /// A charge for what the handler keeps for this client: see
        /// [`Stream::charge`](crate::app::Stream::charge).
        pub fn charge(&mut self) -> $crate::link::Charge {
            self.at.context.charge()
        }

        /// The time now, on a clock that only goes forward.
        pub fn now(&self) -> $crate::wire::Instant {
            self.at.context.now()
        }

        /// Seconds since 1970-01-01 00:00:00 UTC.
        pub fn unix_seconds(&self) -> u64 {
            self.at.context.unix_seconds()
        }

        /// How many sessions its route has, on all loops.
        pub fn client_count(&self) -> usize {
            self.client.route.get()
        }

        // Channels.

        /// Joins a channel from now on. A channel is made by its first member; it is freed
        /// with its last, or once its history is over.
        ///
        /// # Errors
        /// [`ChannelError`](crate::app::ChannelError) if a limit on channels forbids it.
        pub fn join(
            &mut self,
            channel: &str,
        ) -> Result<$crate::app::Joined, $crate::app::ChannelError> {
            self.join_with(channel, &$crate::app::Join::new())
        }

        /// Joins a channel, and gets what it missed there if `join` asks for that.
        ///
        /// # Errors
        /// [`ChannelError`](crate::app::ChannelError) if a limit on channels forbids it.
        pub fn join_with(
            &mut self,
            channel: &str,
            join: &$crate::app::Join,
        ) -> Result<$crate::app::Joined, $crate::app::ChannelError> {
            let joined = self.client.membership.join(self.at.context, channel, join);
            if let Ok($crate::app::Joined::New(standing)) = &joined {
                self.stands(standing);
            }
            joined
        }

        /// Something has been decided that the session waited for.
        pub(crate) fn answered(
            &mut self,
            channel: (&str, u32),
            answered: $crate::app::publishing::handle::Answered,
        ) -> Option<$crate::app::publishing::join::Outcome> {
            use $crate::app::publishing::join::Outcome;
            let membership = &mut self.client.membership;
            let outcome = membership.answered(self.at.context, channel, answered);
            if let Some(Outcome::Joined(Ok($crate::app::Joined::New(standing)))) = &outcome {
                self.stands(standing);
            }
            outcome
        }

        /// Says who the session's user is, as its handshake has shown: the rules of channels
        /// see it ([`Ask::user`](crate::app::Ask::user)), and it joins as that user where
        /// [`Join::user`](crate::app::Join::user) names no other. A session of which this is
        /// not said is that of the user it has first joined as.
        ///
        /// # Errors
        /// [`ChannelError::DataTooLong`](crate::app::ChannelError::DataTooLong) beyond
        /// [`ChannelLimits::presence`](crate::app::ChannelLimits::presence).
        pub fn identify(&mut self, user: &str) -> Result<(), $crate::app::ChannelError> {
            self.client.membership.identify(user)
        }

        /// Leaves a channel; false if the session was not in it. At its end a session
        /// leaves all its channels by itself.
        pub fn leave(&mut self, channel: &str) -> bool {
            self.client.membership.leave(channel)
        }

        /// Whether the session is in a channel.
        pub fn is_in(&self, channel: &str) -> bool {
            self.client.membership.is_in(channel)
        }

        /// The channels that the session is in, in no order.
        pub fn channels(&self) -> alloc::vec::Vec<alloc::string::String> {
            self.client.membership.channels()
        }

        /// Publishes to all members of a channel, on all loops, whether or not the
        /// session is one of them.
        ///
        /// The message is encoded once, and each member's backlog holds a
        /// reference. What one session publishes to one channel arrives in order; in a
        /// channel with history everybody sees the same order.
        pub fn publish<'p>(
            &mut self,
            channel: &str,
            post: impl Into<$crate::app::Post<'p>>,
        ) -> $crate::app::Published {
            self.publish_as(channel, &post.into(), false)
        }

        /// Publishes to all members but the session itself; see [`publish`](Self::publish).
        /// Where it recovers later, it gets its own as well, unless it asks from behind
        /// [their place](crate::app::Published::position).
        pub fn publish_to_others<'p>(
            &mut self,
            channel: &str,
            post: impl Into<$crate::app::Post<'p>>,
        ) -> $crate::app::Published {
            self.publish_as(channel, &post.into(), true)
        }

        fn publish_as(
            &mut self,
            channel: &str,
            post: &$crate::app::Post<'_>,
            is_excepted: bool,
        ) -> $crate::app::Published {
            let membership = &mut self.client.membership;
            if !membership.has_rate(self.at.context.now()) {
                return $crate::app::Published::Refused($crate::app::ChannelError::TooFast);
            }
            let by = membership.publisher(is_excepted);
            let channels = &self.at.loop_state.channels;
            channels.publish(self.at.context, channel, post, by)
        }

        /// Members of a channel, on all loops.
        pub fn member_count(&self, channel: &str) -> usize {
            let channel = self.at.loop_state.channels.directory().channel(channel);
            channel.map_or(0, |channel| channel.total())
        }

        /// A page of the channels and the numbers of their members: at most `most` of them,
        /// in the order of their names, starting after the name `after` or at the beginning.
        /// With the last name of a page as `after` comes the next one.
        pub fn channel_sizes(
            &self,
            after: Option<&str>,
            most: usize,
        ) -> alloc::vec::Vec<(alloc::string::String, usize)> {
            let directory = self.at.loop_state.channels.directory();
            directory.channel_sizes(after, most)
        }

        /// How many channels have members, or remember something.
        pub fn channel_count(&self) -> usize {
            self.at.loop_state.channels.directory().channel_count()
        }
    };
}

pub(crate) use member_methods;
