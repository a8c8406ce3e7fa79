//! The agreed compression of a connection.

use core::num::NonZeroU8;

use super::{Agreement, ClientWindow, Offer, WindowBits};
use crate::wire::Role;

/// The compression of one connection, as one of its sides sees it.
///
/// ```
/// use barewire::websocket::deflate::{Agreement, Session};
/// use barewire::wire::Role;
///
/// let agreement = Agreement { server_no_context_takeover: true, ..Agreement::default() };
/// let server = Session::new(&agreement, Role::Server);
/// assert_eq!((server.sends_with_takeover(), server.receives_with_takeover()), (false, true));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Session {
    /// Two times: three bits of a window, and one that it is taken over.
    windows: u8,
    compression: NonZeroU8,
}

/// Where the window of what is received stands.
const RECEIVING: u8 = 4;
const TAKEOVER: u8 = 8;

impl Session {
    /// The side `role` of a connection that has agreed on this.
    pub fn new(agreement: &Agreement, role: Role) -> Self {
        let server = window(
            agreement.server_window(),
            !agreement.server_no_context_takeover,
        );
        let client = window(
            agreement.client_window(),
            !agreement.client_no_context_takeover,
        );
        Self {
            windows: match role {
                Role::Server => server | client << RECEIVING,
                Role::Client => client | server << RECEIVING,
            },
            compression: NonZeroU8::MIN,
        }
    }

    /// The client's side where the server has answered this offer: what the client said of
    /// itself holds also where the response does not repeat it.
    #[must_use]
    pub fn as_offered(self, offer: &Offer) -> Self {
        let mut bits = self.sending_window();
        if let ClientWindow::AtMost(most) = offer.client_max_window_bits {
            bits = bits.min(most);
        }
        let takeover = self.sends_with_takeover() && !offer.client_no_context_takeover;
        Self {
            windows: self.windows & !0xf | window(bits, takeover),
            ..self
        }
    }

    /// Compresses in the way of this number of [`Deflater::add`]; else in the default one.
    ///
    /// [`Deflater::add`]: crate::wire::codec::Deflater::add
    #[must_use]
    pub const fn compressing(mut self, number: u8) -> Self {
        if let Some(number) = NonZeroU8::MIN.checked_add(number) {
            self.compression = number;
        }
        self
    }

    /// Sends nothing that refers to earlier messages, although it may.
    #[must_use]
    pub const fn without_takeover(mut self) -> Self {
        self.windows &= !TAKEOVER;
        self
    }

    /// Whether what is sent may refer to earlier messages.
    pub const fn sends_with_takeover(&self) -> bool {
        self.windows & TAKEOVER != 0
    }

    /// Whether what is received may refer to earlier messages.
    pub const fn receives_with_takeover(&self) -> bool {
        self.windows & TAKEOVER << RECEIVING != 0
    }

    /// The largest window of what is sent.
    pub const fn sending_window(&self) -> WindowBits {
        bits_of(self.windows)
    }

    /// The largest window of what is received.
    pub const fn receiving_window(&self) -> WindowBits {
        bits_of(self.windows >> RECEIVING)
    }

    #[cfg(feature = "alloc")]
    pub(crate) const fn compression(&self) -> u8 {
        self.compression.get() - 1
    }

    /// The window of what is sent as four bits, if there is none of what is received.
    #[cfg(feature = "alloc")]
    pub(crate) const fn sending(&self) -> Option<u8> {
        match self.receives_with_takeover() {
            true => None,
            false => Some(self.windows & 0xf),
        }
    }

    /// The part that [`sending`](Self::sending) asks for.
    #[cfg(feature = "alloc")]
    pub(crate) const fn of_sending(window: u8) -> Self {
        let none = self::window(WindowBits::MAX, false) << RECEIVING;
        Self {
            windows: window & 0xf | none,
            compression: NonZeroU8::MIN,
        }
    }
}

const fn window(bits: WindowBits, takeover: bool) -> u8 {
    (bits.get() - WindowBits::MIN.get()) | if takeover { TAKEOVER } else { 0 }
}

const fn bits_of(window: u8) -> WindowBits {
    match WindowBits::new(WindowBits::MIN.get() + (window & 7)) {
        Some(bits) => bits,
        None => WindowBits::MAX, // three bits name a window
    }
}
