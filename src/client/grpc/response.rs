//! A whole response.

use crate::http::{FieldBuffer, Fields};

/// The one message of a response, and the metadata before and after it.
///
/// ```no_run
/// use barewire::client::{CallOptions, Channel};
///
/// let channel = Channel::connect("http://127.0.0.1:8080")?;
/// let response = channel.unary::<_, Vec<u8>>("/echo.Echo/Say", &b"hi".to_vec(), CallOptions::new())?;
/// println!("{:?}", response.metadata().get("server"));
/// let message: Vec<u8> = response.into_message();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CallResponse<O> {
    /// The message.
    pub message: O,
    pub(super) compressed: bool,
    pub(super) head: FieldBuffer,
    pub(super) ending: super::Ending,
}

impl<O> CallResponse<O> {
    /// What a call that has succeeded leaves.
    #[cfg(feature = "test")]
    pub(crate) const fn new(
        message: O,
        compressed: bool,
        head: FieldBuffer,
        ending: super::Ending,
    ) -> Self {
        Self {
            message,
            compressed,
            head,
            ending,
        }
    }

    /// The fields at the head of the response, those of HTTP among them.
    pub fn metadata(&self) -> Fields<'_> {
        self.head.as_fields()
    }

    /// The metadata after the message.
    pub fn trailers(&self) -> Fields<'_> {
        self.ending.trailers()
    }

    /// Whether the message came compressed.
    pub const fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// The message alone.
    pub fn into_message(self) -> O {
        self.message
    }
}
