//! A session's view of what is published.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::publication::Publication;
use crate::websocket::Kind;

/// How publications reach a session.
#[derive(Clone, Default)]
pub enum Delivery {
    /// Directly: a WebSocket gets the message as it was published, an event stream gets it
    /// as an event. The session's object does not see it.
    #[default]
    Direct,
    /// Directly to a WebSocket, as the format has it; encoded once for all who share it.
    /// Give all sessions a clone of the same [`Arc`]. Event streams and calls have no
    /// formats: to them it is [`Direct`](Self::Direct).
    Format(Arc<dyn Format>),
    /// To the session's object, which sends what it likes:
    /// [`WebSocket::publication`](crate::app::WebSocket::publication),
    /// [`Events::publication`](crate::app::Events::publication). Calls get publications
    /// no other way ([`ServerStream::publication`](crate::app::ServerStream::publication)).
    Object,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direct => "Direct",
            Self::Format(_) => "Format",
            Self::Object => "Object",
        })
    }
}

/// The message that WebSockets get for a publication.
///
/// It is called once for each publication, whatever number of sessions share it, and again
/// for a session that [recovers](crate::app::Join::since) it: it should say the same then.
///
/// ```
/// use barewire::app::{Format, Publication};
/// use barewire::websocket::Kind;
///
/// /// `tea 7: hello`
/// struct Numbered;
///
/// impl Format for Numbered {
///     fn encode(&self, channel: &str, publication: &Publication, out: &mut Vec<u8>) -> Option<Kind> {
///         let offset = publication.position().map_or(0, |position| position.offset);
///         out.extend_from_slice(format!("{channel} {offset}: ").as_bytes());
///         out.extend_from_slice(publication.as_text()?.as_bytes());
///         Some(Kind::Text)
///     }
/// }
/// ```
pub trait Format: Send + Sync + 'static {
    /// Appends the message for a publication of this channel; its kind, or `None` if these
    /// sessions do not get it. A text must be UTF-8: one that is not is sent as binary.
    fn encode(&self, channel: &str, publication: &Publication, out: &mut Vec<u8>) -> Option<Kind>;
}
