//! The fields of HTTP in which gRPC speaks of a call.

use alloc::vec::Vec;

use super::{Code, Status, UsageError, web};
use crate::http::{FieldBuffer, Fields};
use crate::wire::Sink;

/// The bytes that [`Call::send_status`](super::Call::send_status) wrote, and where they belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The fields are the head of the response, status 200; what is in the
    /// output, if anything, is its whole body. Native gRPC calls the form
    /// without a body Trailers-Only.
    Head,
    /// The fields are the trailers of HTTP.
    Trailers,
    /// The end of the body is in the output, and there are no fields.
    Body,
}

fn put(name: &str, value: &[u8], fields: &mut FieldBuffer) -> Result<(), UsageError> {
    fields
        .push(name, value)
        .map_err(|_| UsageError::MetadataValue)
}

/// Appends a field with which nothing can be wrong.
pub(super) fn put_known(
    name: &'static str,
    value: &str,
    fields: &mut FieldBuffer,
) -> Result<(), UsageError> {
    let put = fields.push_known(name, value.as_bytes());
    put.map_err(|_| UsageError::MetadataValue)
}

#[inline]
pub(super) fn put_line(line: &'static str, fields: &mut FieldBuffer) -> Result<(), UsageError> {
    fields
        .push_line(line)
        .map_err(|_| UsageError::MetadataValue)
}

pub(super) fn put_status(status: Status<&str>, fields: &mut FieldBuffer) -> Result<(), UsageError> {
    if status.code == Code::Ok && status.message.is_empty() {
        return put_line("grpc-status: 0\r\n", fields);
    }
    put_known("grpc-status", status.code.digits(), fields)?;
    if status.message.is_empty() {
        return Ok(());
    }
    let mut value = Vec::with_capacity(status.message.len());
    web::for_each_message_part(status.message, &mut |part| value.put(part));
    put("grpc-message", &value, fields)
}

pub(super) fn put_metadata(
    metadata: Fields<'_>,
    fields: &mut FieldBuffer,
) -> Result<(), UsageError> {
    metadata.iter().try_for_each(|entry| {
        let name = core::str::from_utf8(entry.name).map_err(|_| UsageError::MetadataName)?;
        put(name, entry.value, fields)
    })
}
