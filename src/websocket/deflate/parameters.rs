//! The four parameters of permessage-deflate (RFC 7692 §7.1).

use crate::websocket::extension::{Extension, Parameter};

/// The size of a window as a power of two, from 8 (256 bytes) to 15 (32 KiB)
/// (RFC 7692 §7.1.2).
///
/// ```
/// use barewire::websocket::deflate::WindowBits;
///
/// let bits = WindowBits::new(12).unwrap();
/// assert_eq!((bits.get(), bits.bytes()), (12, 4096));
/// assert_eq!(WindowBits::new(16), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(u8); // 8 to 15

impl WindowBits {
    /// 256 bytes, the smallest window.
    pub const MIN: Self = Self(8);
    /// 32 KiB, the largest window, and the one where none is named.
    pub const MAX: Self = Self(15);

    /// The window of 2 to the power of `bits` bytes; `None` outside of 8 to 15.
    pub const fn new(bits: u8) -> Option<Self> {
        match bits {
            8..=15 => Some(Self(bits)),
            _ => None,
        }
    }

    /// The power of two, 8 to 15.
    #[inline]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The size in bytes.
    #[inline]
    pub const fn bytes(self) -> usize {
        1 << self.0
    }

    /// The value of a parameter: a decimal number without a leading zero (RFC 7692
    /// §7.1.2).
    fn parse(value: &str) -> Option<Self> {
        let bits = match value.as_bytes() {
            [digit @ b'8'..=b'9'] => digit - b'0',
            [b'1', digit @ b'0'..=b'5'] => 10 + digit - b'0',
            _ => return None,
        };
        Self::new(bits)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self.0 {
            8 => "8",
            9 => "9",
            10 => "10",
            11 => "11",
            12 => "12",
            13 => "13",
            14 => "14",
            _ => "15",
        }
    }
}

impl Default for WindowBits {
    /// [`MAX`](Self::MAX).
    fn default() -> Self {
        Self::MAX
    }
}

/// Parameters of permessage-deflate that an offer or a response may not have: an unknown
/// name, a name twice, or a value that is missing, superfluous or out of range. A server
/// passes such an offer over, a client fails the connection (RFC 7692 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid parameters of permessage-deflate (RFC 7692 §7.1)")]
pub struct InvalidParameters;

/// The parameters as they stand in an offer or a response.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Parameters {
    pub(super) server_no_context_takeover: bool,
    pub(super) client_no_context_takeover: bool,
    pub(super) server_max_window_bits: Option<WindowBits>,
    /// `Some(None)`: without a value, which only an offer may have.
    pub(super) client_max_window_bits: Option<Option<WindowBits>>,
}

impl Parameters {
    pub(super) fn parse(extension: &Extension<'_>) -> Result<Self, InvalidParameters> {
        let mut all = Self::default();
        if extension.name() != super::NAME {
            return Err(InvalidParameters);
        }
        for parameter in extension.parameters() {
            all.take(parameter).ok_or(InvalidParameters)?;
        }
        Ok(all)
    }

    /// Takes one more; `None` if it may not stand there.
    fn take(&mut self, Parameter { name, value }: Parameter<'_>) -> Option<()> {
        match (name, value) {
            ("server_no_context_takeover", None) => set(&mut self.server_no_context_takeover),
            ("client_no_context_takeover", None) => set(&mut self.client_no_context_takeover),
            ("server_max_window_bits", Some(value)) => {
                let bits = WindowBits::parse(value)?;
                self.server_max_window_bits.replace(bits).is_none()
            }
            ("client_max_window_bits", value) => {
                let bits = match value {
                    Some(value) => Some(WindowBits::parse(value)?),
                    None => None,
                };
                self.client_max_window_bits.replace(bits).is_none()
            }
            _ => false,
        }
        .then_some(())
    }
}

/// Sets a flag; `false` if it was set before.
fn set(flag: &mut bool) -> bool {
    !core::mem::replace(flag, true)
}

#[cfg(test)]
mod tests;
