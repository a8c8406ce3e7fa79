//! The answer to a call: one head and its content, or envelopes.

use alloc::vec::Vec;

use super::{Call, Sending};
use crate::grpc::connect::{ACCEPTED, EndStream, ErrorBody, http_status};
use crate::grpc::frame::{self, PREFIX};
use crate::grpc::lines::{put_known, put_metadata};
use crate::grpc::{Code, Detail, Encoding, Ending, Status, UsageError, metadata};
use crate::http::{self, ContentTypeLine, Field, FieldBuffer, Fields};

impl Call {
    /// Answers a unary call: puts the fields of the response's head into `head`, and gives
    /// its status. `content` has the message of a call that is OK, compressed as
    /// [announced](Self::announce); that of an error is put there. `metadata` is what leads
    /// and what trails.
    ///
    /// # Errors
    /// [`UsageError`] for metadata that cannot be sent, and for a second answer; nothing is
    /// written then.
    pub fn send_whole(
        &mut self,
        status: Status<impl AsRef<str>>,
        details: &[Detail],
        metadata: (Fields<'_>, Fields<'_>),
        head: &mut FieldBuffer,
        content: &mut Vec<u8>,
    ) -> Result<http::Status, UsageError> {
        if self.sending != Sending::Head {
            return Err(UsageError::Ended);
        }
        let (leading, trailing) = metadata;
        leading.iter().try_for_each(metadata::check)?;
        trailing.iter().try_for_each(metadata::check_trailing)?;
        self.sending = Sending::Ended;
        if status.code == Code::Ok {
            let mut memory = [0; 40];
            put_known("content-type", self.content_type.write(&mut memory), head)?;
            if self.sent != Encoding::Identity {
                put_known("content-encoding", self.sent.name(), head)?;
            }
        } else {
            content.clear();
            ErrorBody::put(status.as_ref(), details, content);
            put_known("content-type", "application/json", head)?;
        }
        if self.received != Some(Encoding::Identity) {
            put_known("accept-encoding", ACCEPTED, head)?;
        }
        put_metadata(leading, head)?;
        put_trailing(trailing, head)?;
        Ok(http_status(status.code))
    }

    /// The head of a unary answer that is OK and has nothing but a usual content type; the
    /// call has been answered with that then.
    #[inline]
    pub(crate) fn send_plain_whole(&mut self) -> Option<&'static ContentTypeLine> {
        let is_plain = self.sending == Sending::Head
            && self.received == Some(Encoding::Identity)
            && self.sent == Encoding::Identity;
        let line = self.content_type.line().filter(|_| is_plain)?;
        self.sending = Sending::Ended;
        Some(line)
    }

    /// Puts the fields of a streaming response's head, status 200, into `head`.
    ///
    /// # Errors
    /// [`UsageError`] for metadata that cannot be sent, or a second head; nothing
    /// is written then.
    pub fn send_head(
        &mut self,
        metadata: Fields<'_>,
        head: &mut FieldBuffer,
    ) -> Result<(), UsageError> {
        match self.sending {
            Sending::Head => {}
            Sending::Messages => return Err(UsageError::HeadSent),
            Sending::Ended => return Err(UsageError::Ended),
        }
        metadata.iter().try_for_each(metadata::check)?;
        self.put_head(head)?;
        put_metadata(metadata, head)?;
        self.sending = Sending::Messages;
        Ok(())
    }

    fn put_head(&self, head: &mut FieldBuffer) -> Result<(), UsageError> {
        let mut memory = [0; 40];
        put_known("content-type", self.content_type.write(&mut memory), head)?;
        if self.received != Some(Encoding::Identity) {
            put_known("connect-accept-encoding", ACCEPTED, head)?;
        }
        if self.sent != Encoding::Identity {
            put_known("connect-content-encoding", self.sent.name(), head)?;
        }
        Ok(())
    }

    /// Frames the message that stands in `out` after `start` and a gap of
    /// [`PREFIX`](frame::PREFIX) bytes. Returns the message's length.
    ///
    /// # Errors
    /// [`UsageError`] before the head, after the end, or for a message that is too long;
    /// `out` then ends at `start`.
    pub fn send_in_place(&mut self, out: &mut Vec<u8>, start: usize) -> Result<usize, UsageError> {
        self.send_flagged(out, start, false)
    }

    /// Frames a message that the caller has compressed as [announced](Self::announce), in
    /// the same way.
    ///
    /// # Errors
    /// Those of [`send_in_place`](Self::send_in_place), and
    /// [`UsageError::EncodingNotSent`] if no encoding was announced.
    pub fn send_compressed_in_place(
        &mut self,
        out: &mut Vec<u8>,
        start: usize,
    ) -> Result<usize, UsageError> {
        self.send_flagged(out, start, true)
    }

    fn send_flagged(
        &self,
        out: &mut Vec<u8>,
        start: usize,
        compressed: bool,
    ) -> Result<usize, UsageError> {
        let message = start.saturating_add(PREFIX);
        let len = out.len().saturating_sub(message);
        let prefix = match self.sending {
            Sending::Head => Err(UsageError::HeadNotSent),
            Sending::Ended => Err(UsageError::Ended),
            Sending::Messages if compressed && self.sent == Encoding::Identity => {
                Err(UsageError::EncodingNotSent)
            }
            Sending::Messages => frame::encode_prefix(len, compressed),
        };
        match (prefix, out.get_mut(start..message)) {
            (Ok(prefix), Some(gap)) => {
                gap.copy_from_slice(&prefix);
                Ok(len)
            }
            (prefix, _) => {
                out.truncate(start);
                Err(prefix.err().unwrap_or(UsageError::NoRoom))
            }
        }
    }

    /// Ends a streaming call: its last envelope goes into `out`. A call that has sent no
    /// head yet sends it along.
    ///
    /// # Errors
    /// [`UsageError`] for metadata that cannot be sent, or a second end; nothing is sent
    /// then.
    pub fn send_end(
        &mut self,
        status: Status<impl AsRef<str>>,
        details: &[Detail],
        metadata: Fields<'_>,
        fields: &mut FieldBuffer,
        out: &mut Vec<u8>,
    ) -> Result<Ending, UsageError> {
        let ending = match self.sending {
            Sending::Ended => return Err(UsageError::Ended),
            Sending::Head => Ending::Head,
            Sending::Messages => Ending::Body,
        };
        metadata.iter().try_for_each(metadata::check_trailing)?;
        let start = out.len();
        out.extend_from_slice(&[0; PREFIX]);
        EndStream::put(status.as_ref(), details, metadata, out);
        let prefix = frame::encode_end_prefix(out.len() - start - PREFIX);
        match (prefix, out.get_mut(start..start + PREFIX)) {
            (Ok(prefix), Some(gap)) => gap.copy_from_slice(&prefix),
            (prefix, _) => {
                out.truncate(start);
                return Err(prefix.err().unwrap_or(UsageError::NoRoom));
            }
        }
        if ending == Ending::Head {
            self.put_head(fields)?;
        }
        self.sending = Sending::Ended;
        Ok(ending)
    }
}

fn put_trailing(metadata: Fields<'_>, head: &mut FieldBuffer) -> Result<(), UsageError> {
    metadata.iter().try_for_each(|Field { name, value }| {
        let name = core::str::from_utf8(name).map_err(|_| UsageError::MetadataName)?;
        let pushed = head.push(&alloc::format!("trailer-{name}"), value);
        pushed.map_err(|_| UsageError::MetadataValue)
    })
}
