//! The part of a form that is on disk, for the thread that writes it.

use alloc::vec::Vec;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use super::spool::{SpooledFile, SpooledForm};
use crate::http::multipart::PartHead;

/// A piece of work for a thread that may block.
#[derive(Debug)]
pub(super) enum Piece {
    Part(PartHead),
    Content(Vec<u8>),
    End,
}

/// The parts that have come so far.
#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    form: SpooledForm,
    open: Open,
}

/// The part that is being written.
#[derive(Debug)]
enum Open {
    Nothing,
    Field(PartHead, Vec<u8>),
    File(File, SpooledFile),
}

impl Store {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            form: SpooledForm::default(),
            open: Open::Nothing,
        }
    }

    pub(super) fn into_form(self) -> SpooledForm {
        self.form
    }

    pub(super) fn write(&mut self, pieces: Vec<Piece>) -> io::Result<()> {
        for piece in pieces {
            match (piece, &mut self.open) {
                (Piece::Part(head), open) => {
                    *open = match head.is_file() {
                        true => {
                            let (file, path) = create(&self.directory)?;
                            Open::File(file, SpooledFile::new(path, head))
                        }
                        false => Open::Field(head, Vec::new()),
                    };
                }
                (Piece::Content(bytes), Open::File(file, spooled)) => {
                    file.write_all(&bytes)?;
                    spooled.grow(bytes.len());
                }
                (Piece::Content(bytes), Open::Field(_, text)) => text.extend_from_slice(&bytes),
                (Piece::End, open) => match core::mem::replace(open, Open::Nothing) {
                    Open::File(_, spooled) => self.form.add_file(spooled),
                    Open::Field(head, text) => self.form.add_field(head, text),
                    Open::Nothing => {}
                },
                (Piece::Content(_), Open::Nothing) => {} // it comes between the others
            }
        }
        Ok(())
    }
}

/// Creates a file under a name that nobody else knows, for the server's own user.
fn create(directory: &std::path::Path) -> io::Result<(File, PathBuf)> {
    let mut name = [0; 16];
    getrandom::fill(&mut name)?;
    let name = u128::from_ne_bytes(name);
    let path = directory.join(alloc::format!("{name:032x}.upload"));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok((options.open(&path)?, path))
}
