//! How a connection receives: from octets to frames to events.

use super::block::Block;
use super::connection::{CONTROL_ROOM, Phase, Reading};
use super::frame::{HEAD, Head, Kind, PREFACE, flag};
use super::located_event::{LocatedEvent, LocatedRequest};
use super::{Connection, Event, Limits, ProtocolError, payload};
use crate::http::{CallContext, Scratch, date::Date};
use crate::wire::{Instant, Received, Role, Sink};

/// The front of an alert of TLS (RFC 8446 §5.1).
const TLS_ALERT: &[u8] = b"\x15\x03";

/// What a call may look at, apart from the input and the output.
pub(super) struct Context<'c, 's> {
    pub(super) now: Instant,
    pub(super) date: Option<&'c Date>,
    pub(super) limits: &'c Limits,
    pub(super) scratch: &'c mut Scratch<'s>,
}

impl Connection {
    /// Takes at most one event from the front of `input`.
    ///
    /// Bytes past [`used`](Received::used) must be shown again as this call
    /// left them, with whatever arrives behind them. What the protocol itself
    /// answers is in `out` when the call returns: acknowledgements, window
    /// updates, resets, 431. To be called until it gives no event, also when
    /// the input is used up.
    ///
    /// # Errors
    /// What the peer did wrong. The GOAWAY that says so is the last thing in
    /// `out`, and every later call returns the same error.
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let mut lent = lent;
        let (used, found) = self.receive_found(input, &mut lent, out)?;
        let step = found.borrow(input, lent.scratch);
        Ok(Received { used, step })
    }

    /// The same, for who makes a request where it is wanted: how many bytes are
    /// done with, and what was found in `input` and the scratch.
    #[inline(always)]
    pub(crate) fn receive_found(
        &mut self,
        input: &mut [u8],
        lent: &mut CallContext<'_, Limits>,
        out: &mut impl Sink,
    ) -> Result<(usize, LocatedEvent), ProtocolError> {
        if let Phase::Failed(violation) = self.phase {
            return Err(violation);
        }
        let (now, limits) = (lent.now, lent.limits);
        if self.phase == Phase::New && self.open(limits, now, out).is_err() {
            return Ok((0, LocatedEvent::Full));
        }
        if !input.is_empty() {
            self.heard = now;
            self.ping_since = Instant::NEVER;
        }
        let mut context = Context {
            now,
            date: lent.date,
            limits,
            scratch: &mut lent.scratch,
        };
        let found = self.find(input, &mut context, out);
        found.map_err(|violation| self.fail(violation, out))
    }

    /// Does what a call without input would do, if that brings no event: whether
    /// nothing but further input can. May say no where that is so all the same,
    /// and has done nothing then.
    #[cfg(feature = "net")]
    #[inline]
    pub(crate) fn catch_up(&mut self, out: &mut impl Sink) -> bool {
        let is_between = self.phase == Phase::Open
            && self.reading == Reading::Head
            && self.frame_since.is_none()
            && self.refused_above.is_none();
        if !is_between || out.room() < CONTROL_ROOM {
            return false;
        }
        if self.updates_due {
            self.put_updates(out);
        }
        true
    }

    /// Finds the next event; returns how many bytes are done with.
    fn find(
        &mut self,
        input: &mut [u8],
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<(usize, LocatedEvent), ProtocolError> {
        let mut at = 0;
        if let Some(found) = self.next_refused(context.now) {
            return Ok((at, found));
        }
        loop {
            if self.phase == Phase::Done {
                return Ok((input.len(), LocatedEvent::Done));
            }
            if out.room() < CONTROL_ROOM {
                return Ok((at, LocatedEvent::Full));
            }
            if self.updates_due {
                self.put_updates(out);
            }
            let rest = &mut input[at..]; // at <= input.len(): it only grows by what was looked at
            let found = match self.reading {
                Reading::Preface => self.preface(rest, &mut at)?,
                Reading::Skip(left) => self.skip(left, rest, &mut at),
                Reading::Data(data) => {
                    let start = at;
                    let mut found = self.data(data, rest, &mut at, context, out)?;
                    if let (Some(found), 1..) = (&mut found, start) {
                        found.shift(start);
                    }
                    found
                }
                Reading::Head => {
                    let start = at;
                    let mut found = self.known_request(rest, &mut at, context, out)?;
                    if at == start {
                        found = self.frame(None, rest, &mut at, context, out)?;
                    }
                    if let (Some(found), 1..) = (&mut found, start) {
                        found.shift(start);
                    }
                    found
                }
                Reading::Block(block) => self.frame(Some(block), rest, &mut at, context, out)?,
            };
            if let Some(found) = found {
                return Ok((at, found));
            }
        }
    }

    /// The client's preface; a wrong octet is refused as soon as it is there.
    fn preface(
        &mut self,
        rest: &[u8],
        at: &mut usize,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        let n = rest.len().min(PREFACE.len());
        if rest[..n] != PREFACE[..n] {
            return Err(ProtocolError::Preface);
        }
        if n < PREFACE.len() {
            return Ok(Some(LocatedEvent::Need(PREFACE.len() - n)));
        }
        *at += n;
        self.reading = Reading::Head;
        Ok(None)
    }

    fn skip(&mut self, left: u32, rest: &[u8], at: &mut usize) -> Option<LocatedEvent> {
        let n = rest.len().min(left as usize);
        *at += n;
        if n < left as usize {
            self.reading = Reading::Skip(left - n as u32); // n < left
            return Some(LocatedEvent::Need(1));
        }
        self.reading = Reading::Head;
        None
    }

    /// The next frame, or as much of it as is judged by its head alone.
    fn frame(
        &mut self,
        block: Option<Block>,
        rest: &mut [u8],
        at: &mut usize,
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        let assembled = block.map_or(0, |block| block.assembled as usize);
        let frame = rest.get(assembled..).unwrap_or_default();
        let Some(head) = Head::decode(frame) else {
            self.judge_first(frame)?;
            let begun = !frame.is_empty() || block.is_some();
            self.note_begun(begun, context);
            return Ok(Some(LocatedEvent::Need(HEAD - frame.len())));
        };
        payload::check(head, self.own.frame, context.limits.settings_entries)
            .and_then(|()| self.judge_order(head, block.as_ref()))
            .map_err(|violation| self.judge_stranger(violation, head, frame))?;
        let len = head.length as usize;
        match head.kind {
            Kind::Data => {
                *at += HEAD;
                self.note_begun(false, context);
                return self.begin_data(head, context, out);
            }
            Kind::Unknown(_) => {
                *at += HEAD;
                self.note_begun(false, context);
                self.reading = Reading::Skip(head.length);
                return Ok(None);
            }
            _ => {}
        }
        let Some(body) = frame.get(HEAD..HEAD + len) else {
            self.note_begun(true, context);
            return Ok(Some(LocatedEvent::Need(HEAD + len - frame.len())));
        };
        match (head.kind, block) {
            (Kind::Headers, _) => self.headers(head, rest, at, context, out),
            (Kind::Continuation, Some(block)) => {
                self.continuation(block, head, rest, at, context, out)
            }
            (Kind::Continuation, None) => Err(ProtocolError::UnexpectedContinuation),
            (_, _) => {
                *at += HEAD + len;
                self.note_begun(false, context);
                self.control(head, body, context, out)
            }
        }
    }

    /// HEADERS, all of it at the front of `rest`.
    fn headers(
        &mut self,
        head: Head,
        rest: &mut [u8],
        at: &mut usize,
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        let end = HEAD + head.length as usize; // within `rest`: the frame is whole
        let (fragment, dependency) = payload::fragment(head, &rest[HEAD..end])?;
        let block = Block {
            stream: head.stream,
            end: head.has(flag::END_STREAM),
            dependency,
            assembled: fragment.len() as u32,
            frames: 0,
            skimmed: false,
        };
        let octets = HEAD + fragment.start..HEAD + fragment.end;
        if head.has(flag::END_HEADERS) {
            *at += end;
            self.note_begun(false, context);
            let mut found = self.finish_block(block, &rest[octets], context, out)?;
            if let Some(found) = &mut found {
                self.complete(found, end, rest, at);
            }
            return Ok(found);
        }
        // The fragment goes to the end of its frame, before the next.
        let to = end - fragment.len();
        rest.copy_within(octets, to);
        *at += to;
        self.note_begun(true, context);
        *at += self.go_on(block, &rest[to..end], context)?;
        Ok(None)
    }

    /// A request with its content, where that stands in whole behind its
    /// HEADERS, whose frame ends at `start`.
    pub(super) fn complete(
        &mut self,
        found: &mut LocatedEvent,
        start: usize,
        rest: &mut [u8],
        at: &mut usize,
    ) {
        if let LocatedEvent::Request(LocatedRequest {
            stream,
            judged,
            end: false,
            whole,
            ..
        }) = found
            && judged.may_be_whole()
            && let Some(rest) = rest.get_mut(start..)
            && let Some((content, octets)) = self.take_whole(*stream, rest)
        {
            *whole = Some((start + HEAD, start + HEAD + content));
            *at += octets;
        }
    }

    /// CONTINUATION, all of it behind what is assembled at the front of `rest`.
    fn continuation(
        &mut self,
        mut block: Block,
        head: Head,
        rest: &mut [u8],
        at: &mut usize,
        context: &mut Context<'_, '_>,
        out: &mut impl Sink,
    ) -> Result<Option<LocatedEvent>, ProtocolError> {
        block.count(context.limits)?;
        // What is assembled goes up to the new fragment.
        let assembled = block.assembled as usize;
        rest.copy_within(..assembled, HEAD);
        *at += HEAD;
        block.assembled += head.length;
        // Within `rest`: the frame is whole.
        let octets = &rest[HEAD..HEAD + block.assembled as usize];
        if head.has(flag::END_HEADERS) {
            *at += octets.len();
            self.note_begun(false, context);
            return self.finish_block(block, octets, context, out);
        }
        *at += self.go_on(block, octets, context)?;
        Ok(None)
    }

    /// Waits for the rest of a block; returns how much of it was skimmed.
    fn go_on(
        &mut self,
        mut block: Block,
        octets: &[u8],
        context: &mut Context<'_, '_>,
    ) -> Result<usize, ProtocolError> {
        let used = self.skim_block(&mut block, octets, context.scratch)?;
        self.reading = Reading::Block(block);
        Ok(used)
    }

    /// Notes whether a frame has begun that is not all there, for its timeout.
    #[inline]
    pub(super) fn note_begun(&mut self, begun: bool, context: &Context<'_, '_>) {
        if !self.greeted {
            return; // the preface's own timeout runs
        }
        match (begun, self.frame_since) {
            (true, None) => {
                self.frame_since = Some(context.now);
                self.wake_within(context.limits.header_timeout, context.now);
            }
            (false, Some(_)) => self.frame_since = None,
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// A fault in the first octets of a server: of one that speaks another
    /// protocol, the length of what looks like a frame says nothing.
    #[cold]
    fn judge_stranger(&self, fault: ProtocolError, head: Head, frame: &[u8]) -> ProtocolError {
        match self.role {
            Role::Client if self.greeted => fault,
            Role::Client if frame.starts_with(b"HTTP/1.") => ProtocolError::Http1,
            Role::Client if frame.starts_with(TLS_ALERT) => ProtocolError::Tls,
            Role::Client if head.kind != Kind::Settings => ProtocolError::FirstFrame,
            Role::Client | Role::Server => fault,
        }
    }

    /// Judges the first octets of a server: a frame that began like an alert of
    /// TLS would be longer than any may be.
    #[inline]
    fn judge_first(&self, front: &[u8]) -> Result<(), ProtocolError> {
        match !self.greeted && self.role == Role::Client && front.starts_with(TLS_ALERT) {
            true => Err(ProtocolError::Tls),
            false => Ok(()),
        }
    }

    /// Judges whether a frame may come here at all.
    fn judge_order(&self, head: Head, block: Option<&Block>) -> Result<(), ProtocolError> {
        if !self.greeted && (head.kind != Kind::Settings || head.has(flag::ACK)) {
            return Err(ProtocolError::FirstFrame);
        }
        match block {
            Some(block) if head.kind != Kind::Continuation || head.stream != block.stream => {
                Err(ProtocolError::BlockInterrupted)
            }
            None if head.kind == Kind::Continuation => Err(ProtocolError::UnexpectedContinuation),
            _ => Ok(()),
        }
    }
}

#[cfg(feature = "net")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::OwnedScratch;
    use crate::wire::Step;
    use alloc::vec::Vec;
    use std::vec;

    /// Feeds all of `input`, or calls once if there is none; whether the last call
    /// gave no event.
    fn feed(machine: &mut Connection, mut input: Vec<u8>, out: &mut Vec<u8>) -> bool {
        let (mut at, len, mut scratch) = (0, input.len(), OwnedScratch::new(100));
        loop {
            let lent = CallContext {
                now: Instant::START,
                date: None,
                mask_key: [0; 4],
                limits: &Limits::DEFAULT,
                scratch: scratch.lend(),
            };
            let received = machine.receive(&mut input[at..], lent, out).unwrap();
            at += received.used;
            match received.step {
                Step::Event(_) if at < len => {}
                step => return !matches!(step, Step::Event(_)),
            }
        }
    }

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let head = [0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
        [&head, payload].concat()
    }

    #[test]
    fn catching_up_does_what_a_call_without_input_does() {
        let get = b"\x82\x86\x84\x41\x01a";
        let begin = [PREFACE.to_vec(), frame(4, 0, 0, &[])].concat();
        let cases = [
            begin.clone(),
            [begin.clone(), frame(1, 5, 1, get)].concat(),
            // Content that nobody wants is given back to the window.
            [
                begin.clone(),
                frame(1, 4, 1, get),
                vec![0, 64, 0, 0, 0, 0, 0, 0, 1],
                vec![0; 16384],
            ]
            .concat(),
            // A frame, and a block, that are not all here.
            [begin.clone(), frame(1, 4, 1, get)[..8].to_vec()].concat(),
            [begin, frame(1, 0, 1, get)].concat(),
        ];
        let mut caught_up = 0;
        for input in cases {
            let machines = [(); 2].map(|()| Connection::new(Role::Server, Instant::START));
            let [mut one, mut other] = machines;
            let (mut of_one, mut of_other) = (Vec::new(), Vec::new());
            feed(&mut one, input.clone(), &mut of_one);
            feed(&mut other, input, &mut of_other);
            for machine in [&mut one, &mut other] {
                for stream in [1, 3] {
                    machine.remove(stream, true, Instant::START);
                }
            }
            if one.catch_up(&mut of_one) {
                caught_up += 1;
                assert!(feed(&mut other, Vec::new(), &mut of_other));
            }
            assert_eq!(of_one, of_other);
            assert_eq!(
                (one.receive, one.updates_due),
                (other.receive, other.updates_due)
            );
            // It goes on as if nothing had been.
            let ping = frame(6, 0, 0, &[7; 8]);
            if matches!(one.reading, Reading::Head) && one.frame_since.is_none() {
                feed(&mut one, ping.clone(), &mut of_one);
                feed(&mut other, ping, &mut of_other);
                assert_eq!(of_one, of_other);
            }
        }
        assert_eq!(caught_up, 3);
        let mut failed = Connection::new(Role::Server, Instant::START);
        failed.phase = Phase::Failed(ProtocolError::Preface);
        assert!(!failed.catch_up(&mut Vec::new()));
    }
}
