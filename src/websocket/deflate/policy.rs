//! The policy of a server: which offers it agrees to.

use super::{Agreement, ClientWindow, Offer, WindowBits};
use crate::websocket::extension::Extension;

/// The answer of a server to a client that says nothing of its own window, where the
/// server would have asked for a smaller one than 32 KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Unhinted {
    /// Not to refer to earlier messages, which a server may say unasked (RFC 7692
    /// §7.1.1.2): nothing is kept of what it sends.
    #[default]
    NoContextTakeover,
    /// Nothing: the last 32 KiB of what it sends are kept.
    KeepLargest,
}

/// The conditions under which a server agrees to compression.
///
/// ```
/// use barewire::websocket::deflate::{Policy, WindowBits};
/// use barewire::websocket::extension::Extension;
///
/// let policy = Policy {
///     server_takeover: false,
///     client_window: WindowBits::new(12).unwrap(),
///     ..Policy::TAKEOVER
/// };
/// let offer = Extension::parse(b"permessage-deflate; client_max_window_bits").unwrap();
/// let agreement = policy.respond([offer]).unwrap();
/// assert_eq!(
///     agreement.to_string(),
///     "permessage-deflate; server_no_context_takeover; client_max_window_bits=12"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Whether what is sent may refer to earlier messages. It compresses better, most of
    /// all short messages that resemble each other, and costs memory for each connection.
    pub server_takeover: bool,
    /// The largest window of what is sent.
    pub server_window: WindowBits,
    /// Whether what clients send may refer to earlier messages: then so much of these is
    /// kept for each connection as `client_window` says.
    pub client_takeover: bool,
    /// The largest window that clients are to use, where they let the server say.
    pub client_window: WindowBits,
    /// The answer to clients that do not let the server ask for a window.
    pub unhinted: Unhinted,
    /// The smallest window that the compressor here can keep to: an offer that asks for a
    /// smaller one is passed over. A [`Deflater`](crate::wire::codec::Deflater) can keep to
    /// every size, unless it is made of other states.
    pub smallest: WindowBits,
}

impl Policy {
    /// No takeover in either direction, with the largest windows: a connection that rests
    /// holds nothing for its compression.
    ///
    /// Takeover of what is sent is a choice, as it takes memory for each connection: at level 1
    /// two and a half times the window with a state of its own, or the window alone, which is then
    /// read again for each message.
    pub const DEFAULT: Self = Self {
        server_takeover: false,
        client_takeover: false,
        ..Self::TAKEOVER
    };

    /// Takeover in both directions, with the largest windows.
    pub const TAKEOVER: Self = Self {
        server_takeover: true,
        server_window: WindowBits::MAX,
        client_takeover: true,
        client_window: WindowBits::MAX,
        unhinted: Unhinted::NoContextTakeover,
        smallest: WindowBits::MIN,
    };

    /// The response to the first of these extensions that can be agreed to, in the order
    /// of the client's preference; `None` if there is none: messages then go
    /// uncompressed. Others than permessage-deflate are passed over, and so are offers
    /// with [invalid parameters](super::InvalidParameters) (RFC 7692 §7.1).
    pub fn respond<'b>(
        &self,
        extensions: impl IntoIterator<Item = Extension<'b>>,
    ) -> Option<Agreement> {
        extensions
            .into_iter()
            .filter_map(|extension| Offer::parse(&extension).ok())
            .find_map(|offer| self.respond_to(&offer))
    }

    /// The response to one offer; `None` if it is passed over.
    pub fn respond_to(&self, offer: &Offer) -> Option<Agreement> {
        let largest = self.server_window.max(self.smallest);
        let server = offer.server_max_window_bits;
        let server = server.map_or(largest, |offered| largest.min(offered));
        if server < self.smallest {
            return None;
        }
        let named =
            |bits: WindowBits, is_asked: bool| (is_asked || bits < WindowBits::MAX).then_some(bits);
        let client = match offer.client_max_window_bits {
            ClientWindow::Unsaid => None,
            ClientWindow::Any => named(self.client_window, false),
            ClientWindow::AtMost(most) => named(self.client_window.min(most), false),
        };
        let is_unhinted = offer.client_max_window_bits == ClientWindow::Unsaid
            && self.client_window < WindowBits::MAX
            && self.unhinted == Unhinted::NoContextTakeover;
        Some(Agreement {
            server_no_context_takeover: !self.server_takeover || offer.server_no_context_takeover,
            client_no_context_takeover: !self.client_takeover
                || offer.client_no_context_takeover
                || is_unhinted,
            server_max_window_bits: named(server, offer.server_max_window_bits.is_some()),
            client_max_window_bits: client,
        })
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests;
