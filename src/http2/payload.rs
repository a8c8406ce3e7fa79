//! The payloads of frames (RFC 9113 §6).
//!
//! ```text
//!   DATA           [pad (8)] data [padding]
//!   HEADERS        [pad (8)] [E dependency (31) weight (8)] fragment [padding]
//!   PRIORITY       E dependency (31) weight (8)
//!   RST_STREAM     code (32)
//!   SETTINGS       { identifier (16) value (32) } *
//!   PING           opaque (64)
//!   GOAWAY         R last stream (31) code (32) [debug data]
//!   WINDOW_UPDATE  R increment (31)
//! ```

use super::frame;
use super::frame::{Head, Kind, MAX_31};
use super::{ErrorCode, ProtocolError};
use crate::wire::{Cursor, Sink};
use core::ops::Range;

/// Room for a call's own answers: the opening, or one answer and a GOAWAY.
pub(super) const CONTROL_ROOM: usize = 160;

/// The payload of the ping between the two GOAWAYs of a graceful end.
pub(super) const DRAIN_PING: [u8; 8] = *b"draining";
/// The payload of the ping that asks a silent peer for a sign of life.
pub(super) const ALIVE_PING: [u8; 8] = *b"alive???";

/// Judges a frame by its head: its length, and stream or connection.
pub(super) const fn check(
    head: Head,
    max_frame: u32,
    max_settings: u16,
) -> Result<(), ProtocolError> {
    if head.length > max_frame {
        return Err(ProtocolError::FrameTooLarge);
    }
    let (on_stream, fits) = match head.kind {
        Kind::Data => (true, head.length >= head.has(frame::PADDED) as u32),
        Kind::Headers => {
            let least = head.has(frame::PADDED) as u32 + head.has(frame::PRIORITY) as u32 * 5;
            (true, head.length >= least)
        }
        Kind::Priority => (true, head.length == 5),
        Kind::RstStream => (true, head.length == 4),
        Kind::Settings if head.has(frame::ACK) => (false, head.length == 0),
        Kind::Settings => {
            if head.length > max_settings as u32 * 6 {
                return Err(ProtocolError::SettingsTooLong);
            }
            (false, head.length.is_multiple_of(6))
        }
        Kind::PushPromise => return Err(ProtocolError::Push),
        Kind::Ping => (false, head.length == 8),
        Kind::GoAway => (false, head.length >= 8),
        Kind::WindowUpdate => {
            return if head.length == 4 {
                Ok(())
            } else {
                Err(ProtocolError::FrameSize)
            };
        }
        Kind::Continuation => (true, true),
        Kind::Unknown(_) => return Ok(()),
    };
    if on_stream != (head.stream != 0) {
        return Err(ProtocolError::StreamId);
    }
    if fits {
        Ok(())
    } else {
        Err(ProtocolError::FrameSize)
    }
}

/// The fragment's place in the payload of HEADERS, and the stream's dependency.
pub(super) fn fragment(head: Head, payload: &[u8]) -> Result<(Range<usize>, u32), ProtocolError> {
    let mut cursor = Cursor::new(payload);
    let mut padding = 0;
    if head.has(frame::PADDED) {
        padding = usize::from(cursor.byte().ok_or(ProtocolError::FrameSize)?);
    }
    let mut dependency = 0;
    if head.has(frame::PRIORITY) {
        dependency = cursor.u32().ok_or(ProtocolError::FrameSize)? & MAX_31;
        cursor.byte().ok_or(ProtocolError::FrameSize)?;
    }
    let start = cursor.position();
    let end = payload.len().checked_sub(padding);
    match end {
        Some(end) if end >= start => Ok((start..end, dependency)),
        _ => Err(ProtocolError::Padding),
    }
}

/// The first 31 bits of a payload: a dependency, a last stream, an increment.
pub(super) fn number(payload: &[u8]) -> u32 {
    Cursor::new(payload).u32().unwrap_or_default() & MAX_31
}

pub(super) fn code(payload: &[u8]) -> ErrorCode {
    ErrorCode::new(Cursor::new(payload).u32().unwrap_or_default())
}

pub(super) fn put_data_head(stream: u32, len: usize, end: bool, out: &mut impl Sink) {
    let flags = if end { frame::END_STREAM } else { 0 };
    out.put(&Head::new(Kind::Data, flags, stream, len).encode());
}

pub(super) fn put_ping(ack: bool, opaque: [u8; 8], out: &mut impl Sink) {
    let flags = if ack { frame::ACK } else { 0 };
    out.put(&Head::new(Kind::Ping, flags, 0, 8).encode());
    out.put(&opaque);
}

pub(super) fn put_reset(stream: u32, code: ErrorCode, out: &mut impl Sink) {
    out.put(&Head::new(Kind::RstStream, 0, stream, 4).encode());
    out.put(&code.code().to_be_bytes());
}

pub(super) fn put_window_update(stream: u32, increment: u32, out: &mut impl Sink) {
    out.put(&Head::new(Kind::WindowUpdate, 0, stream, 4).encode());
    out.put(&increment.to_be_bytes());
}

pub(super) fn put_goaway(last: u32, code: ErrorCode, debug: &str, out: &mut impl Sink) {
    out.put(&Head::new(Kind::GoAway, 0, 0, 8 + debug.len()).encode());
    out.put(&last.to_be_bytes());
    out.put(&code.code().to_be_bytes());
    out.put(debug.as_bytes());
}

#[cfg(test)]
mod tests;
