//! From messages to frames, and from frames to messages.

use alloc::vec::Vec;

use super::Ending;
use crate::grpc::{Code, Payload, Status, frame};

/// The codec of a channel's messages, used on the caller's thread, outside the lock of the
/// calls.
#[derive(Debug)]
pub(crate) struct Coding {
    #[cfg(feature = "gzip")]
    gzip: std::sync::Mutex<crate::grpc::Gzip>,
    /// The size that a message may inflate to.
    #[cfg(feature = "gzip")]
    limit: usize,
}

impl Coding {
    /// Takes messages of at most `limit` bytes.
    #[cfg(feature = "gzip")]
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            gzip: std::sync::Mutex::new(crate::grpc::Gzip::new()),
            limit,
        }
    }

    #[cfg(not(feature = "gzip"))]
    pub(crate) const fn new(_limit: usize) -> Self {
        Self {}
    }

    pub(super) fn frame(&self, message: &impl Payload, compress: bool) -> Result<Vec<u8>, Ending> {
        let mut frame = alloc::vec![0; frame::PREFIX];
        #[cfg(feature = "gzip")]
        if compress {
            let mut plain = Vec::new();
            message.encode(&mut plain);
            self.gzip().compress(&plain, &mut frame);
            return finished(frame, true);
        }
        let _ = compress; // without gzip, no options ask for it
        message.encode(&mut frame);
        finished(frame, false)
    }

    #[cfg(feature = "gzip")]
    pub(crate) fn plain(&self, bytes: Vec<u8>, compressed: bool) -> Result<Vec<u8>, Ending> {
        if !compressed {
            return Ok(bytes);
        }
        let mut plain = Vec::new();
        let inflated = self.gzip().inflate(&bytes, self.limit, &mut plain);
        match inflated {
            Ok(()) => Ok(plain),
            Err(violation) => Err(Ending::of_violation(violation)),
        }
    }

    /// The message that came as `bytes`: the machine refuses what says that it
    /// is compressed.
    #[cfg(not(feature = "gzip"))]
    pub(crate) fn plain(&self, bytes: Vec<u8>, _compressed: bool) -> Result<Vec<u8>, Ending> {
        Ok(bytes)
    }

    /// Every use of it begins anew, also after a panic.
    #[cfg(feature = "gzip")]
    fn gzip(&self) -> std::sync::MutexGuard<'_, crate::grpc::Gzip> {
        self.gzip
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Puts the prefix in front of a message, for which there is a gap.
fn finished(mut frame: Vec<u8>, compressed: bool) -> Result<Vec<u8>, Ending> {
    let len = frame.len().saturating_sub(frame::PREFIX);
    let prefix = frame::encode_prefix(len, compressed).map_err(|misuse| {
        let message = alloc::format!("{misuse}");
        Ending::from(Status::new(Code::Internal, message))
    })?;
    if let Some(place) = frame.first_chunk_mut() {
        *place = prefix;
    }
    Ok(frame)
}
