//! The methods that WebSockets and event streams share.

/// The methods of a session and of the rooms around it, for a type with the fields
/// `at` and `client`. A common type behind `Deref` would do, but then no argument
/// of a call could look at the session: `socket.publish("room", socket.id())`.
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

        // Rooms.

        /// Joins a room, which comes to be with its first member and goes with its
        /// last. False if the session is in it already.
        ///
        /// # Errors
        /// [`RoomError`](crate::app::RoomError) if a limit on rooms forbids it.
        pub fn join(&mut self, room: &str) -> Result<bool, $crate::app::RoomError> {
            self.client.membership.join(self.at.context, room)
        }

        /// Leaves a room; false if the session was not in it. At its end a session
        /// leaves all its rooms by itself.
        pub fn leave(&mut self, room: &str) -> bool {
            self.client.membership.leave(room)
        }

        /// Whether the session is in a room.
        pub fn is_in(&self, room: &str) -> bool {
            self.client.membership.is_in(room)
        }

        /// The rooms that the session is in, in no order.
        pub fn rooms(&self) -> alloc::vec::Vec<alloc::string::String> {
            self.client.membership.rooms()
        }

        /// Publishes to all members of a room, on all loops, whether or not the
        /// session is one of them. Returns how many there are.
        ///
        /// The message is encoded once, and each member's backlog holds a
        /// reference. What one session publishes to one room arrives in order.
        pub fn publish<'p>(
            &mut self,
            room: &str,
            post: impl Into<$crate::app::RoomMessage<'p>>,
        ) -> usize {
            self.at
                .loop_state
                .rooms
                .publish(self.at.context, room, &post.into(), None)
        }

        /// Publishes to all members but the session itself; see [`publish`](Self::publish).
        pub fn publish_to_others<'p>(
            &mut self,
            room: &str,
            post: impl Into<$crate::app::RoomMessage<'p>>,
        ) -> usize {
            let me = self.client.membership.activity().exchange();
            self.at
                .loop_state
                .rooms
                .publish(self.at.context, room, &post.into(), Some(me))
        }

        /// Members of a room, on all loops.
        pub fn room_size(&self, room: &str) -> usize {
            let presence = self.at.loop_state.rooms.directory().presence(room);
            presence.map_or(0, |presence| presence.total())
        }

        /// A page of the rooms and their sizes: at most `most` of them, in the order of
        /// their names, behind the name `after` or from the beginning. With the last
        /// name of a page as `after` comes the next one.
        pub fn room_sizes(
            &self,
            after: Option<&str>,
            most: usize,
        ) -> alloc::vec::Vec<(alloc::string::String, usize)> {
            self.at.loop_state.rooms.directory().room_sizes(after, most)
        }

        /// How many rooms have members.
        pub fn room_count(&self) -> usize {
            self.at.loop_state.rooms.directory().room_count()
        }
    };
}

pub(in crate::app) use member_methods;
