//! The offers of a client (RFC 7692 §5.1, §7.1).

use core::fmt;

use super::parameters::Parameters;
use super::text::Text;
use super::{InvalidParameters, NAME, WindowBits};
use crate::websocket::extension::Extension;

/// A client's words on the window that it compresses with (RFC 7692 §7.1.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ClientWindow {
    /// Nothing: the server cannot ask for a smaller one.
    Unsaid,
    /// The server may ask for any size.
    #[default]
    Any,
    /// It will not be larger than this, and the server may ask for a smaller one.
    AtMost(WindowBits),
}

/// One offer of permessage-deflate.
///
/// ```
/// use barewire::websocket::deflate::{Offer, WindowBits};
///
/// assert_eq!(Offer::DEFAULT.to_string(), "permessage-deflate; client_max_window_bits");
/// let small = Offer {
///     server_max_window_bits: WindowBits::new(10),
///     server_no_context_takeover: true,
///     ..Offer::DEFAULT
/// };
/// assert_eq!(
///     small.to_string(),
///     "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; \
///      client_max_window_bits"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Offer {
    /// The server must not refer to earlier messages, so that this side need not keep
    /// them.
    pub server_no_context_takeover: bool,
    /// The client will not refer to earlier messages.
    pub client_no_context_takeover: bool,
    /// The window of the server must not be larger than this.
    pub server_max_window_bits: Option<WindowBits>,
    /// The window of the client.
    pub client_max_window_bits: ClientWindow,
}

impl Offer {
    /// The offer of browsers: anything, and the server may choose the client's window.
    pub const DEFAULT: Self = Self {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: None,
        client_max_window_bits: ClientWindow::Any,
    };

    /// Reads an offer.
    ///
    /// # Errors
    /// [`InvalidParameters`], also for an extension of another name: it is to be passed
    /// over.
    pub fn parse(extension: &Extension<'_>) -> Result<Self, InvalidParameters> {
        let parameters = Parameters::parse(extension)?;
        Ok(Self {
            server_no_context_takeover: parameters.server_no_context_takeover,
            client_no_context_takeover: parameters.client_no_context_takeover,
            server_max_window_bits: parameters.server_max_window_bits,
            client_max_window_bits: match parameters.client_max_window_bits {
                None => ClientWindow::Unsaid,
                Some(None) => ClientWindow::Any,
                Some(Some(bits)) => ClientWindow::AtMost(bits),
            },
        })
    }
}

impl Default for Offer {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client = match self.client_max_window_bits {
            ClientWindow::Unsaid => None,
            ClientWindow::Any => Some(None),
            ClientWindow::AtMost(bits) => Some(Some(bits)),
        };
        Parameters {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits,
            client_max_window_bits: client,
        }
        .fmt(f)
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            f.write_str("; server_no_context_takeover")?;
        }
        if self.client_no_context_takeover {
            f.write_str("; client_no_context_takeover")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            f.write_str("; server_max_window_bits=")?;
            f.write_str(bits.as_str())?;
        }
        if let Some(bits) = self.client_max_window_bits {
            f.write_str("; client_max_window_bits")?;
            if let Some(bits) = bits {
                f.write_str("=")?;
                f.write_str(bits.as_str())?;
            }
        }
        Ok(())
    }
}

/// The longest form of an offer, and a comma after it.
const LONGEST: usize = 140;

/// The offers of one handshake of a client: one offer, and others that the server may
/// take instead, the favourite first.
#[derive(Debug, Clone, Copy)]
pub struct Offers {
    list: [Offer; Self::MOST],
    len: usize, // <= MOST
    text: Text<{ Self::MOST * LONGEST }>,
}

impl Offers {
    /// The most offers of one handshake.
    pub const MOST: usize = 3;

    /// No offer: messages go uncompressed.
    pub const NONE: Self = Self {
        list: [Offer::DEFAULT; Self::MOST],
        len: 0,
        text: Text::EMPTY,
    };

    /// Offers these, the favourite first. Those after the [third](Self::MOST) are left
    /// out.
    ///
    /// ```
    /// use barewire::websocket::deflate::{Offer, Offers, WindowBits};
    ///
    /// let small = Offer { server_max_window_bits: WindowBits::new(10), ..Offer::DEFAULT };
    /// let offers = Offers::new(&[small, Offer::DEFAULT]);
    /// assert_eq!(
    ///     offers.as_str(),
    ///     "permessage-deflate; server_max_window_bits=10; client_max_window_bits, \
    ///      permessage-deflate; client_max_window_bits"
    /// );
    /// ```
    pub fn new(offers: &[Offer]) -> Self {
        let mut all = Self::NONE;
        for (place, offer) in all.list.iter_mut().zip(offers) {
            *place = *offer;
            all.len += 1;
        }
        all.text = Text::of(List(all.as_slice()));
        all
    }

    /// The offers.
    pub fn as_slice(&self) -> &[Offer] {
        self.list.get(..self.len).unwrap_or_default()
    }

    /// The value of `Sec-WebSocket-Extensions`; empty if there is no offer.
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }
}

impl Default for Offers {
    fn default() -> Self {
        Self::NONE
    }
}

struct List<'a>(&'a [Offer]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, offer) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            offer.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
