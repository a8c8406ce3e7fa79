//! What a search of the input comes to.

use super::block::Decoded;
use super::head::{Judged, List};
use super::{ErrorCode, Event};
use crate::http::{Content, Fields, Scratch, Status};
use crate::wire::Step;

/// What was found, as places in the input and the scratch: it becomes an
/// [`Event`] once nothing else can be found.
#[derive(Debug)]
pub(super) enum Found {
    Need(usize),
    Full,
    Done,
    Request {
        stream: u32,
        list: Decoded,
        judged: Judged,
        end: bool,
        /// All of the content, where it is here.
        whole: Option<(usize, usize)>,
    },
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
    },
    Reset {
        stream: u32,
        code: ErrorCode,
        by_peer: bool,
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

impl Found {
    /// The same with its places counted from `by` octets earlier.
    pub(super) fn moved(self, by: usize) -> Self {
        match self {
            Self::Data { stream, from, to } => Self::Data {
                stream,
                from: from + by,
                to: to + by,
            },
            Self::Request {
                stream,
                list,
                judged,
                end,
                whole: Some((from, to)),
            } => Self::Request {
                stream,
                list,
                judged,
                end,
                whole: Some((from + by, to + by)),
            },
            Self::GoAway {
                last_stream,
                code,
                from,
                to,
            } => Self::GoAway {
                last_stream,
                code,
                from: from + by,
                to: to + by,
            },
            other => other,
        }
    }

    /// The event, once everything else is done.
    pub(super) fn borrow<'b>(self, input: &'b mut [u8], scratch: Scratch<'b>) -> Step<Event<'b>> {
        let Scratch { fields, text } = scratch;
        let list = |list: Decoded| List {
            text: text.get(..list.text).unwrap_or_default(),
            ranges: fields.get(..list.fields).unwrap_or_default(),
        };
        let content = |end: bool, length| match end {
            true => Content::None,
            false => Content::Follows { length },
        };
        Step::Event(match self {
            Self::Need(n) => return Step::Need(n),
            Self::Full => return Step::Full,
            Self::Done => return Step::Done,
            Self::Request {
                stream,
                list: decoded,
                judged,
                end,
                whole,
            } => match list(decoded).request(&judged) {
                Some(head) => Event::Request {
                    stream,
                    head,
                    content: match whole {
                        Some((from, to)) => {
                            Content::Whole(input.get_mut(from..to).unwrap_or_default())
                        }
                        None => content(end, judged.content_length),
                    },
                },
                None => return Step::Need(1), // never: it was judged
            },
            Self::Response {
                stream,
                list: decoded,
                status,
                length,
                end,
            } => {
                let head = list(decoded).response(status);
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
            },
            Self::Trailers {
                stream,
                list: decoded,
            } => Event::End {
                stream,
                trailers: list(decoded).fields(0),
            },
            Self::Reset {
                stream,
                code,
                by_peer,
            } => Event::Reset {
                stream,
                code,
                by_peer,
            },
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
