//! Replies whose bodies are coded (RFC 9110 §8.4).
//!
//! The middleware [`Compression`](crate::app::Compression) chooses the coding when it looks
//! at the head, and has changed the fields by then.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use super::coded_files::Source;
use super::reply_head::Chosen;
use super::respond::given;
use super::session::SessionContext;
use crate::app::telemetry::codings::{Codec, Direction};
use crate::app::telemetry::metrics::{Block, Kind};
use crate::coding::Coding;
use crate::coding::encode::Encoder;
use crate::coding::lent::{Lent, Made};
use crate::coding::work::{Failed, Purpose, Then};
use crate::http::{ResponseHead, Status};
use crate::link::{Body, Charge, UsageError};

/// From this size on a coded body leaves by reference.
const SHARED: usize = 16 << 10;

pub(super) fn count(metrics: &Block, coding: Coding, plain: usize, coded: usize) {
    metrics.coded(
        (Kind::Exchange, Codec::from(coding), Direction::Sent),
        plain,
        coded,
    );
}

#[derive(Debug)]
pub(super) struct CodedBody {
    encoder: Encoder,
    made: Made,
    _charge: Charge,
    /// How long it was announced to be.
    declared: Option<u64>,
    taken: u64,
    /// Something was taken since the last flush.
    pub(super) is_pending: bool,
    /// Bytes that were taken since the writer had a turn.
    pub(super) in_turn: usize,
}

impl CodedBody {
    pub(super) const fn coding(&self) -> Coding {
        self.made.coding
    }

    /// Codes a piece, and appends what comes out.
    ///
    /// # Errors
    /// Nothing is coded: the library has failed, or it is more than was announced.
    pub(super) fn put(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Failed> {
        let taken = self.taken + piece.len() as u64;
        if self.declared.is_some_and(|most| taken > most) {
            return Err(Failed);
        }
        self.taken = taken;
        self.in_turn += piece.len();
        self.is_pending = true;
        self.encoder.put(piece, Then::More, out)
    }

    /// Appends the code of all that was taken so far.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) -> Result<(), Failed> {
        self.is_pending = false;
        self.encoder.put(&[], Then::Flush, out)
    }

    /// Appends the end, and gives the state back.
    ///
    /// # Errors
    /// The library has failed, or it is less than was announced.
    pub(super) fn finish(mut self, lent: &Lent, out: &mut Vec<u8>) -> Result<(), Failed> {
        if self.declared.is_some_and(|length| self.taken < length) {
            return Err(Failed);
        }
        self.encoder.put(&[], Then::End, out)?;
        lent.give_back(self.made, self.encoder);
        Ok(())
    }
}

impl SessionContext<'_, '_> {
    /// Begins a streamed reply, which may be coded. `None` if something else was sent.
    pub(super) fn begin_stream(
        &mut self,
        status: Status,
        length: Option<u64>,
        endless: bool,
    ) -> Option<Option<Chosen>> {
        self.loop_state.coding.may_stream = true;
        let sent = self.respond(status, None, Body::Streamed { length, endless });
        self.loop_state.coding.may_stream = false;
        let chosen = self.loop_state.coding.begun.take();
        sent.then_some(chosen)
    }

    /// Begins a streamed reply with the coder of its body, if it is coded. `None` if something
    /// else was sent, or memory is short.
    pub(super) fn begin_coded(
        &mut self,
        status: Status,
        length: Option<u64>,
    ) -> Option<Option<Box<CodedBody>>> {
        let Some(chosen) = self.begin_stream(status, length, false)? else {
            return Some(None);
        };
        if !self.may_have_content(status) {
            return Some(None);
        }
        let made = chosen.made(Purpose::Body);
        let Some(mut encoder) = self.loop_state.coding.lent.take(made) else {
            self.context.abort(); // its head has left
            return None;
        };
        encoder.begin();
        let mut charge = self.context.charge();
        charge.set(encoder.memory());
        Some(Some(Box::new(CodedBody {
            encoder,
            made,
            _charge: charge,
            declared: length,
            taken: 0,
            is_pending: false,
            in_turn: 0,
        })))
    }

    /// Sends a head that names a coding, with the body if it is here.
    #[inline(never)]
    pub(super) fn send_coded(
        &mut self,
        status: Status,
        chosen: Chosen,
        body: Body<'_>,
    ) -> Result<(), UsageError> {
        match body {
            Body::Whole(bytes) => self.send_whole_coded(status, chosen, bytes),
            Body::Shared(bytes) => self.send_whole_coded(status, chosen, bytes),
            Body::Streamed { length, .. } if self.loop_state.coding.source.is_some() => {
                self.send_file_coded(status, chosen, length)
            }
            Body::Streamed { endless, .. } => {
                self.loop_state.coding.begun = Some(chosen);
                let length = None;
                self.send_prepared(status, Body::Streamed { length, endless })
            }
            Body::Trailed { .. } => self.send_prepared(status, body), // never chosen for
        }
    }

    fn send_whole_coded(
        &mut self,
        status: Status,
        chosen: Chosen,
        body: &[u8],
    ) -> Result<(), UsageError> {
        let coding = &mut self.loop_state.coding;
        let mut coded = mem::take(&mut coding.room);
        let made = chosen.made(Purpose::Body);
        let done = coding.lent.with(made, |it| it.whole(body, &mut coded));
        if done.is_none() {
            // Without memory for it, as it is.
            if let Some(record) = self.record.as_deref_mut() {
                record.fields.remove("content-encoding");
            }
            self.loop_state.coding.keep(coded);
            return self.send_prepared(status, Body::Whole(body));
        }
        self.note_coded(status, chosen, body.len(), coded.len());
        if coded.len() >= SHARED {
            return self.send_prepared(status, Body::Shared(&Bytes::from(coded)));
        }
        let sent = self.send_prepared(status, Body::Whole(&coded));
        self.loop_state.coding.keep(coded);
        sent
    }

    fn send_file_coded(
        &mut self,
        status: Status,
        chosen: Chosen,
        length: Option<u64>,
    ) -> Result<(), UsageError> {
        let coding = &mut self.loop_state.coding;
        let made = chosen.made(Purpose::Body);
        let key = coding
            .source
            .as_ref()
            .and_then(|it| Some((it.state?, made)));
        let kept = key.as_ref().and_then(|key| coding.files.get(key));
        let is_new = kept.is_none();
        let Some(coded) = kept.or_else(|| code_file(coding.source.as_ref()?, made, &coding.lent))
        else {
            // It cannot be read, or there is no memory: it goes as it is, as far as it does.
            if let Some(record) = self.record.as_deref_mut() {
                record.fields.remove("content-encoding");
            }
            let endless = false;
            return self.send_prepared(status, Body::Streamed { length, endless });
        };
        coding.source = None;
        if is_new && let Some(key) = key {
            let account = self.context.account();
            coding.files.keep(key, &coded, chosen.files_kept, account);
        }
        self.note_coded(status, chosen, length.unwrap_or(0) as usize, coded.len());
        self.send_prepared(status, Body::Shared(&coded))
    }

    /// Counts a complete body that is about to be sent coded.
    fn note_coded(&mut self, status: Status, chosen: Chosen, plain: usize, coded: usize) {
        if self.may_have_content(status) {
            count(&self.loop_state.metrics, chosen.coding, plain, coded);
        }
        if self.loop_state.watches_ends
            && let Some(record) = self.record.as_deref_mut()
        {
            record.reply(status, coded as u64);
        }
    }

    fn send_prepared(&mut self, status: Status, body: Body<'_>) -> Result<(), UsageError> {
        let head = ResponseHead::new(status, given(self.record));
        let sent = self.context.respond(&head, body);
        self.count_head(status, body, true, sent)
    }
}

fn code_file(source: &Source, made: Made, lent: &Lent) -> Option<Bytes> {
    let mut part = source.part.clone();
    let mut plain = vec![0; usize::try_from(part.len()).ok()?];
    part.read(&mut plain).ok()?;
    let mut coded = Vec::new();
    lent.with(made, |it| it.whole(&plain, &mut coded))?;
    coded.shrink_to_fit(); // it may be kept
    Some(coded.into())
}
