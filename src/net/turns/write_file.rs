//! Files as pieces of bodies.

use crate::net::{Context, Cork, FilePart, Flow};

impl Context<'_> {
    /// Writes a part of a file as a piece of a streamed body, or into a raw
    /// connection. It is not read into memory: the system sends it
    /// (`sendfile`), in fair turns of [`Limits::backlog_cap`] bytes. Without
    /// such a call, or under a scripted system, it is read and written in
    /// pieces of 16 KiB.
    ///
    /// What of the file is not in the system's memory yet is waited for: a
    /// slow disk holds the whole loop up. Every part holds its file open
    /// until it is sent: give it a claim of
    /// [`Resource::Files`](crate::net::Resource::Files) to keep
    /// ([`FilePart::with_claim`]), so that no address has all files open.
    ///
    /// [`Flow::Over`] with [`UsageError::OtherProtocol`] where the protocol frames
    /// every piece of a body by itself: read the part in pieces there.
    ///
    /// [`UsageError::OtherProtocol`]: crate::link::UsageError::OtherProtocol
    /// [`Limits::backlog_cap`]: crate::net::Limits::backlog_cap
    pub fn write_file(&mut self, mut part: FilePart) -> Flow {
        const MOST: usize = usize::MAX / 8; // a whole file, but for 32 bits
        self.write_by(|link, state| {
            while !part.is_empty() {
                let piece = part.slice(0, MOST as u64);
                part.advance(piece.len());
                let len = piece.len() as usize; // at most MOST
                link.write_by(len, state.cork, |cork: &mut Cork| cork.put_file(piece))?;
            }
            Ok(())
        })
    }
}
