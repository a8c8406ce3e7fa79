//! Forms that have been collected.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, slice};

use crate::app::exchange::json::put_json_string;
use crate::app::exchange::refusal::Refusal;
use crate::app::exchange::request::Request;
use crate::http::Status;
use crate::http::multipart::{
    MultipartError, MultipartEvent, MultipartLimits, MultipartReader, PartHead,
};
use crate::net::report::report;
use crate::wire::Step;

/// The parts of a form (`multipart/form-data`, RFC 7578) that has come completely:
/// [`Request::multipart`] reads it.
#[derive(Debug)]
pub struct Multipart<'b> {
    parts: Vec<Part<'b>>,
}

/// One part of a [`Multipart`].
#[derive(Clone)]
pub struct Part<'b> {
    head: PartHead,
    content: &'b [u8],
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("head", &self.head)
            .field("length", &self.content.len())
            .finish()
    }
}

impl<'b> Part<'b> {
    /// What it says of itself: its name, its media type, the name of a file.
    pub const fn head(&self) -> &PartHead {
        &self.head
    }

    /// The name of the form's field.
    pub fn name(&self) -> &str {
        self.head.name()
    }

    /// The name of the file, made safe: see [`PartHead::file_name`].
    pub fn file_name(&self) -> Option<&str> {
        self.head.file_name()
    }

    /// The content.
    pub const fn content(&self) -> &'b [u8] {
        self.content
    }

    /// The content as text.
    ///
    /// # Errors
    /// 400 if it is not UTF-8.
    pub fn text(&self) -> Result<&'b str, Refusal> {
        core::str::from_utf8(self.content).map_err(|_| not_text(self.name()))
    }
}

impl<'b> Multipart<'b> {
    /// The parts, in the order in which they came.
    pub fn iter(&self) -> slice::Iter<'_, Part<'b>> {
        self.parts.iter()
    }

    /// The first part of this name.
    pub fn get(&self, name: &str) -> Option<&Part<'b>> {
        self.iter().find(|part| part.name() == name)
    }

    /// The text of the first part of this name.
    ///
    /// # Errors
    /// 400 if there is none, or it is not UTF-8.
    pub fn text(&self, name: &str) -> Result<&'b str, Refusal> {
        self.get(name).ok_or_else(|| missing(name))?.text()
    }

    /// The first file of this name.
    ///
    /// # Errors
    /// 400 if there is none, or none was chosen.
    pub fn file(&self, name: &str) -> Result<&Part<'b>, Refusal> {
        let mut files = self.iter().filter(|part| part.name() == name);
        let file = files.find(|part| is_chosen(&part.head, part.content.len() as u64));
        file.ok_or_else(|| missing(name))
    }
}

impl<'m, 'b> IntoIterator for &'m Multipart<'b> {
    type Item = &'m Part<'b>;
    type IntoIter = slice::Iter<'m, Part<'b>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'b> IntoIterator for Multipart<'b> {
    type Item = Part<'b>;
    type IntoIter = alloc::vec::IntoIter<Part<'b>>;

    fn into_iter(self) -> Self::IntoIter {
        self.parts.into_iter()
    }
}

impl<'b> Request<'b> {
    /// Reads the body as a form of several parts, which have their
    /// [limits](MultipartLimits::DEFAULT).
    ///
    /// ```
    /// use barewire::app::{App, Route};
    ///
    /// App::new().route(Route::post("/photos").collect(8 << 20, |request, reply| {
    ///     let form = request.multipart()?;
    ///     let title = form.text("title")?;
    ///     let photo = form.file("photo")?;
    ///     reply.text(format!("{title}: {} bytes", photo.content().len())).ok()
    /// }));
    /// ```
    ///
    /// Forms beyond what a route collects are for [`Reply::spool`](crate::app::Reply::spool),
    /// which writes their files to disk.
    ///
    /// # Errors
    /// 415 if it is no such form, 400 if it is malformed, 413 beyond a limit; the reason
    /// names the part.
    pub fn multipart(&self) -> Result<Multipart<'b>, Refusal> {
        self.multipart_within(&MultipartLimits::DEFAULT)
    }

    /// Reads the body as [`multipart`](Self::multipart) does, within other limits.
    ///
    /// # Errors
    /// Those of [`multipart`](Self::multipart).
    pub fn multipart_within(&self, limits: &MultipartLimits) -> Result<Multipart<'b>, Refusal> {
        if self.is_streamed() {
            report!(Error, "{}: 500, as its form is still to come", self.path());
            return Err(Status::INTERNAL_SERVER_ERROR.into());
        }
        let mut reader = reader(self, limits)?;
        let mut parts: Vec<Part<'b>> = Vec::new();
        let (body, mut used, mut start) = (self.body(), 0, 0);
        while let Some(rest) = body.get(used..).filter(|rest| !rest.is_empty()) {
            let received = match reader.receive(rest, limits) {
                Ok(received) => received,
                Err(error) => return Err(refusal(error, &reader)),
            };
            used += received.used;
            match received.step {
                Step::Event(MultipartEvent::Part(head)) => {
                    start = used;
                    parts.push(Part {
                        head: head.clone(),
                        content: &[],
                    });
                }
                // It is contiguous, whatever pieces it was found in.
                Step::Event(MultipartEvent::Content(_)) => {
                    if let Some(part) = parts.last_mut() {
                        part.content = body.get(start..used).unwrap_or_default();
                    }
                }
                _ => {}
            }
        }
        match reader.finish() {
            Ok(()) => Ok(Multipart { parts }),
            Err(error) => Err(refusal(error, &reader)),
        }
    }
}

/// A reader for the body of a request that says it is such a form, of no more bytes than the
/// limit.
pub(super) fn reader(
    request: &Request<'_>,
    limits: &MultipartLimits,
) -> Result<MultipartReader, Refusal> {
    let reader = MultipartReader::new(request.content_type());
    let reader =
        reader.map_err(|error| Refusal::new(error.status()).because(format!("{error}")))?;
    match request.content_length() {
        Some(length) if length > limits.total => Err(refusal(MultipartError::TooLarge, &reader)),
        _ => Ok(reader),
    }
}

/// Says what is wrong with which part.
pub(super) fn refusal(error: MultipartError, reader: &MultipartReader) -> Refusal {
    let refusal = Refusal::new(error.status());
    match (error.is_of_part(), reader.number(), reader.part().name()) {
        (false, ..) | (true, 0, _) => refusal.because(format!("{error}")),
        (true, number, "") => refusal.because(format!("part {number}: {error}")),
        (true, _, name) => refusal.because(format!("part {}: {error}", quoted(name))),
    }
}

/// Whether a file was chosen: browsers send an empty one without a name otherwise.
pub(super) fn is_chosen(head: &PartHead, length: u64) -> bool {
    head.is_file() && (length > 0 || head.file_name_as_sent() != Some(""))
}

pub(super) fn missing(name: &str) -> Refusal {
    Refusal::new(Status::BAD_REQUEST).because(format!("part {} is missing", quoted(name)))
}

pub(super) fn not_text(name: &str) -> Refusal {
    Refusal::new(Status::BAD_REQUEST).because(format!("part {} is not UTF-8", quoted(name)))
}

fn quoted(name: &str) -> String {
    let mut text = String::new();
    put_json_string(name, &mut text);
    text
}
