//! Field lists to heads: pseudo-header fields and what a field may be
//! (RFC 9113 §8.2, §8.3).
//!
//! A list is judged in one pass while it may still be refused, and turned into
//! a borrowed head once it is certain.

use alloc::vec::Vec;

use crate::http::{
    Asks, ContentLength, Expectation, FieldRange, Fields, Method, RequestHead, ResponseHead,
    Status, Target, Version, is_of_connection, target,
};
use crate::wire::{ascii, simd::text};

/// A message that is malformed: the stream ends with PROTOCOL_ERROR (RFC 9113
/// §8.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Where a field stands in the list; there is none at 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FieldIndex(u8);

const ABSENT: FieldIndex = FieldIndex(u8::MAX);

/// The result of judging a valid list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged {
    method: FieldIndex,
    scheme: FieldIndex,
    authority: FieldIndex,
    path: FieldIndex,
    protocol: FieldIndex,
    status: FieldIndex,
    host: FieldIndex,
    /// Where the fields proper begin.
    first: u8, // at most 6: no pseudo-header field comes twice
    cookies: u16,
    length: ContentLength,
    pub(super) expects: Expectation,
    /// The content that the method asks for in the response.
    pub(super) asks: Asks,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct List<'b> {
    pub(super) text: &'b [u8],
    pub(super) ranges: &'b [FieldRange],
}

impl<'b> List<'b> {
    fn name(&self, range: FieldRange) -> &'b [u8] {
        let range = range.name as usize..range.name_end as usize;
        self.text.get(range).unwrap_or_default()
    }

    fn value(&self, range: FieldRange) -> &'b [u8] {
        let range = range.value as usize..range.value_end as usize;
        self.text.get(range).unwrap_or_default()
    }

    fn at(&self, place: FieldIndex) -> Option<&'b [u8]> {
        let range = self.ranges.get(place.0 as usize)?;
        Some(self.value(*range))
    }

    fn str_at(&self, place: FieldIndex) -> Option<&'b str> {
        core::str::from_utf8(self.at(place)?).ok()
    }

    /// A value of visible US-ASCII, as a path and an authority are, with where
    /// the first `?` in it is.
    #[inline]
    fn target_at(&self, place: FieldIndex) -> Option<(&'b str, Option<usize>)> {
        let range = self.ranges.get(place.0 as usize)?;
        text::target(self.text, range.value as usize, range.value_end as usize)
    }

    /// The fields after the first `n`.
    pub(super) fn fields(&self, n: u8) -> Fields<'b> {
        let ranges = self.ranges.get(usize::from(n)..).unwrap_or_default();
        Fields::from_ranges(self.text, ranges)
    }

    /// Looks at every field once (RFC 9113 §8.2).
    fn judge(&self) -> Result<Judged, Malformed> {
        let mut judged = Judged {
            method: ABSENT,
            scheme: ABSENT,
            authority: ABSENT,
            path: ABSENT,
            protocol: ABSENT,
            status: ABSENT,
            host: ABSENT,
            first: 0,
            cookies: 0,
            length: ContentLength::Absent,
            expects: Expectation::Absent,
            asks: Asks::Content,
        };
        let mut proper = false;
        for (index, range) in self.ranges.iter().enumerate() {
            let (name, value) = (self.name(*range), self.value(*range));
            if !ascii::is_field_value(value) {
                return Err(Malformed);
            }
            if let [b':', name @ ..] = name {
                if proper {
                    return Err(Malformed);
                }
                let place = judged.pseudo(name)?;
                if *place != ABSENT {
                    return Err(Malformed);
                }
                // There are six names and none comes twice.
                *place = FieldIndex(index as u8);
                judged.first += 1;
                continue;
            }
            proper = true;
            judged.field(index, name, value)?;
        }
        match judged.length {
            ContentLength::Invalid => Err(Malformed),
            _ => Ok(judged),
        }
    }

    /// Judges the head of a request (RFC 9113 §8.3.1). `extended` says that we
    /// allow extended CONNECT, `strict` that the path is to be that of RFC 3986.
    pub(super) fn judge_request(&self, extended: bool, strict: bool) -> Result<Judged, Malformed> {
        let mut judged = self.judge()?;
        let method = self.at(judged.method).and_then(Method::new);
        let method = method.ok_or(Malformed)?;
        judged.asks = Asks::of(method);
        // A server after this one may read only one of them.
        let is_repeated = matches!(judged.length, ContentLength::Repeated(_));
        if judged.status != ABSENT || is_repeated {
            return Err(Malformed);
        }
        let authority = self.at(judged.authority);
        if authority.is_some_and(|text| !is_authority(text)) {
            return Err(Malformed);
        }
        if let Some(protocol) = self.at(judged.protocol)
            && !(extended && method == Method::CONNECT && ascii::is_token(protocol))
        {
            return Err(Malformed);
        }
        if method == Method::CONNECT && judged.protocol == ABSENT {
            let authority = self.at(judged.authority).ok_or(Malformed)?;
            // CONNECT names a host with a port, and nothing else (RFC 9113 §8.5).
            Target::parse(authority, method).map_err(|_| Malformed)?;
            if judged.scheme != ABSENT || judged.path != ABSENT {
                return Err(Malformed);
            }
            return Ok(judged);
        }
        self.judge_target(&judged, method, strict)?;
        self.judge_host(&judged)?;
        Ok(judged)
    }

    fn judge_target(
        &self,
        judged: &Judged,
        method: Method<'_>,
        strict: bool,
    ) -> Result<(), Malformed> {
        let scheme = self.at(judged.scheme).ok_or(Malformed)?;
        let (path, _) = self.target_at(judged.path).ok_or(Malformed)?;
        let scheme_ok = scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b));
        if !scheme_ok {
            return Err(Malformed);
        }
        let fits = match path {
            "*" => method == Method::OPTIONS,
            _ => path.starts_with('/') && (!strict || Target::parse_origin(path).is_rfc3986()),
        };
        if fits { Ok(()) } else { Err(Malformed) }
    }

    /// Host and `:authority` agree, and one of them is there.
    fn judge_host(&self, judged: &Judged) -> Result<(), Malformed> {
        match (self.at(judged.host), self.at(judged.authority)) {
            (None, Some(_)) => Ok(()),
            (Some(host), None) if is_authority(host) => Ok(()),
            (Some(host), Some(authority)) if host.eq_ignore_ascii_case(authority) => Ok(()),
            _ => Err(Malformed),
        }
    }

    /// Judges the head of a response (RFC 9113 §8.3.2).
    pub(super) fn judge_response(&self) -> Result<(Judged, Status), Malformed> {
        let judged = self.judge()?;
        if judged.first != 1 {
            return Err(Malformed);
        }
        match self.at(judged.status) {
            Some(&[a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9']) => {
                let digit = |b: u8| u16::from(b - b'0');
                let code = digit(a) * 100 + digit(b) * 10 + digit(c);
                let status = Status::new(code).ok_or(Malformed)?;
                Ok((judged, status))
            }
            _ => Err(Malformed),
        }
    }

    /// Judges trailers, which have no pseudo-header fields (RFC 9113 §8.1).
    pub(super) fn judge_trailers(&self) -> Result<(), Malformed> {
        match self.judge()? {
            Judged { first: 0, .. } => Ok(()),
            _ => Err(Malformed),
        }
    }

    #[inline(always)]
    pub(super) fn request(&self, judged: &Judged) -> Option<RequestHead<'b>> {
        let method = Method::new(self.at(judged.method)?)?;
        let target = match (
            self.target_at(judged.path),
            self.target_at(judged.authority),
        ) {
            (None, authority) => Target::Authority(authority?.0),
            (Some(("*", _)), _) => Target::Asterisk,
            (Some((text, mark)), authority) => {
                let (path, query) = match mark {
                    // An ASCII octet is a boundary on both sides.
                    Some(mark) => (text.get(..mark)?, text.get(mark + 1..)),
                    None => (text, None),
                };
                let authority = authority.map(|(authority, _)| authority);
                match authority {
                    Some(authority) => Target::Absolute {
                        scheme: match self.at(judged.scheme)? {
                            b"http" => "http",
                            b"https" => "https",
                            _ => self.str_at(judged.scheme)?,
                        },
                        authority,
                        path,
                        query,
                    },
                    None => Target::Origin { path, query },
                }
            }
        };
        Some(RequestHead {
            method,
            target,
            version: Version::Http2,
            protocol: self.str_at(judged.protocol),
            fields: self.fields(judged.first),
        })
    }

    pub(super) fn response(&self, status: Status) -> ResponseHead<'b> {
        ResponseHead {
            status,
            version: Version::Http2,
            fields: self.fields(1),
        }
    }
}

impl Judged {
    /// Whether the content may be shown with the head: it need not be asked for, and is no
    /// tunnel.
    pub(super) fn may_be_whole(&self) -> bool {
        self.expects == Expectation::Absent && self.path != ABSENT && self.protocol == ABSENT
    }

    pub(super) const fn content_length(&self) -> Option<u64> {
        match self.length {
            ContentLength::One(length) | ContentLength::Repeated(length) => Some(length),
            ContentLength::Absent | ContentLength::Invalid => None,
        }
    }

    #[inline]
    pub(super) const fn has_cookies(&self) -> bool {
        self.cookies > 1
    }

    fn pseudo(&mut self, name: &[u8]) -> Result<&mut FieldIndex, Malformed> {
        Ok(match name {
            b"method" => &mut self.method,
            b"scheme" => &mut self.scheme,
            b"authority" => &mut self.authority,
            b"path" => &mut self.path,
            b"protocol" => &mut self.protocol,
            b"status" => &mut self.status,
            _ => return Err(Malformed),
        })
    }

    /// Judges a field proper (RFC 9113 §8.2.1, §8.2.2).
    fn field(&mut self, index: usize, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        let padded = matches!(value, [b' ' | b'\t', ..] | [.., b' ' | b'\t']);
        if !is_lower_token(name) || padded {
            return Err(Malformed);
        }
        match name {
            b"te" if !value.eq_ignore_ascii_case(b"trailers") => Err(Malformed),
            b"content-length" => {
                self.length.add(value);
                Ok(())
            }
            b"host" => match (self.host, u8::try_from(index)) {
                (ABSENT, Ok(index)) => {
                    self.host = FieldIndex(index);
                    Ok(())
                }
                _ => Err(Malformed),
            },
            b"cookie" => {
                self.cookies = self.cookies.saturating_add(1);
                Ok(())
            }
            _ if is_of_connection(name) => Err(Malformed),
            b"expect" => {
                self.expects.add(value);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Whether `name` is a token without upper-case letters (RFC 9113 §8.2.1).
#[inline]
pub(super) fn is_lower_token(name: &[u8]) -> bool {
    let lower = |&b: &u8| ascii::is_tchar(b) && !b.is_ascii_uppercase();
    let plain = |word: &[u8; 8]| is_plain(*word) || word.iter().all(lower);
    match name.last_chunk::<8>() {
        // The last eight octets overlap the whole words before them.
        Some(last) => plain(last) && name.as_chunks::<8>().0.iter().all(plain),
        None => !name.is_empty() && name.iter().all(lower),
    }
}

#[inline]
const fn is_plain(word: [u8; 8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let word = u64::from_ne_bytes(word);
    if word & HIGH != 0 {
        return false;
    }
    // No sum carries into the next octet: all are below 0x80.
    let from_a = word + ONES * (0x80 - b'a' as u64);
    let beyond_z = word + ONES * (0x7f - b'z' as u64);
    let other = (word ^ (ONES * b'-' as u64)) + ONES * 0x7f; // high bit: not a hyphen
    ((from_a & !beyond_z) | !other) & HIGH == HIGH
}

/// Whether `text` is `uri-host [ ":" port ]`.
fn is_authority(text: &[u8]) -> bool {
    // Nearly always a name in plain letters, with or without a port.
    let (host, port) = match text.iter().position(|&b| b == b':') {
        Some(colon) => (&text[..colon], &text[colon + 1..]),
        None => (text, &[][..]),
    };
    let plain = |b: &u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
    if !host.is_empty() && host.iter().all(plain) && port.len() <= 4 {
        return port.iter().all(u8::is_ascii_digit);
    }
    core::str::from_utf8(text).is_ok_and(target::is_authority)
}

/// Joins cookies that were sent one by one (RFC 9113 §8.2.3): the first gets them all. Returns
/// how many of `count` fields are left. `at` is the end of the used text.
pub(super) fn join_cookies(text: &mut Vec<u8>, at: usize, ranges: &mut [FieldRange]) -> usize {
    text.truncate(at);
    let (mut kept, mut first) = (0, None);
    for index in 0..ranges.len() {
        // Both indices are below the length: `kept` never passes `index`.
        let range = ranges[index];
        let name = text.get(range.name as usize..range.name_end as usize);
        if name != Some(b"cookie") {
            ranges[kept] = range;
            kept += 1;
            continue;
        }
        match first {
            None => {
                first = Some(kept);
                ranges[kept] = range;
                kept += 1;
            }
            Some(_) => text.extend_from_slice(b"; "),
        }
        text.extend_from_within(range.value as usize..range.value_end as usize);
    }
    if let Some(cookie) = first {
        // A list is far below 4 GiB, and so are its cookies again.
        ranges[cookie].value = at as u32;
        ranges[cookie].value_end = text.len() as u32;
    }
    kept
}

#[cfg(test)]
mod tests;
