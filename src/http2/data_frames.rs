//! DATA frames that lie in the input one after the other, taken in one go.

use super::flow::Flow;
use super::frame;
use super::frame::{HEAD, Head, Kind};
use super::settings::Own;
use super::state::{By, Frame, State};
use super::stream::{Stream, UNKNOWN};
use crate::wire::shortcut;

/// Content that lies in the input up to its end, as DATA frames.
struct Frames {
    content: u32,
    octets: usize,
}

/// Takes the content of a request whose head has just come, if all of it stands at the front of
/// `rest` and needs no judging; returns the octets of content and of frames. Slides the content
/// together.
#[inline]
pub(super) fn take_whole(
    rest: &mut [u8],
    stream: &mut Stream,
    flow: &mut Flow,
    own: &Own,
) -> Option<(usize, usize)> {
    if !shortcut!("http2_content") {
        return None;
    }
    // Content that turns out empty is told by its end, however it was cut.
    let Frames { content, octets } =
        frames(stream.id, own.frame, rest).filter(|frames| frames.content > 0)?;
    let is_announced = [UNKNOWN, u64::from(content)].contains(&stream.remaining);
    let ended = stream.state.after(By::Peer, Frame::Data { end: true });
    let Ok(ended @ State::HalfClosedRemote) = ended else {
        return None;
    };
    // More would be given back to the stream's window before it ends.
    let is_small = content < own.window / 2;
    if !is_announced || !is_small || stream.receive.take(content).is_none() {
        return None;
    }
    if flow.take(content).is_none() {
        stream.receive.put_back(content);
        return None;
    }
    // The caller has used it when it comes again.
    stream.receive.free(content);
    flow.free(content);
    (stream.state, stream.remaining) = (ended, 0);
    if octets > HEAD + content as usize {
        join(rest.get_mut(..octets)?);
    }
    Some((content as usize, octets))
}

/// Joins the small frames of one stream that lie after the `len` octets of its
/// content at the front of `rest`. Returns where the content ends then, and where
/// the frames.
pub(super) fn join_next(
    rest: &mut [u8],
    len: usize,
    stream: &mut Stream,
    flow: &mut Flow,
    most: u32,
) -> (usize, usize) {
    let (mut to, mut from) = (len, len);
    loop {
        let next = rest.get(from..).unwrap_or_default();
        let Some(head) = Head::decode(next) else {
            break;
        };
        let len = head.length as usize;
        let plain = head.kind == Kind::Data
            && head.stream == stream.id
            && !head.has(frame::PADDED | frame::END_STREAM)
            && (1..=most).contains(&head.length)
            && stream.remaining >= u64::from(head.length)
            && next.len() >= HEAD + len;
        if !plain || flow.take(head.length).is_none() {
            break;
        }
        if stream.receive.take(head.length).is_none() {
            // It is judged on its own, as if it had not been received yet.
            flow.put_back(head.length);
            break;
        }
        stream.count_content(head.length.into());
        rest.copy_within(from + HEAD..from + HEAD + len, to);
        to += len;
        from += HEAD + len;
    }
    (to, from)
}

/// The DATA frames of a stream at the front of `rest`, if they are all there:
/// without padding, and none empty but the last.
fn frames(id: u32, most: u32, rest: &[u8]) -> Option<Frames> {
    let (mut content, mut at) = (0_u32, 0);
    loop {
        let frame = rest.get(at..)?;
        let head = Head::decode(frame)?;
        let end = head.has(frame::END_STREAM);
        let is_plain = head.kind == Kind::Data
            && head.stream == id
            && !head.has(frame::PADDED)
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

/// Slides the content of these frames together after the head of the first.
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
