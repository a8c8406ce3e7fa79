//! An event as an application keeps it.

use alloc::string::String;

use crate::sse::Message;

/// An event that a stream has dispatched (WHATWG HTML §9.2.6), as owned strings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageEvent {
    /// The type; `message` if the stream names none.
    pub event: String,
    /// The data, its lines joined by LF.
    pub data: String,
    /// The last event ID, which this event or one before it has set; empty if none has.
    pub last_event_id: String,
}

impl MessageEvent {
    /// Takes over an event. Allocates only where one before it was shorter.
    pub(super) fn set(&mut self, message: &Message<'_>, last_event_id: &str) {
        for (to, from) in [
            (&mut self.event, &*message.event.decode()),
            (&mut self.data, &*message.data.decode()),
            (&mut self.last_event_id, last_event_id),
        ] {
            to.clear();
            to.push_str(from);
        }
    }

    pub(super) fn new(message: &Message<'_>, last_event_id: &str) -> Self {
        Self {
            event: message.event.decode().into_owned(),
            data: message.data.decode().into_owned(),
            last_event_id: last_event_id.into(),
        }
    }

    /// Parses the data as JSON.
    ///
    /// # Errors
    /// The error of `serde_json`, if the data is not JSON of that type.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(&self.data)
    }

    /// The data parsed as JSON or, if it does not parse, as a JSON string.
    ///
    /// ```
    /// use barewire::client::MessageEvent;
    ///
    /// let mut event = MessageEvent { data: r#"{"title":"one"}"#.into(), ..Default::default() };
    /// assert_eq!(event.value()["title"], "one");
    /// event.data = "plain text".into();
    /// assert_eq!(event.value(), "plain text");
    /// ```
    #[cfg(feature = "json")]
    pub fn value(&self) -> serde_json::Value {
        match serde_json::from_str(&self.data) {
            Ok(value) => value,
            Err(_) => serde_json::Value::String(self.data.clone()),
        }
    }
}
