//! Content codings of replies (RFC 9110 §8.4).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::middleware::{Incoming, Middleware, Next};
use crate::app::exchange::record::{MayCode, Record};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::reply_head::{Chosen, ReplyHead};
use crate::coding::Coding;
use crate::coding::accept::Accepted;
use crate::http::{Fields, Status};
use crate::net::Error;
use crate::wire::builder;
use crate::wire::{ascii, setters};

/// Compresses replies for clients that take it: complete ones, streamed ones and streams of
/// events, over HTTP/1.1 and HTTP/2.
///
/// ```
/// use barewire::app::{App, Coding, Compression};
///
/// App::new()
///     .with(Compression::new().minimum(512).level(Coding::Gzip, 6))
///     .get("/items", |_request, reply| reply.json_text("[...]"));
/// ```
///
/// Of the codings whose features are there (`gzip`, `brotli`, `zstd`) the client gets the
/// one that it weighs highest in Accept-Encoding, among equals the first of
/// [`codings`](Self::codings). Should it take none of them, it gets the reply as it is, never
/// 406. The head then has Content-Encoding and Vary, an entity tag becomes a weak one, and
/// to HEAD it is the same as to GET. Where it is possible that another client gets the reply
/// coded, the head has Vary.
///
/// # What is compressed
/// Replies of the [media types](Self::types) that gain by it, from
/// [`minimum`](Self::minimum) bytes on: shorter ones only for a client that refuses what is
/// not coded (`identity;q=0`). Never what has a Content-Encoding, a part of something (206),
/// what has a digest of its bytes, a reply with `Cache-Control: no-transform`, and what has
/// no content. Middleware that was added earlier sees the head as it is sent, so add this
/// first. gRPC has its own compression. Files beyond [`CompressionLimits::file`] are sent as
/// they are (see [`Files::precompressed`](crate::app::Files::precompressed)); shorter ones
/// are compressed once for each state that they are in, and kept within
/// [`CompressionLimits::files_kept`].
///
/// A complete body is compressed on the loop, which serves no other client meanwhile:
/// some 5 ms for each MiB. A streamed body is flushed whenever its writer stops without
/// being told to wait, a stream of events after each event.
///
/// # Secrets
/// An attacker who can see how long replies are, and have a text of their own in them, can guess a
/// secret that stands in the same reply, byte by byte (BREACH). Replies that hold both are
/// sent with [`Reply::uncompressed`](crate::app::Reply::uncompressed), from routes with
/// [`Route::uncompressed`](crate::app::Route::uncompressed), or from paths outside of a
/// [`Scoped`](crate::app::Scoped) compression.
#[derive(Debug, Clone)]
pub struct Compression {
    codings: Vec<Coding>,
    levels: [u8; Coding::COUNT], // by `Coding as usize`
    minimum: u64,
    types: Vec<Box<str>>,
    is_dedicated: bool,
    limits: CompressionLimits,
}

/// The media types that gain by it; `/*` at the end and `+` at the front stand for all that
/// begin and end so.
const TYPES: [&str; 16] = [
    "text/*",
    "application/json",
    "application/javascript",
    "application/xml",
    "application/wasm",
    "application/manifest+json",
    "application/x-javascript",
    "application/x-ndjson",
    "application/yaml",
    "application/toml",
    "application/graphql",
    "image/svg+xml",
    "font/ttf",
    "font/otf",
    "+json",
    "+xml",
];

const CALLS: [&[u8]; 2] = [b"application/grpc*", b"application/connect+*"];

impl Default for Compression {
    fn default() -> Self {
        Self::new()
    }
}

impl Compression {
    /// All codings that there are, at the levels 4 (gzip), 4 (br) and 3 (zstd), from 1 KiB on.
    pub fn new() -> Self {
        let available = Coding::ALL.into_iter().filter(|it| it.is_available());
        let mut levels = [0; Coding::COUNT];
        for coding in Coding::ALL {
            if let Some(level) = levels.get_mut(coding as usize) {
                *level = coding.level();
            }
        }
        Self {
            codings: available.collect(),
            levels,
            minimum: 1024,
            types: TYPES.map(Box::from).into(),
            is_dedicated: true,
            limits: CompressionLimits::DEFAULT,
        }
    }

    /// These codings, the one that is chosen among equals first: at first zstd, gzip, br.
    /// Those whose features are not there are left out.
    #[must_use]
    pub fn codings(mut self, codings: impl IntoIterator<Item = Coding>) -> Self {
        let available = codings.into_iter().filter(|it| it.is_available());
        self.codings = available.collect();
        self
    }

    /// How hard a coding tries, within what it has: 1 to 9 for gzip, 2 to 11 for br, 1 to 19
    /// for zstd.
    #[must_use]
    pub fn level(mut self, coding: Coding, level: u8) -> Self {
        let (least, most) = coding.levels();
        if let Some(place) = self.levels.get_mut(coding as usize) {
            *place = level.clamp(least, most);
        }
        self
    }

    /// Bytes from which on a reply is compressed whose length is known. Default 1024: what
    /// fits into one packet anyway gains nothing.
    #[must_use]
    pub const fn minimum(mut self, bytes: u64) -> Self {
        self.minimum = bytes;
        self
    }

    /// The media types that are compressed, in place of the default ones: text, JSON, XML,
    /// JavaScript, SVG, WebAssembly and some more. `text/*` stands for all that begin so,
    /// `+json` for all that end so.
    #[must_use]
    pub fn types<'t>(mut self, types: impl IntoIterator<Item = &'t str>) -> Self {
        self.types = types.into_iter().map(Box::from).collect();
        self
    }

    builder! {
        /// Compresses this media type, too.
        fn media_type(media_type: &str) => types.push(media_type.into());

        /// Compresses each event of a stream by itself, with a state that is lent: streams
        /// then keep no memory, and events are longer on the wire. Without this a stream that
        /// sends events of its own, not published ones, has a state in which each refers to
        /// those before: until it is silent for a heartbeat's time, or memory is short.
        const fn lend_states() => is_dedicated = false;

        /// What compressing files may cost, with these limits.
        const fn limits(limits: CompressionLimits) => limits = limits;
    }

    fn is_worth(&self, content_type: &[u8]) -> bool {
        let name = content_type.split(|&byte| byte == b';').next();
        let name = ascii::trim_ows(name.unwrap_or_default());
        // Streams of calls compress message by message.
        let is_call = CALLS.iter().any(|it| is_like(name, it));
        !is_call && self.types.iter().any(|it| is_like(name, it.as_bytes()))
    }
}

/// Whether a media type is meant by an element of the list.
fn is_like(name: &[u8], pattern: &[u8]) -> bool {
    let (part, pattern) = match pattern {
        [start @ .., b'*'] => (name.get(..start.len()), start),
        [b'+', ..] => {
            let at = name.len().checked_sub(pattern.len());
            (at.and_then(|at| name.get(at..)), pattern)
        }
        _ => (Some(name), pattern),
    };
    part.is_some_and(|part| part.eq_ignore_ascii_case(pattern))
}

fn is_to_stay(fields: Fields<'_>) -> bool {
    const NAMES: [&str; 3] = ["content-digest", "repr-digest", "digest"];
    let is_coded = |it: &[u8]| !it.eq_ignore_ascii_case(b"identity");
    fields.list("content-encoding").any(is_coded)
        || fields.list_contains("cache-control", "no-transform")
        || NAMES.into_iter().any(|name| fields.contains(name))
}

fn has_no_content(status: Status) -> bool {
    status.code() < 200 || matches!(status, Status::NO_CONTENT | Status::RESET_CONTENT)
}

impl Middleware for Compression {
    fn ready(&self) -> Result<(), Error> {
        match self.codings.is_empty() {
            true => Err(Error::Config(
                "Compression has no coding: the features gzip, brotli and zstd bring them",
            )),
            false => Ok(()),
        }
    }

    fn before(&self, request: &mut Incoming<'_, '_>, mut reply: Reply<'_, '_>) -> Next {
        if let Some(record) = reply.at().record.as_deref_mut() {
            let fields = request.headers();
            let has = fields.get("if-none-match");
            record.may_code = Some(MayCode {
                accepted: Accepted::of(fields),
                has_coded: has.is_some_and(|tags| tags.starts_with(b"W/")),
                file: self.limits.file,
            });
        }
        Next::Continue
    }

    fn after(&self, record: &Record, head: &mut ReplyHead<'_>) {
        let Some(may_code) = record.may_code.filter(|_| head.may_be_coded) else {
            return;
        };
        let accepted = may_code.accepted;
        let (status, fields) = (head.status(), head.headers());
        if has_no_content(status) || is_to_stay(fields) {
            return;
        }
        if status == Status::NOT_MODIFIED {
            // What the 200 would have had (RFC 9110 §15.4.5).
            vary(head);
            if may_code.has_coded {
                weaken(head);
            }
            return;
        }
        let content_type = fields.get("content-type").unwrap_or_default();
        let is_worth = self.is_worth(content_type);
        if status == Status::PARTIAL_CONTENT {
            // Likewise (§15.3.7). It is part of what is not coded.
            if is_worth || content_type.starts_with(b"multipart/byteranges") {
                vary(head);
            }
            return;
        }
        if fields.contains("content-range") {
            return;
        }
        let is_long = head.length().is_none_or(|length| length >= self.minimum);
        let is_forced = accepted.refuses_identity() && head.length() != Some(0);
        if !is_worth || !(is_long || is_forced) {
            return;
        }
        vary(head);
        let Some(coding) = accepted.in_order(&self.codings).next() else {
            return;
        };
        head.choose(Chosen {
            coding,
            level: self
                .levels
                .get(coding as usize)
                .copied()
                .unwrap_or_default(),
            is_dedicated: self.is_dedicated,
            files_kept: self.limits.files_kept,
        });
        // Constant text, and a tag that stood there before.
        let _ = head.fields.set("Content-Encoding", coding.name());
        head.fields.remove("content-length");
        head.fields.remove("accept-ranges"); // its ranges would be those of the coded body
        weaken(head);
    }
}

/// Says that the reply is chosen by Accept-Encoding (RFC 9110 §12.5.5).
fn vary(head: &mut ReplyHead<'_>) {
    let names = |it: &[u8]| it == b"*" || it.eq_ignore_ascii_case(b"accept-encoding");
    if !head.headers().list("vary").any(names) {
        // Constant text.
        let _ = head.fields.push("Vary", "Accept-Encoding");
    }
}

/// Makes an entity tag a weak one: other bytes mean the same (RFC 9110 §8.8.1).
fn weaken(head: &mut ReplyHead<'_>) {
    let Some(tag) = head.headers().get("etag") else {
        return;
    };
    if !tag.starts_with(b"W/") {
        let weak = [b"W/", tag].concat();
        let _ = head.fields.set("ETag", weak);
    }
}

/// The limits on compressing files ([`Files`](crate::app::Files)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompressionLimits {
    /// Bytes up to which a file is compressed when it is asked for, which holds its loop
    /// up. Longer ones are sent as they are. Default 256 KiB.
    pub file: u64,
    /// Bytes of compressed files that each loop keeps for the next clients: charged, and
    /// dropped where memory is short. Default 4 MiB.
    pub files_kept: usize,
}

impl CompressionLimits {
    /// For a site whose large files were compressed beforehand.
    pub const DEFAULT: Self = Self {
        file: 256 << 10,
        files_kept: 4 << 20,
    };

    setters! {
        with_file file: u64,
        with_files_kept files_kept: usize,
    }
}

impl Default for CompressionLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests;
