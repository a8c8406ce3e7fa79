//! Bodies that come from files.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec;
use core::mem;
use std::io;

use bytes::Bytes;

use super::coded_files::{FileState, Source};
use super::record::RouteNumber;
use super::refusal::{Done, Refusal};
use super::reply::{Reply, no_place};
use super::stream::{Stage, Stream, StreamSession, Streaming};
use crate::http::{Fields, Status};
use crate::link::{Body, UsageError};
use crate::net::report::report;
use crate::net::{Claim, FilePart, Flow, Resource};

/// Bodies up to this size are read and leave in one write with their heads.
const READ: u64 = 16 * 1024;
/// Bytes that are read in one call where the system does not send the file itself.
const PIECE: usize = 32 * 1024;

#[derive(Debug)]
pub(crate) enum Piece {
    #[cfg_attr(not(feature = "files"), expect(dead_code, reason = "between ranges"))]
    Bytes(Bytes),
    File(FilePart),
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(part) => part.len(),
        }
    }

    /// Keeps the claim as long as the file is open.
    fn keep(&mut self, claim: &Arc<Claim>) {
        if let Self::File(part) = self {
            *part = part.slice(0, u64::MAX).with_claim(claim.clone());
        }
    }
}

impl Reply<'_, '_> {
    /// Replies with a part of a file. Over HTTP/1.1 the system sends it without
    /// its ever being in our memory, where it can
    /// ([`Context::write_file`](crate::net::Context::write_file)); else it is
    /// read in pieces of 32 KiB, as the client takes them.
    ///
    /// The announced length is kept or the exchange is cut short: see
    /// [`FilePart`].
    ///
    /// ```
    /// use barewire::app::{App, Refusal};
    /// use barewire::http::Status;
    /// use barewire::net::FilePart;
    ///
    /// App::new().get("/film", |_request, reply| {
    ///     let film = std::fs::File::open("film.mp4").and_then(FilePart::whole);
    ///     let film = film.map_err(|_| Refusal::new(Status::NOT_FOUND))?;
    ///     reply.file("video/mp4", film).ok()
    /// });
    /// ```
    pub fn file(self, content_type: &str, part: FilePart) -> Done {
        self.file_in(content_type, part, None)
    }

    /// Replies with a file, which may be coded; where its state is known it is kept so.
    pub(crate) fn file_in(
        self,
        content_type: &str,
        part: FilePart,
        state: Option<FileState>,
    ) -> Done {
        let reply = self.set_header("Content-Type", content_type);
        let longest = reply.longest_coded();
        // It would be coded anew for each client.
        let longest = longest.map(|longest| state.map_or(READ, |_| longest));
        match longest {
            Some(longest) if part.len() <= longest => reply.coded_or_not(part, state),
            _ => reply.uncompressed().pieces([Piece::File(part)].into()),
        }
    }

    /// Replies with a file coded, if the middleware wants that; else as it is.
    fn coded_or_not(mut self, mut part: FilePart, state: Option<FileState>) -> Done {
        let (length, is_unseen) = (part.len(), self.is_unseen());
        // What it takes if it goes as it is.
        if length > READ && !is_unseen {
            match self.keep_open() {
                Ok(claim) => part = part.with_claim(claim),
                Err(refusal) => return self.refuse(refusal),
            }
        }
        let is_framed = self.at().context.is_shared() && !is_unseen;
        let place = match is_framed.then(|| self.place()).transpose() {
            Ok(place) => place,
            Err(refusal) => return self.refuse(refusal),
        };
        let status = self.status;
        let at = self.at();
        at.loop_state.coding.source = Some(Source { part, state });
        let begun = at.begin_stream(status, Some(length), false);
        let source = at.loop_state.coding.source.take();
        let (Some(_), Some(Source { part, .. })) = (begun, source) else {
            return Done(()); // coded, or something else was sent
        };
        let pieces = [Piece::File(part)].into();
        match place {
            Some(place) => {
                let record = self.at().record.as_deref();
                let route = record.map_or(RouteNumber::NONE, |it| it.route);
                let object = Box::new(Sending { pieces, route });
                let session = StreamSession::new(
                    object,
                    Stage::Writing,
                    false,
                    is_unseen,
                    (place, None),
                    None,
                );
                *self.opened = Some(Box::new(session));
                Done(())
            }
            None => self.write_pieces(pieces, is_unseen),
        }
    }

    /// A claim for a file that is open until the client has taken it.
    ///
    /// # Errors
    /// 503 if there is none for this address
    /// ([`Limits::files`](crate::net::Limits::files)).
    fn keep_open(&mut self) -> Result<Arc<Claim>, Refusal> {
        self.at()
            .context
            .claim(Resource::Files)
            .map(Arc::new)
            .map_err(|exhausted| {
                let subject = self.at().subject();
                report!(Warn, "{subject}: 503, as {exhausted}");
                no_place()
            })
    }

    pub(crate) fn pieces(mut self, mut pieces: VecDeque<Piece>) -> Done {
        let length = pieces.iter().map(Piece::len).sum();
        if length <= READ && !self.is_to_head() {
            return match gather(pieces, length as usize) {
                Ok(body) => self.shared(body),
                // It has become too short, or the disk has failed.
                Err(error) => {
                    let subject = self.at().subject();
                    report!(Error, "{subject}: 500, as a file cannot be read: {error}");
                    self.refuse(Status::INTERNAL_SERVER_ERROR)
                }
            };
        }
        let claim = match self.is_unseen() {
            true => None,
            false => match self.keep_open() {
                Ok(claim) => Some(claim),
                Err(refusal) => return self.refuse(refusal),
            },
        };
        // The files are open until the client has taken them.
        if let Some(claim) = claim {
            for piece in &mut pieces {
                piece.keep(&claim);
            }
        }
        if self.at().context.is_shared() {
            // Each piece is framed by itself, and so has to be read.
            let record = self.at().record.as_deref();
            let route = record.map_or(RouteNumber::NONE, |it| it.route);
            return self.length(length).stream(Sending { pieces, route });
        }
        self.hand_over(pieces, length)
    }

    /// Hands all pieces to the loop: what is in files waits without taking
    /// memory.
    fn hand_over(mut self, pieces: VecDeque<Piece>, length: u64) -> Done {
        let (status, is_unseen) = (self.status, self.is_unseen());
        let at = self.at();
        let body = Body::Streamed {
            length: Some(length),
            endless: false,
        };
        // Ranges: never coded, and chosen by Accept-Encoding where the file is.
        at.loop_state.coding.may_stream = status == Status::PARTIAL_CONTENT;
        let sent = at.respond(status, None, body);
        at.loop_state.coding.may_stream = false;
        match sent {
            true => self.write_pieces(pieces, is_unseen),
            false => Done(()),
        }
    }

    /// Writes pieces behind the head, for HTTP/1.1.
    fn write_pieces(mut self, pieces: VecDeque<Piece>, is_unseen: bool) -> Done {
        let at = self.at();
        for mut piece in pieces.into_iter().filter(|_| !is_unseen) {
            let bytes = piece.len();
            let flow = match &mut piece {
                Piece::Bytes(bytes) => at.context.write_shared(mem::take(bytes)),
                Piece::File(part) if bytes <= READ => match read_piece(part) {
                    Ok(bytes) => at.context.write_shared(bytes),
                    Err(_) => break, // it ends short of its length, and is cut
                },
                Piece::File(part) => at.context.write_file(part.slice(0, u64::MAX)),
            };
            if flow.is_taken() {
                at.loop_state
                    .metrics
                    .sent_body(usize::try_from(bytes).unwrap_or(usize::MAX));
                if let Some(record) = at.record {
                    record.wrote(bytes);
                }
            }
        }
        match at.context.finish(Fields::EMPTY) {
            // Over: an error has been sent in place of the head.
            Ok(()) | Err(UsageError::Over) => {}
            Err(_) => at.context.abort(),
        }
        Done(())
    }

    fn shared(mut self, body: Bytes) -> Done {
        let status = self.status;
        self.at().respond(status, None, Body::Shared(&body));
        Done(())
    }
}

/// Reads pieces of `length` bytes together.
fn gather(pieces: VecDeque<Piece>, length: usize) -> io::Result<Bytes> {
    let mut body = vec![0; length];
    let mut at = 0;
    for piece in pieces {
        let rest = &mut body[at..]; // `length` is the sum of all
        at += match piece {
            Piece::Bytes(bytes) => {
                rest[..bytes.len()].copy_from_slice(&bytes);
                bytes.len()
            }
            Piece::File(mut part) => part.read(rest)?,
        };
    }
    Ok(body.into())
}

/// A body on its way, that is read and written piece by piece.
struct Sending {
    pieces: VecDeque<Piece>,
    route: RouteNumber, // for the log
}

impl Streaming for Sending {
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        while let Some(piece) = self.pieces.front_mut() {
            let flow = match piece {
                Piece::Bytes(bytes) => stream.write_shared(mem::take(bytes)),
                Piece::File(part) => match read_piece(part) {
                    Ok(bytes) => stream.write_shared(bytes),
                    Err(error) => {
                        let route = stream.route_name(self.route);
                        report!(Error, "{route}: cut, as a file cannot be read: {error}");
                        return stream.abort();
                    }
                },
            };
            if piece.len() == 0 {
                self.pieces.pop_front();
            }
            match flow {
                Flow::Go => {}
                Flow::Wait => return,
                // An error has been sent in place of the head.
                Flow::Over(_) => break,
            }
        }
        stream.finish();
    }
}

fn read_piece(part: &mut FilePart) -> io::Result<Bytes> {
    let size = usize::try_from(part.len()).map_or(PIECE, |len| len.min(PIECE));
    let mut bytes = vec![0; size];
    part.read(&mut bytes)?;
    Ok(bytes.into())
}
