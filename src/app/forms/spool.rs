//! Forms whose files are written to disk.

use alloc::vec::Vec;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::multipart::{is_chosen, missing, not_text};
use crate::app::exchange::refusal::Refusal;
use crate::http::multipart::{MultipartLimits, PartHead};
use crate::wire::{builder, partly_shown};

/// Where the files of forms are written, and how much they may hold: for
/// [`Reply::spool`](crate::app::Reply::spool).
#[derive(Debug, Clone)]
pub struct Spool {
    pub(super) directory: PathBuf,
    pub(super) limits: MultipartLimits,
}

impl Spool {
    /// Writes files to this directory, which exists, within [`MultipartLimits::DEFAULT`]. To
    /// [keep](SpooledFile::persist) them, it is on the file system where they are to be.
    pub fn new(directory: impl AsRef<Path>) -> Self {
        Self {
            directory: directory.as_ref().into(),
            limits: MultipartLimits::DEFAULT,
        }
    }

    builder! {
        /// Sets the limits of forms.
        const fn limits(limits: MultipartLimits) => limits = limits;
    }
}

/// A form whose files are on disk, and whose other parts are in memory.
#[derive(Default)]
pub struct SpooledForm {
    fields: Vec<(PartHead, Vec<u8>)>,
    files: Vec<SpooledFile>,
}

partly_shown!(it: SpooledForm { fields: it.fields.len(), files });

impl SpooledForm {
    pub(super) fn add_field(&mut self, head: PartHead, text: Vec<u8>) {
        self.fields.push((head, text));
    }

    pub(super) fn add_file(&mut self, file: SpooledFile) {
        self.files.push(file);
    }

    /// The parts that are no files, in the order in which they came.
    pub fn fields(&self) -> impl Iterator<Item = (&PartHead, &[u8])> {
        self.fields.iter().map(|(head, text)| (head, &**text))
    }

    /// The text of the first part of this name that is no file.
    ///
    /// # Errors
    /// 400 if there is none, or it is not UTF-8.
    pub fn text(&self, name: &str) -> Result<&str, Refusal> {
        let found = self.fields().find(|(head, _)| head.name() == name);
        let (_, text) = found.ok_or_else(|| missing(name))?;
        core::str::from_utf8(text).map_err(|_| not_text(name))
    }

    /// The files, in the order in which they came.
    pub fn files(&self) -> &[SpooledFile] {
        &self.files
    }

    /// Takes the first file of this name out of the form.
    ///
    /// # Errors
    /// 400 if there is none, or none was chosen.
    pub fn take_file(&mut self, name: &str) -> Result<SpooledFile, Refusal> {
        let is_it =
            |file: &SpooledFile| file.head.name() == name && is_chosen(&file.head, file.length);
        let at = self.files.iter().position(is_it);
        Ok(self.files.remove(at.ok_or_else(|| missing(name))?))
    }
}

/// A file of a form, on disk under a name of our own. It is deleted when it is dropped,
/// unless it was [kept](Self::persist).
#[derive(Debug)]
pub struct SpooledFile {
    path: PathBuf,
    head: PartHead,
    length: u64,
    is_kept: bool,
}

impl SpooledFile {
    pub(super) const fn new(path: PathBuf, head: PartHead) -> Self {
        Self {
            path,
            head,
            length: 0,
            is_kept: false,
        }
    }

    pub(super) const fn grow(&mut self, bytes: usize) {
        self.length += bytes as u64;
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its part says of itself.
    pub const fn head(&self) -> &PartHead {
        &self.head
    }

    /// The name that the client gives it, made safe: see [`PartHead::file_name`].
    pub fn file_name(&self) -> Option<&str> {
        self.head.file_name()
    }

    /// Bytes.
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Opens it for reading.
    ///
    /// # Errors
    /// Those of [`File::open`].
    pub fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Keeps it under this name, in place of a file that may be there: choose the name
    /// yourself, and not as the client says.
    ///
    /// # Errors
    /// Those of [`fs::rename`]; the file is deleted then.
    pub fn persist(mut self, path: impl AsRef<Path>) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for SpooledFile {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_file(&self.path); // it may be gone already
        }
    }
}
