//! A message of a client, as the application's handler has it.

use uuid::Uuid;

use super::voice::say;
use crate::app::sockets::socket::Socket;
use crate::envelope::Answer;
use crate::wire::partly_shown;

/// A message of a client, for the handler of its type, which may answer.
///
/// ```
/// use barewire::app::{App, EnvelopeHub};
///
/// let app = App::new();
/// let hub = EnvelopeHub::new(app.hub()).on("add", |call| match call.data::<[i64; 2]>() {
///     Ok([a, b]) => call.answer("sum", &(a + b)),
///     Err(_) => call.refuse("bad_sum", "two numbers, please"),
/// });
/// app.websocket_route("/ws/hub", hub.route());
/// ```
pub struct EnvelopeCall<'m, 's, 'a, 'c> {
    pub(super) connection_id: Uuid,
    pub(super) socket: &'s mut Socket<'a, 'c>,
    pub(super) message_id: Option<&'m str>,
    pub(super) data: &'m str,
    pub(super) bytes: &'m [u8],
}

partly_shown!(it: EnvelopeCall<'_, '_, '_, '_> { connection: it.connection_id(), message_id, data });

impl<'m, 'a, 'c> EnvelopeCall<'m, '_, 'a, 'c> {
    /// The client's connection: what others see as its `sender_id`.
    pub const fn connection_id(&self) -> Uuid {
        self.connection_id
    }

    /// The `message_id` of the message.
    pub const fn message_id(&self) -> Option<&'m str> {
        self.message_id
    }

    /// The `data` of its payload: JSON; `null` of a binary one.
    pub const fn json(&self) -> &'m str {
        self.data
    }

    /// The `data` of its payload as a value.
    ///
    /// # Errors
    /// Those of serde: it is another value.
    pub fn data<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.data)
    }

    /// The bytes of a binary message.
    pub const fn bytes(&self) -> &'m [u8] {
        self.bytes
    }

    /// The session: its channels, and what publishes to them.
    pub const fn socket(&mut self) -> &mut Socket<'a, 'c> {
        self.socket
    }

    /// Sends a message with this `type` and `data` in answer. A value that is no JSON is
    /// refused as `unavailable`, with a line on the log.
    pub fn answer(&mut self, kind: &str, data: &(impl serde::Serialize + ?Sized)) {
        match serde_json::to_string(data) {
            Ok(data) => self.send(&Answer::Message { kind, data: &data }),
            Err(error) => {
                crate::net::report::report!(Error, "a value cannot be sent as JSON: {error}");
                self.refuse("unavailable", "there is no answer");
            }
        }
    }

    /// Sends bytes, in base64.
    pub fn answer_binary(&mut self, bytes: &[u8]) {
        self.send(&Answer::Binary(bytes));
    }

    /// Sends an error in answer, with a code of the application's own.
    pub fn refuse(&mut self, code: &str, text: &str) {
        self.send(&Answer::Error { code, text });
    }

    fn send(&mut self, answer: &Answer<'_>) {
        say(self.socket, answer, self.message_id);
    }
}
