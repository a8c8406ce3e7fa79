//! Heads to header blocks: what may be sent, and how (RFC 9113 §8.2, §8.3).

use super::cost::{Cost, Parts};
use super::frame::{HEAD, Head, Kind, flag};
use super::head::is_lower_token;
use super::{BodyLength, Connection, UsageError, payload};
use crate::hpack::{Encoder, Growing, Indexing};
use crate::http::target::can_be_sent;
use crate::http::{
    Field, Fields, Method, RequestHead, Status, Target, date::Date, is_of_connection, trailers,
};
use crate::wire::{Sink, ascii};

/// Names up to this length are turned to lower case on the stack.
const SHORT_NAME: usize = 64;

/// Parts that may be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighed {
    known: Option<usize>,
    pub(super) cost: Cost,
}

impl Weighed {
    /// More than is remembered.
    const HEAVY: Self = Self {
        known: None,
        cost: Cost {
            octets: 0,
            list: u32::MAX as usize,
            date: false,
        },
    };
}

/// Where a list is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Host becomes `:authority`.
    Request,
    Response,
    Trailers,
}

/// Judges what an application wants to send.
pub(super) fn check(fields: Fields<'_>, place: Section) -> Result<Cost, UsageError> {
    let mut cost = Cost::default();
    for field in fields.iter() {
        if !(is_lower_token(field.name) && is_clean(field.value)) {
            field.check()?;
        }
        if is_forbidden(field, place) {
            return Err(UsageError::ForbiddenField);
        }
        cost.date |= field.is("date");
        cost.add(field.name.len(), field.value.len());
    }
    Ok(cost)
}

/// Whether a value may stand on the wire, white space at its ends apart.
fn is_clean(value: &[u8]) -> bool {
    let padded = matches!(value, [b' ' | b'\t', ..] | [.., b' ' | b'\t']);
    !padded && ascii::is_field_value(value)
}

/// Fields that the machine is in charge of, or that HTTP/2 does not have
/// (RFC 9113 §8.2.2).
fn is_forbidden(field: Field<'_>, place: Section) -> bool {
    if place == Section::Trailers && !trailers::may_trail(field.name) {
        return true;
    }
    match field.name.len() {
        2 => field.is("te") && !field.value.eq_ignore_ascii_case(b"trailers"),
        4 => place != Section::Request && field.is("host"),
        14 => field.is("content-length"),
        _ => is_of_connection(field.name),
    }
}

/// The pseudo-header fields of a request (RFC 9113 §8.3.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Pseudo<'a> {
    method: &'a str,
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: Option<&'a str>,
    query: Option<&'a str>,
    protocol: Option<&'a str>,
}

impl<'a> Pseudo<'a> {
    pub(super) fn new(head: &RequestHead<'a>) -> Result<Self, UsageError> {
        let authority = head.authority();
        let tunnel = head.method == Method::CONNECT && head.protocol.is_none();
        let (scheme, path, query) = match head.target {
            Target::Origin { path, query } => (Some("http"), Some(path), query),
            Target::Absolute {
                scheme,
                path,
                query,
                ..
            } => (Some(scheme), Some(path), query),
            Target::Asterisk => (Some("http"), Some("*"), None),
            Target::Authority(_) => (None, None, None),
        };
        let fits = match (tunnel, path) {
            (true, path) => path.is_none() && authority.is_some(),
            (false, Some(path)) => path.starts_with('/') || path == "*",
            (false, None) => false,
        };
        let clean = |text: Option<&str>| {
            text.is_none_or(|text| text.bytes().all(|b| ascii::is_in_target(b) && b != b'?'))
        };
        let protocol_ok = head
            .protocol
            .is_none_or(|text| ascii::is_token(text.as_bytes()))
            && (head.protocol.is_none() || head.method == Method::CONNECT);
        let method = head.method.as_str();
        if !fits
            || !protocol_ok
            || !ascii::is_token(method.as_bytes())
            || !can_be_sent(path.unwrap_or_default(), query)
            || ![scheme, authority].into_iter().all(clean)
            || authority.is_none()
        {
            return Err(UsageError::Request);
        }
        Ok(Self {
            method,
            scheme,
            authority,
            path,
            query,
            protocol: head.protocol,
        })
    }

    pub(super) fn cost(&self, cost: &mut Cost) {
        let path = self.path.map_or(0, str::len) + self.query.map_or(0, |query| query.len() + 1);
        cost.add(10, self.method.len());
        cost.add(10, path);
        for part in [self.scheme, self.authority, self.protocol] {
            cost.add(10, part.map_or(0, str::len));
        }
    }
}

impl Connection {
    /// Encodes a request into the block.
    pub(super) fn encode_request(
        &mut self,
        pseudo: &Pseudo<'_>,
        fields: Fields<'_>,
        length: Option<BodyLength>,
    ) {
        let Self { encoder, block, .. } = self;
        encoder.begin(block);
        let mut put = |name, value: Option<&str>| {
            if let Some(value) = value {
                encoder.encode(Field::new(name, value), Indexing::ByName, block);
            }
        };
        put(":method", Some(pseudo.method));
        put(":scheme", pseudo.scheme);
        put(":authority", pseudo.authority);
        put(":protocol", pseudo.protocol);
        match (pseudo.path, pseudo.query) {
            (Some(path), Some(query)) => {
                let whole = alloc::format!("{path}?{query}");
                put(":path", Some(&whole));
            }
            (path, _) => put(":path", path),
        }
        for field in fields.iter().filter(|field| !field.is("host")) {
            put_field(field, encoder, block);
        }
        let length = length.and_then(BodyLength::known);
        put_length(length, encoder, block);
    }

    /// Judges the parts of a response or of trailers: what they cost, and
    /// which block they are known as.
    pub(super) fn weigh(&self, parts: &Parts<'_>) -> Result<Weighed, UsageError> {
        let changes = self.encoder.table().changes();
        let (known, cost) = match self.known_blocks.find(changes, parts) {
            Some((at, cost)) => (Some(at), cost),
            None if parts.status.is_none() => (None, check(parts.fields, Section::Trailers)?),
            None => {
                let mut cost = check(parts.fields, Section::Response)?;
                cost.add(7, 3);
                (None, cost)
            }
        };
        cost.fits(self.peer.header_list)?;
        Ok(Weighed { known, cost })
    }

    /// Encodes a response or trailers into the block.
    pub(super) fn encode_parts(&mut self, parts: &Parts<'_>, weighed: Weighed) {
        let Self {
            encoder,
            block,
            known_blocks,
            ..
        } = self;
        if let Some(at) = weighed.known {
            return block.extend_from_slice(known_blocks.octets(at));
        }
        encoder.begin(block);
        let (plain, changes) = (block.is_empty(), encoder.table().changes());
        if let Some(status) = parts.status {
            let digits = status.digits();
            let field = Field {
                name: b":status",
                value: &digits,
            };
            encoder.encode(field, Indexing::ByName, block);
        }
        for field in parts.fields.iter() {
            put_field(field, encoder, block);
        }
        if let Some(date) = parts.date.filter(|_| !weighed.cost.date) {
            let field = Field {
                name: b"date",
                value: date.as_bytes(),
            };
            encoder.encode(field, Indexing::ByName, block);
        }
        put_length(parts.length, encoder, block);
        if plain && encoder.table().changes() == changes {
            known_blocks.note(changes, parts, weighed.cost, block);
        }
    }

    /// Octets of frames around a block of `octets`.
    pub(super) fn framed(&self, octets: usize) -> usize {
        // Two size updates may come first.
        let octets = octets.saturating_add(12);
        let frames = octets / self.peer.frame as usize + 1; // at least 16,384
        octets.saturating_add(frames * HEAD)
    }

    /// Sends the block in HEADERS and, if it is long, CONTINUATION.
    pub(super) fn put_block(&mut self, stream: u32, end: bool, out: &mut impl Sink) {
        self.flood.sent();
        let mut kind = Kind::Headers;
        let mut flags = if end { flag::END_STREAM } else { 0 };
        let most = self.peer.frame as usize;
        let mut rest = &self.block[..];
        loop {
            let (fragment, more) = rest.split_at(rest.len().min(most));
            if more.is_empty() {
                flags |= flag::END_HEADERS;
            }
            out.put(&Head::new(kind, flags, stream, fragment.len()).encode());
            out.put(fragment);
            if more.is_empty() {
                break;
            }
            (kind, flags, rest) = (Kind::Continuation, 0, more);
        }
        self.block.clear();
        // A rare long block is not kept room for.
        self.block.shrink_to(1024);
    }

    /// Answers a request that nobody else hears of, and the stream is over. At
    /// most 80 octets.
    pub(super) fn put_refusal(
        &mut self,
        (stream, ended): (u32, bool),
        status: Status,
        date: Option<&Date>,
        out: &mut impl Sink,
    ) {
        let parts = Parts {
            status: Some(status),
            fields: Fields::EMPTY,
            length: Some(0),
            date,
        };
        // Whatever the peer says that it takes.
        let weighed = self.weigh(&parts).unwrap_or(Weighed::HEAVY);
        self.encode_parts(&parts, weighed);
        self.put_block(stream, true, out);
        if !ended {
            payload::put_reset(stream, super::ErrorCode::NO_ERROR, out);
        }
    }
}

fn put_length(
    length: Option<u64>,
    encoder: &mut Encoder<Growing>,
    block: &mut alloc::vec::Vec<u8>,
) {
    if let Some(length) = length {
        let digits = ascii::Decimal::new(length);
        let field = Field {
            name: b"content-length",
            value: digits.as_bytes(),
        };
        encoder.encode(field, Indexing::ByName, block);
    }
}

/// Encodes a field with its name in lower case (RFC 9113 §8.2).
fn put_field(field: Field<'_>, encoder: &mut Encoder<Growing>, block: &mut alloc::vec::Vec<u8>) {
    // The name is a token: it was checked.
    if is_lower_token(field.name) {
        return encoder.encode(field, Indexing::ByName, block);
    }
    let mut short = [0; SHORT_NAME];
    let long;
    let name = match short.get_mut(..field.name.len()) {
        Some(name) => {
            name.copy_from_slice(field.name);
            name.make_ascii_lowercase();
            &*name
        }
        None => {
            long = field.name.to_ascii_lowercase();
            &long
        }
    };
    let value = field.value;
    encoder.encode(Field { name, value }, Indexing::ByName, block);
}
