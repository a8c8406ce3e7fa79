//! Results of a search of the input.

use super::block::Decoded;
use super::head::Judged;
use super::{ErrorCode, Event, StreamError};
use crate::http::{Content, Fields, RequestHead, Scratch, Status};
use crate::wire::Step;

/// An event as places in the input and the scratch, borrowed as an [`Event`] once nothing else
/// can be found.
#[derive(Debug)]
pub(crate) enum LocatedEvent {
    Need(usize),
    Full,
    Done,
    Request(LocatedRequest),
    Response {
        stream: u32,
        list: Decoded,
        status: Status,
        length: Option<u64>,
        end: bool,
    },
    Data {
        stream: u32,
        from: usize,
        to: usize,
    },
    End {
        stream: u32,
    },
    Trailers {
        stream: u32,
        list: Decoded,
        dropped: u16,
    },
    Reset {
        stream: u32,
        code: ErrorCode,
    },
    StreamError {
        stream: u32,
        error: StreamError,
    },
    GoAway {
        last_stream: u32,
        code: ErrorCode,
        from: usize,
        to: usize,
    },
    Settings,
    Ping([u8; 8]),
    Pong([u8; 8]),
}

/// A found request; large, so that it is made where it is wanted.
#[derive(Debug)]
pub(crate) struct LocatedRequest {
    pub(crate) stream: u32,
    pub(super) list: Decoded,
    pub(super) judged: Judged,
    pub(super) end: bool,
    /// Where all of the content lies, if it was received with the head.
    pub(super) whole: Option<(usize, usize)>,
}

impl LocatedRequest {
    /// The request itself; `None` only if it was not judged.
    #[inline(always)]
    pub(crate) fn borrow<'b>(
        &self,
        input: &'b mut [u8],
        scratch: Scratch<'b>,
    ) -> Option<(RequestHead<'b>, Content<'b>)> {
        let head = self.list.borrow(scratch).request(&self.judged)?;
        let content = match self.whole {
            Some((from, to)) => Content::Whole(input.get_mut(from..to).unwrap_or_default()),
            None if self.end => Content::None,
            None => Content::Follows {
                length: self.judged.content_length(),
            },
        };
        Some((head, content))
    }
}

impl LocatedEvent {
    /// The event, once everything else is done.
    #[inline(always)]
    pub(crate) fn borrow<'b>(self, input: &'b mut [u8], scratch: Scratch<'b>) -> Step<Event<'b>> {
        let content = |end: bool, length| match end {
            true => Content::None,
            false => Content::Follows { length },
        };
        Step::Event(match self {
            Self::Need(n) => return Step::Need(n),
            Self::Full => return Step::Full,
            Self::Done => return Step::Done,
            Self::Request(asked) => {
                let stream = asked.stream;
                let Some((head, content)) = asked.borrow(input, scratch) else {
                    return Step::Need(1); // not reached: the same list was judged before
                };
                Event::Request {
                    stream,
                    head,
                    content,
                }
            }
            Self::Response {
                stream,
                list: decoded,
                status,
                length,
                end,
            } => {
                let head = decoded.borrow(scratch).response(status);
                if status.is_informational() {
                    Event::Informational { stream, head }
                } else {
                    let content = content(end, length);
                    Event::Response {
                        stream,
                        head,
                        content,
                    }
                }
            }
            Self::Data { stream, from, to } => Event::Data {
                stream,
                data: input.get_mut(from..to).unwrap_or_default(),
            },
            Self::End { stream } => Event::End {
                stream,
                trailers: Fields::EMPTY,
                dropped: 0,
            },
            Self::Trailers {
                stream,
                list: decoded,
                dropped,
            } => Event::End {
                stream,
                trailers: decoded.borrow(scratch).fields(0),
                dropped,
            },
            Self::Reset { stream, code } => Event::Reset { stream, code },
            Self::StreamError { stream, error } => Event::StreamError { stream, error },
            Self::GoAway {
                last_stream,
                code,
                from,
                to,
            } => Event::GoAway {
                last_stream,
                code,
                debug: input.get(from..to).unwrap_or_default(),
            },
            Self::Settings => Event::Settings,
            Self::Ping(opaque) => Event::Ping(opaque),
            Self::Pong(opaque) => Event::Pong(opaque),
        })
    }
}
