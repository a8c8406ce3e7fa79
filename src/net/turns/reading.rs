//! Whether a connection is read from.

use crate::net::{Context, Exchange};

impl Context<'_> {
    /// Stops or resumes the reading of a body, of messages or of raw bytes, so
    /// that the peer is held back by its own flow control.
    pub fn set_reading(&mut self, reading: bool) {
        let Exchange {
            connection: key,
            stream,
        } = self.exchange;
        let now = self.state.now;
        if reading {
            self.state.excuse(key);
        }
        let Some(connection) = self.state.connections.get_mut(key) else {
            return;
        };
        let link = &mut connection.link;
        if !link.set_reading(stream, reading, now) {
            if connection.held != reading {
                return;
            }
            connection.held = !reading;
            if reading {
                link.resume(now);
            }
        }
        if reading {
            self.state.go_on(key);
        }
        self.state.touch(key); // its deadline is another now
    }

    /// Has the connection read from also while its output waits for the peer.
    ///
    /// Usually a peer that takes nothing is not listened to either. In a
    /// protocol with windows of its own that can stop both sides for good: each
    /// waits for the other to read. Such an owner bounds what it writes itself.
    pub fn read_while_waiting(&mut self) {
        let key = self.exchange.connection;
        if let Some(connection) = self.state.connections.get_mut(key) {
            connection.duplex = true;
            self.state.go_on(key);
        }
    }
}
