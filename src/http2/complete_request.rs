//! Requests that are here in whole: content behind its head in the input.

use super::Connection;
use super::frame::{HEAD, Head, Kind, flag};
use super::state::{By, Frame, State};
use super::streams::UNKNOWN;
use crate::wire::SHORTCUTS;

/// Content that lies in the input up to its end, as DATA frames.
struct Frames {
    content: u32,
    octets: usize,
}

impl Connection {
    /// Takes the content of a request whose head has just come, if all of it
    /// stands at the front of `rest` and nothing about it is to be judged:
    /// returns how many octets of content and of frames that is. The content
    /// is slid together behind the first frame's head.
    pub(super) fn take_whole(&mut self, id: u32, rest: &mut [u8]) -> Option<(usize, usize)> {
        if !SHORTCUTS {
            return None;
        }
        // Content that turns out empty is told by its end, however it was cut.
        let Frames { content, octets } =
            frames(id, self.own.frame, rest).filter(|frames| frames.content > 0)?;
        let stream = self.streams.get_mut(id)?;
        let is_announced = [UNKNOWN, u64::from(content)].contains(&stream.remaining);
        let ended = stream.state.after(By::Peer, Frame::Data { end: true });
        let Ok(ended @ State::HalfClosedRemote) = ended else {
            return None;
        };
        // More would be given back to the stream's window before it ends.
        let is_small = content < self.own.window / 2;
        if !is_announced || !is_small || stream.receive.take(content).is_none() {
            return None;
        }
        if self.receive.take(content).is_none() {
            stream.receive.put_back(content);
            return None;
        }
        // The caller has used it when it comes again.
        stream.receive.free(content);
        self.receive.free(content);
        (stream.state, stream.remaining) = (ended, 0);
        self.updates_due = true;
        if octets > HEAD + content as usize {
            join(rest.get_mut(..octets)?);
        }
        Some((content as usize, octets))
    }
}

/// The DATA frames of a stream at the front of `rest`, if they are all there:
/// without padding, and none empty but the last.
fn frames(id: u32, most: u32, rest: &[u8]) -> Option<Frames> {
    let (mut content, mut at) = (0_u32, 0);
    loop {
        let frame = rest.get(at..)?;
        let head = Head::decode(frame)?;
        let end = head.has(flag::END_STREAM);
        let is_plain = head.kind == Kind::Data
            && head.stream == id
            && !head.has(flag::PADDED)
            && (end || head.length > 0)
            && head.length <= most;
        if !is_plain || frame.len() < HEAD + head.length as usize {
            return None;
        }
        content = content.checked_add(head.length)?;
        at += HEAD + head.length as usize;
        if end {
            return Some(Frames {
                content,
                octets: at,
            });
        }
    }
}

/// Slides the content of these frames together behind the head of the first.
fn join(frames: &mut [u8]) {
    let mut to = match Head::decode(frames) {
        Some(head) => HEAD + head.length as usize,
        None => return,
    };
    let mut from = to;
    while let Some(head) = frames.get(from..).and_then(Head::decode) {
        let len = head.length as usize;
        frames.copy_within(from + HEAD..from + HEAD + len, to); // whole frames
        to += len;
        from += HEAD + len;
    }
}
