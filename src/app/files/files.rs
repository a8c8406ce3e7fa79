//! A directory that is served, and how.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{boxed::Box, format};
use core::time::Duration;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use bytes::Bytes;

use super::media_type;
use super::ranges::{Ranges, Span};
use super::representation;
use super::representation::{Opened, Representation};
use super::root::{Location, locate};
use super::root::{Missing, Root};
use crate::app::exchange::file_body::Piece;
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::exchange::validators::Verdict;
use crate::http::date::Date;
use crate::http::{FieldBuffer, Status};
use crate::net::Error;
use crate::wire::builder;

/// A directory whose files are served with
/// [`App::files`](crate::app::App::files).
///
/// ```no_run
/// use core::time::Duration;
/// use barewire::app::{App, Files};
///
/// # fn main() -> Result<(), barewire::net::Error> {
/// let site = Files::new("/srv/www")
///     .precompressed()
///     .max_age(Duration::from_secs(3600))
///     .header("X-Content-Type-Options", "nosniff");
/// App::new().files("/static", site).listen("127.0.0.1:8080")?.run()
/// # }
/// ```
///
/// # What is served
/// Regular files below the directory, to GET and HEAD; a directory by its index file,
/// with a redirect (301) if the slash after its name is missing. There are no listings.
/// Names are the path's segments, percent-decoded, in UTF-8; what begins with a dot is
/// not served, but for `.well-known`.
///
/// No path leads out of the directory: each is opened relative to it
/// (`openat2` with `RESOLVE_BENEATH` on Linux), so that a symbolic link is
/// followed as long as it stays inside. Elsewhere, and where a sandbox forbids
/// that call, links are not followed at all.
///
/// # How
/// - `ETag`, of size and time, weak for two seconds after a change, and
///   `Last-Modified`; all conditions of RFC 9110 §13 in the order of §13.2.2.
/// - Ranges (RFC 9110 §14), one or several; more than 16, and those that are
///   longer together than the file, are answered with the whole.
/// - Behind [`Compression`](crate::app::Compression), files that are short enough are
///   compressed for clients that take it, and kept so
///   ([`CompressionLimits`](crate::app::CompressionLimits)); ranges are those of the plain
///   file.
/// - The media type by the extension; text is said to be UTF-8.
/// - The length that was announced is kept, or the connection is cut: see
///   [`FilePart`](crate::net::FilePart). Replace files by renaming others over
///   them, and no client ever sees half of each.
///
/// Files are opened, and read, by the loop itself: what is in the system's page
/// cache costs it nothing, a slow disk or a network's file system holds it up.
#[derive(Debug, Clone)]
pub struct Files {
    directory: PathBuf,
    index: Option<Box<str>>,
    types: Vec<(Box<str>, Box<str>)>, // of extensions
    cache: Option<Box<str>>,
    fields: Vec<(Box<str>, Box<str>)>,
    precompressed: bool,
    hidden: bool,
}

impl Files {
    /// The files of `directory`, with `index.html` as index. It is opened when
    /// the app is put together; a directory that takes its place later is not
    /// seen.
    pub fn new(directory: impl AsRef<FilePath>) -> Self {
        Self {
            directory: directory.as_ref().into(),
            index: Some("index.html".into()),
            types: Vec::new(),
            cache: None,
            fields: Vec::new(),
            precompressed: false,
            hidden: false,
        }
    }

    builder! {
        /// Sets the file that answers for a directory.
        fn index(name: &str) => index = Some(name.into());

        /// Answers directories with 404.
        fn no_index() => index = None;

        /// The media type of files with this extension, in any case.
        fn media_type(extension: &str, name: &str) => types.push((extension.into(), name.into()));

        /// The Cache-Control of files (RFC 9111 §5.2). None at first: clients then
        /// guess how long they may keep a file.
        fn cache_control(value: &str) => cache = Some(value.into());
    }

    /// Lets everybody keep files for so long, in whole seconds, without asking
    /// again.
    #[must_use]
    pub fn max_age(self, age: Duration) -> Self {
        self.cache_control(&format!("public, max-age={}", age.as_secs()))
    }

    builder! {
        /// Adds a field to every file.
        fn header(name: &str, value: &str) => fields.push((name.into(), value.into()));

        /// Sends `a.css.br`, `a.css.zst` or `a.css.gz` in place of `a.css`, where they lie
        /// beside it and the client takes them (RFC 9110 §12.5.3). It needs no feature.
        const fn precompressed() => precompressed = true;

        /// Serves also what begins with a dot.
        const fn hidden() => hidden = true;
    }

    /// Opens the directory. Paths are taken from the segment at `depth` on.
    pub(crate) fn open(self, depth: usize) -> Result<Served, Error> {
        let refused = |error| Error::Files {
            directory: format!("{}", self.directory.display()),
            error,
        };
        let mut fields = FieldBuffer::new();
        let all = self.fields.iter().map(|(name, value)| (&**name, &**value));
        let types = self.types.iter().map(|(_, name)| ("Content-Type", &**name));
        let cache = self.cache.iter().map(|value| ("Cache-Control", &**value));
        for (name, value) in all.chain(types).chain(cache) {
            fields.push(name, value).map_err(|error| {
                let text = format!("field {name:?}: {value:?}: {error}");
                refused(io::Error::new(io::ErrorKind::InvalidInput, text))
            })?;
        }
        Ok(Served {
            root: Root::open(&self.directory).map_err(refused)?,
            depth,
            files: self,
        })
    }
}

impl From<&str> for Files {
    fn from(directory: &str) -> Self {
        Self::new(directory)
    }
}

impl From<String> for Files {
    fn from(directory: String) -> Self {
        Self::new(directory)
    }
}

impl From<&FilePath> for Files {
    fn from(directory: &FilePath) -> Self {
        Self::new(directory)
    }
}

impl From<PathBuf> for Files {
    fn from(directory: PathBuf) -> Self {
        Self::new(directory)
    }
}

#[derive(Debug)]
pub(crate) struct Served {
    root: Root,
    depth: usize, // segments of a path in front of the file's
    files: Files,
}

impl From<Missing> for Refusal {
    fn from(missing: Missing) -> Self {
        Self::new(match missing {
            Missing::NotFound => Status::NOT_FOUND,
            Missing::Forbidden => Status::FORBIDDEN,
            Missing::Exhausted => Status::SERVICE_UNAVAILABLE,
            Missing::Failed => Status::INTERNAL_SERVER_ERROR,
        })
    }
}

impl Served {
    pub(crate) fn answer(
        &self,
        request: &Request<'_>,
        reply: Reply<'_, '_>,
    ) -> Result<Done, Refusal> {
        let location = locate(request.path, self.depth, self.files.hidden);
        self.answer_at(location.ok_or(Missing::NotFound)?, request, reply)
    }

    /// Answers a request for the directory itself, without its slash.
    pub(crate) fn answer_bare(
        &self,
        request: &Request<'_>,
        reply: Reply<'_, '_>,
    ) -> Result<Done, Refusal> {
        self.answer_at(Location::Named(String::new()), request, reply)
    }

    fn answer_at(
        &self,
        location: Location,
        request: &Request<'_>,
        mut reply: Reply<'_, '_>,
    ) -> Result<Done, Refusal> {
        let now = reply.at().context.unix_seconds();
        let (path, is_folder) = match location {
            Location::Named(path) if path.is_empty() => (path, true),
            Location::Named(path) => match self.look(&path, now)? {
                Opened::File(file) => return self.offer(request, reply, file, &path, now),
                Opened::Folder => (path, true),
            },
            Location::Folder(path) => (path, false),
        };
        // A directory: with its slash it is its index.
        let index = self.files.index.as_deref().ok_or(Missing::NotFound)?;
        let index = match &*path {
            "" => String::from(index),
            path => format!("{path}/{index}"),
        };
        match self.look(&index, now)? {
            Opened::File(_) if is_folder => Ok(redirect(request, reply)),
            Opened::File(file) => self.offer(request, reply, file, &index, now),
            Opened::Folder => Err(Missing::NotFound.into()),
        }
    }

    fn look(&self, path: &str, now: u64) -> Result<Opened, Missing> {
        Opened::look(self.root.find(path)?, None, now)
    }

    /// Answers with a file, or with what lies beside it for this client.
    fn offer(
        &self,
        request: &Request<'_>,
        mut reply: Reply<'_, '_>,
        plain: Representation,
        path: &str,
        now: u64,
    ) -> Result<Done, Refusal> {
        let mut file = plain;
        if self.files.precompressed {
            reply = reply.header("Vary", "Accept-Encoding");
            if let Some(encoded) = self.encoded(request, path, now) {
                file = encoded;
            }
        }
        let longest = reply.longest_coded().filter(|_| file.coding.is_none());
        if longest.is_none_or(|longest| file.part.len() > longest) {
            reply = reply.uncompressed(); // for no client: nothing depends on what it takes
        }
        let validators = &file.validators;
        let tag = &validators.tag;
        match validators.weigh(request.method(), request.headers(), now) {
            Verdict::Failed => Err(Status::PRECONDITION_FAILED.into()),
            // No more than what a cache needs (RFC 9110 §15.4.5).
            Verdict::NotModified => {
                let reply = self.identify(reply, tag);
                Ok(reply.status(Status::NOT_MODIFIED).empty())
            }
            Verdict::Serve { range } => {
                let ranges = match range {
                    true => Ranges::of(request.headers(), file.part.len()),
                    false => Ranges::Whole,
                };
                let media_type = self.media_type(path);
                if ranges == Ranges::Unsatisfiable {
                    return Err(unsatisfiable(file.part.len()));
                }
                let reply = self.describe(self.identify(reply, tag), &file);
                Ok(send(reply, &file, media_type, ranges))
            }
        }
    }

    /// The file beside the one at `path` that the client takes most gladly.
    fn encoded(&self, request: &Request<'_>, path: &str, now: u64) -> Option<Representation> {
        representation::wanted(request.headers()).find_map(|coding| {
            let beside = self
                .root
                .find(&format!("{path}{}", representation::suffix(coding)))
                .ok()?;
            match Opened::look(beside, Some(coding), now) {
                Ok(Opened::File(file)) => Some(file),
                Ok(Opened::Folder) | Err(_) => None,
            }
        })
    }

    fn media_type(&self, path: &str) -> &str {
        let Some(extension) = media_type::extension(path) else {
            return media_type::UNKNOWN;
        };
        let own = self.files.types.iter().rev();
        let own = own
            .filter(|(other, _)| other.eq_ignore_ascii_case(extension))
            .map(|(_, name)| &**name)
            .next();
        own.or_else(|| media_type::of(extension))
            .unwrap_or(media_type::UNKNOWN)
    }

    fn identify<'a, 'c>(&self, reply: Reply<'a, 'c>, tag: &[u8]) -> Reply<'a, 'c> {
        let reply = reply.header("ETag", tag);
        match self.files.cache.as_deref() {
            Some(value) => reply.set_header("Cache-Control", value),
            None => reply,
        }
    }

    /// The fields of a file that is sent, but those that ranges change.
    fn describe<'a, 'c>(&self, mut reply: Reply<'a, 'c>, file: &Representation) -> Reply<'a, 'c> {
        for (name, value) in &self.files.fields {
            reply = reply.header(name, &**value);
        }
        if let Some(coding) = file.coding {
            reply = reply.header("Content-Encoding", coding.name());
        }
        if let Some(modified) = file.validators.modified {
            reply = reply.header("Last-Modified", Date::from_unix(modified).as_bytes());
        }
        reply.header("Accept-Ranges", "bytes")
    }
}

fn send(reply: Reply<'_, '_>, file: &Representation, media_type: &str, ranges: Ranges) -> Done {
    let whole = &file.part;
    let cut = |span: Span| Piece::File(whole.slice(span.first, span.len()));
    match ranges {
        Ranges::Parts(spans) => match *spans {
            [span] => reply
                .status(Status::PARTIAL_CONTENT)
                .header("Content-Range", content_range(span, whole.len()))
                .set_header("Content-Type", media_type)
                .pieces([cut(span)].into()),
            _ => send_several(reply, file, media_type, &spans),
        },
        Ranges::Whole | Ranges::Unsatisfiable => {
            reply.file_in(media_type, whole.clone(), Some(file.state))
        }
    }
}

/// Sends several parts as `multipart/byteranges` (RFC 9110 §14.6).
fn send_several(
    mut reply: Reply<'_, '_>,
    file: &Representation,
    media_type: &str,
    spans: &[Span],
) -> Done {
    let mut boundary = String::new();
    for _ in 0..4 {
        let random = u32::from_ne_bytes(reply.at().context.random_bytes());
        boundary.push_str(&format!("{random:08x}"));
    }
    let whole = &file.part;
    let mut pieces = VecDeque::new();
    for &span in spans {
        let range = content_range(span, whole.len());
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {range}\r\n\r\n"
        );
        pieces.push_back(Piece::Bytes(Bytes::from(head)));
        pieces.push_back(Piece::File(whole.slice(span.first, span.len())));
    }
    pieces.push_back(Piece::Bytes(Bytes::from(format!("\r\n--{boundary}--\r\n"))));
    reply
        .status(Status::PARTIAL_CONTENT)
        .set_header(
            "Content-Type",
            format!("multipart/byteranges; boundary={boundary}"),
        )
        .pieces(pieces)
}

/// RFC 9110 §14.4.
fn content_range(span: Span, len: u64) -> String {
    format!("bytes {}-{}/{len}", span.first, span.last)
}

/// 416, with the length that there is (RFC 9110 §15.5.17).
fn unsatisfiable(len: u64) -> Refusal {
    let refusal = Refusal::new(Status::RANGE_NOT_SATISFIABLE);
    // Digits can stand on the wire.
    refusal
        .clone()
        .header("Content-Range", &format!("bytes */{len}"))
        .unwrap_or(refusal)
}

/// Redirects to the directory with its slash. The relative reference holds behind proxies and
/// never leaves the host.
fn redirect(request: &Request<'_>, reply: Reply<'_, '_>) -> Done {
    let name = request.path().rsplit('/').next().unwrap_or_default();
    let location = match request.query() {
        Some(query) => format!("./{name}/?{query}"),
        None => format!("./{name}/"),
    };
    reply.status(Status::MOVED_PERMANENTLY).redirect(&location)
}
