//! Requests whose bodies are coded.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::refusal::Refusal;
use crate::app::telemetry::codings::{Codec, Direction};
use crate::app::telemetry::metrics::{Block, Kind};
use crate::coding::decode::{DecodeLimits, Decoding, Fault};
use crate::http::{Field, Fields, Status};
use crate::link::Charge;

#[derive(Debug)]
pub(crate) struct CodedRequest {
    names: String,
    limits: DecodeLimits,
}

pub(super) fn refusal(fault: Fault) -> Refusal {
    match fault {
        Fault::Coding(text) => Refusal::new(Status::BAD_REQUEST).because(text),
        Fault::TooLarge(_) => Refusal::new(Status::CONTENT_TOO_LARGE),
    }
}

pub(super) fn count(metrics: &Block, decoding: &mut Decoding) {
    for (name, coded, plain) in decoding.done() {
        if let Some(codec) = Codec::by_name(name) {
            metrics.coded((Kind::Exchange, codec, Direction::Received), plain, coded);
        }
    }
}

impl CodedRequest {
    /// That of a request, if it has one. 415 if it is not one of ours.
    pub(crate) fn of(
        fields: Fields<'_>,
        limits: DecodeLimits,
    ) -> Result<Option<Arc<Self>>, Refusal> {
        let mut names = String::new();
        for name in fields.list("content-encoding") {
            let name = core::str::from_utf8(name).unwrap_or("?"); // no coding's
            if !name.eq_ignore_ascii_case("identity") {
                names.push_str(if names.is_empty() { "" } else { ", " });
                names.push_str(name);
            }
        }
        if names.is_empty() {
            return Ok(None);
        }
        let coded = Self { names, limits };
        match coded.decoding() {
            Ok(Some(_)) => Ok(Some(Arc::new(coded))),
            Ok(None) => Err(Refusal::new(Status::UNSUPPORTED_MEDIA_TYPE)),
            Err(fault) => Err(refusal(fault)),
        }
    }

    /// How much more memory than it says the states may take in one step.
    pub(super) const fn window(&self) -> usize {
        self.limits.window as usize
    }

    pub(super) fn decoding(&self) -> Result<Option<Decoding>, Fault> {
        let list = [Field::new("Content-Encoding", &self.names)];
        Decoding::of(Fields::new(&list), &self.limits)
    }

    /// Decodes a complete body; returns it with the charge for it.
    pub(crate) fn decode(
        &self,
        body: &[u8],
        mut charge: Charge,
        metrics: &Block,
    ) -> Result<(Vec<u8>, Charge), Refusal> {
        let mut plain = Vec::new();
        let Some(mut decoding) = self.decoding().map_err(refusal)? else {
            return Err(Status::UNSUPPORTED_MEDIA_TYPE.into());
        };
        let full = |_| Refusal::from(Status::SERVICE_UNAVAILABLE);
        let mut state = charge.account().map_or(Charge::NONE, |it| it.charge(0));
        state
            .try_grow(decoding.memory() + self.window())
            .map_err(full)?;
        let mut used = 0;
        loop {
            let rest = body.get(used..).unwrap_or_default();
            used += decoding.advance(rest, true).map_err(refusal)?;
            let piece = decoding.piece();
            if piece.is_empty() {
                count(metrics, &mut decoding);
                return Ok((plain, charge));
            }
            let needs = plain.len() + piece.len();
            if needs > plain.capacity() {
                let capacity = needs.max(2 * plain.capacity());
                charge.try_grow(capacity - plain.capacity()).map_err(full)?;
                plain.reserve_exact(capacity - plain.len());
            }
            plain.extend_from_slice(piece);
            let length = piece.len();
            decoding.consume(length);
        }
    }
}
