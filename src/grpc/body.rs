//! A body in any form of gRPC, as frames.

use super::frame::{Decoder, Frame, FramePlace};
use super::text::TextDecoder;
use super::{Compression, Limits, Mode, ProtocolError};
use crate::wire::{Received, Role, Step};

/// A decoder of one body, which takes the base64 off the text form first, in
/// place in the caller's buffer.
#[derive(Debug, Clone)]
pub struct Body {
    text: Option<TextDecoder>,
    frames: Decoder,
}

impl Body {
    /// A decoder of a body in this form that `role`, our side, receives.
    pub const fn new(mode: Mode, role: Role, compression: Compression) -> Self {
        Self {
            text: match mode {
                Mode::Native | Mode::Web => None,
                Mode::WebText => Some(TextDecoder::new()),
            },
            frames: match (mode, role) {
                (Mode::Native, _) => Decoder::native(compression),
                (Mode::Web | Mode::WebText, Role::Server) => Decoder::web_request(compression),
                (Mode::Web | Mode::WebText, Role::Client) => Decoder::web_response(compression),
            },
        }
    }

    /// Takes at most one frame from the front of `input`. Bytes past `used`
    /// come again as this call left them, in front of what arrives next.
    ///
    /// # Errors
    /// [`ProtocolError`]; every later call answers the same. What came before the
    /// fault is given out first.
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        limits: &Limits,
    ) -> Result<Received<Frame<'b>>, ProtocolError> {
        let found = self.locate(input, limits)?;
        Ok(found.map(|place| place.borrow(input)))
    }

    /// Takes at most one frame, and says where in the input it lies.
    pub(super) fn locate(
        &mut self,
        input: &mut [u8],
        limits: &Limits,
    ) -> Result<Received<FramePlace>, ProtocolError> {
        let Some(text) = &mut self.text else {
            return self.frames.locate(input, limits);
        };
        if let Some(violation) = self.frames.failure() {
            return Err(violation);
        }
        let start = text.advance(input);
        let decoded = start..start + text.decoded();
        let bytes = input.get(decoded).unwrap_or_default(); // it lies in the input
        let received = self.frames.locate(bytes, limits)?;
        let used = start + text.take(received.used);
        match received.step {
            Step::Need(_) if text.is_broken() => {
                Err(self.frames.fail(ProtocolError::InvalidBase64))
            }
            Step::Need(bytes) => Ok(Received::need(used, text.characters_for(bytes))),
            step => Ok(Received {
                used,
                step: step.map(|place| place.behind(start)),
            }),
        }
    }

    /// Says that the body has ended.
    ///
    /// # Errors
    /// [`ProtocolError::Truncated`] in the middle of a frame,
    /// [`ProtocolError::InvalidBase64`] in the middle of a group of characters,
    /// and what was found before.
    pub fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        if self.text.as_ref().is_some_and(TextDecoder::is_open) {
            return Err(self.frames.fail(ProtocolError::InvalidBase64));
        }
        self.frames.receive_eof()
    }

    /// Whether it is a binary body of which no byte was looked at.
    pub(super) const fn is_fresh_binary(&self) -> bool {
        self.text.is_none() && self.frames.is_between_frames()
    }

    pub(super) const fn fail(&mut self, violation: ProtocolError) -> ProtocolError {
        self.frames.fail(violation)
    }

    /// Whether the trailers frame was received.
    pub const fn has_trailers(&self) -> bool {
        self.frames.has_trailers()
    }
}
