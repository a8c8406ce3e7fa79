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
    /// Has its places counted from `by` octets earlier.
    pub(super) const fn shift(&mut self, by: usize) {
        match self {
            Self::Data { from, to, .. }
            | Self::GoAway { from, to, .. }
            | Self::Request {
                whole: Some((from, to)),
                ..
            } => {
                *from += by;
                *to += by;
            }
            _ => {}
        }
    }

    /// The event, once everything else is done; that of a request is made
    /// elsewhere.
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
            // It has been turned into its event already.
            Self::Request { .. } => return Step::Need(1),
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
