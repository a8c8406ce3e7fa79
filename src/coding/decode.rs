//! Content codings (RFC 9110 §8.4.1), taken off a body.
//!
//! ```text
//!   received ──► Layer ──► Layer ──► at most STEP bytes at a time ──► the caller
//!              the coding that was put on last is taken off first
//! ```
//!
//! A coding is decoded when the caller asks for bytes, and no faster: what is not
//! asked for stays as small as it came.

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(feature = "gzip")]
mod deflate;
mod fault;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "zstd")]
mod zstd;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

pub(crate) use fault::Fault;
use fault::{Decode, Decoded, STEP};

use crate::http::Fields;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DecodeLimits {
    pub(crate) codings: u8,
    /// Bytes after each coding.
    pub(crate) decoded: u64,
    /// How far back a coding may refer.
    pub(crate) window: u32,
    /// Members and frames without content that follow each other.
    pub(crate) empty: u16,
}

pub(crate) const NAMES: [&str; 4] = ["gzip", "br", "zstd", "deflate"];

/// The codings that requests name, the preferred one first; `None` if there are none.
pub(crate) const ACCEPTED: Option<&str> = match (
    cfg!(feature = "zstd"),
    cfg!(feature = "brotli"),
    cfg!(feature = "gzip"),
) {
    (true, true, true) => Some("zstd, br, gzip, deflate"),
    (true, true, false) => Some("zstd, br"),
    (true, false, true) => Some("zstd, gzip, deflate"),
    (true, false, false) => Some("zstd"),
    (false, true, true) => Some("br, gzip, deflate"),
    (false, true, false) => Some("br"),
    (false, false, true) => Some("gzip, deflate"),
    (false, false, false) => None,
};

pub(crate) struct Decoding {
    /// The one that was put on last is the first.
    layers: Vec<Layer>,
}

/// A coding, and what was decoded of it and not yet taken.
struct Layer {
    name: &'static str,
    coding: Box<dyn Decode>,
    /// Coded bytes that were used, and what they brought, since it was asked for.
    used: usize,
    given: usize,
    decoded: Box<[u8]>,
    start: usize,
    end: usize,
    /// How much more there may be.
    left: u64,
    has_ended: bool,
}

impl Decoding {
    /// A decoder for the codings of a response. `None` if it has none, or one that is
    /// not known.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] beyond a limit: what there is to decode is not read then.
    pub(crate) fn of(fields: Fields<'_>, limits: &DecodeLimits) -> Result<Option<Self>, Fault> {
        let mut layers = Vec::new();
        for name in fields.list("content-encoding") {
            if name.eq_ignore_ascii_case(b"identity") {
                continue;
            }
            let Some((name, coding)) = by_name(name, limits)? else {
                return Ok(None);
            };
            if layers.len() == usize::from(limits.codings) {
                return Err(Fault::TooLarge("codings"));
            }
            layers.insert(0, Layer::new(name, coding, limits.decoded));
        }
        Ok((!layers.is_empty()).then_some(Self { layers }))
    }

    /// Decodes until there is a piece, or more input is needed; how much of the input was
    /// used. The input is at its end if it `ended`.
    pub(crate) fn advance(&mut self, input: &[u8], ended: bool) -> Result<usize, Fault> {
        let mut used = 0;
        while self.piece().is_empty() {
            let mut has_moved = false;
            let mut above: Option<&mut Layer> = None;
            for layer in &mut self.layers {
                let rest = input.get(used..).unwrap_or_default();
                let (of_layer, is_all) = match &above {
                    None => (rest, ended),
                    Some(above) => (above.piece(), above.has_ended),
                };
                if layer.piece().is_empty() && !layer.has_ended {
                    let decoded = layer.advance(of_layer, is_all)?;
                    has_moved |= decoded.used > 0 || decoded.given > 0 || layer.has_ended;
                    match above {
                        None => used += decoded.used,
                        Some(above) => above.start += decoded.used,
                    }
                }
                above = Some(layer);
            }
            if !has_moved {
                break;
            }
        }
        Ok(used)
    }

    /// The piece that is there; empty if there is none.
    pub(crate) fn piece(&self) -> &[u8] {
        self.layers.last().map_or(&[], Layer::piece)
    }

    /// Bytes of memory that it takes: the states with their windows, and what was decoded.
    pub(crate) fn memory(&self) -> usize {
        let states = self.layers.iter().map(|it| it.coding.memory());
        states.sum::<usize>() + self.layers.len() * STEP
    }

    /// What each coding has done since this was asked for last: its name, the coded bytes
    /// that were used, and how many they were decoded to.
    pub(crate) fn done(&mut self) -> impl Iterator<Item = (&'static str, usize, usize)> {
        let layers = self.layers.iter_mut();
        layers.map(|it| (it.name, mem::take(&mut it.used), mem::take(&mut it.given)))
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        if let Some(last) = self.layers.last_mut() {
            last.start += bytes;
        }
    }
}

impl Layer {
    fn new(name: &'static str, coding: Box<dyn Decode>, left: u64) -> Self {
        Self {
            name,
            coding,
            used: 0,
            given: 0,
            decoded: alloc::vec![0; STEP].into_boxed_slice(),
            start: 0,
            end: 0,
            left,
            has_ended: false,
        }
    }

    fn piece(&self) -> &[u8] {
        self.decoded.get(self.start..self.end).unwrap_or_default()
    }

    fn advance(&mut self, input: &[u8], is_all: bool) -> Result<Decoded, Fault> {
        (self.start, self.end) = (0, 0);
        let at_end = input.is_empty() && is_all;
        if at_end && self.coding.can_end() {
            self.has_ended = true;
            return Ok(Decoded { used: 0, given: 0 });
        }
        let decoded = self.coding.decode(input, &mut self.decoded)?;
        if is_all && decoded.used == 0 && decoded.given == 0 {
            let text = "the body ends in the middle of its coding";
            return Err(Fault::Coding(text));
        }
        let left = self.left.checked_sub(decoded.given as u64);
        self.left = left.ok_or(Fault::TooLarge("decoded"))?;
        self.used += decoded.used;
        self.given += decoded.given;
        self.end = decoded.given;
        Ok(decoded)
    }
}

type Named = (&'static str, Box<dyn Decode>);

fn by_name(name: &[u8], limits: &DecodeLimits) -> Result<Option<Named>, Fault> {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    let _ = limits; // without any coding it is not looked at
    #[cfg(feature = "zstd")]
    if is("zstd") {
        let coding = zstd::Zstd::new(limits.window, limits.empty)?;
        return Ok(Some(("zstd", Box::new(coding))));
    }
    #[cfg(feature = "brotli")]
    if is("br") {
        return Ok(Some(("br", Box::new(brotli::Brotli::new(limits.window)))));
    }
    #[cfg(feature = "gzip")]
    if is("gzip") || is("x-gzip") || is("deflate") {
        if limits.window < gzip::WINDOW {
            return Err(Fault::TooLarge("decoding_window"));
        }
        return Ok(Some(match is("deflate") {
            true => ("deflate", Box::new(deflate::Deflate::new())),
            false => ("gzip", Box::new(gzip::Gzip::new(limits.empty))),
        }));
    }
    let _ = is;
    Ok(None)
}

#[cfg(test)]
mod tests;
