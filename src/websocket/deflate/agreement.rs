//! The agreement: the response to an offer, which both sides keep to (RFC 7692 §7.1).

use core::fmt;

use super::parameters::Parameters;
use super::{ClientWindow, InvalidParameters, Offer, WindowBits};
use crate::websocket::extension::Extension;

/// The agreement of client and server: the parameters of the server's response.
///
/// ```
/// use barewire::websocket::deflate::{Agreement, Offer, WindowBits};
/// use barewire::websocket::extension::Extension;
///
/// let response = Extension::parse(b"permessage-deflate; client_max_window_bits=10").unwrap();
/// let agreement = Agreement::parse(&response)?;
/// assert_eq!(agreement.client_max_window_bits, WindowBits::new(10));
/// assert!(agreement.answers(&Offer::DEFAULT));
/// # Ok::<(), barewire::websocket::deflate::InvalidParameters>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Agreement {
    /// The server does not refer to earlier messages.
    pub server_no_context_takeover: bool,
    /// The client does not refer to earlier messages.
    pub client_no_context_takeover: bool,
    /// The largest window that the server uses; 32 KiB if it is not named.
    pub server_max_window_bits: Option<WindowBits>,
    /// The largest window that the client uses; 32 KiB, or what it offered, if it is not
    /// named.
    pub client_max_window_bits: Option<WindowBits>,
}

impl Agreement {
    /// Reads a server's response.
    ///
    /// # Errors
    /// [`InvalidParameters`]: the client has to fail the connection.
    pub fn parse(extension: &Extension<'_>) -> Result<Self, InvalidParameters> {
        let parameters = Parameters::parse(extension)?;
        Ok(Self {
            server_no_context_takeover: parameters.server_no_context_takeover,
            client_no_context_takeover: parameters.client_no_context_takeover,
            server_max_window_bits: parameters.server_max_window_bits,
            client_max_window_bits: match parameters.client_max_window_bits {
                None => None,
                Some(Some(bits)) => Some(bits),
                Some(None) => return Err(InvalidParameters), // only an offer may say so
            },
        })
    }

    /// Whether a server may respond so to this offer. To an offer that asks for no
    /// takeover or for a small window of the server it has to say so as well; it may ask
    /// for a window of the client only where the client has said that it may.
    pub fn answers(&self, offer: &Offer) -> bool {
        let server_window = match (offer.server_max_window_bits, self.server_max_window_bits) {
            (Some(offered), Some(agreed)) => agreed <= offered,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let client_window = match (offer.client_max_window_bits, self.client_max_window_bits) {
            (_, None) | (ClientWindow::Any, Some(_)) => true,
            (ClientWindow::AtMost(offered), Some(agreed)) => agreed <= offered,
            (ClientWindow::Unsaid, Some(_)) => false,
        };
        let takeover = self.server_no_context_takeover || !offer.server_no_context_takeover;
        server_window && client_window && takeover
    }

    /// The window of what the server sends.
    pub fn server_window(&self) -> WindowBits {
        self.server_max_window_bits.unwrap_or_default()
    }

    /// The window of what the client sends.
    pub fn client_window(&self) -> WindowBits {
        self.client_max_window_bits.unwrap_or_default()
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Parameters {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits,
            client_max_window_bits: self.client_max_window_bits.map(Some),
        }
        .fmt(f)
    }
}
