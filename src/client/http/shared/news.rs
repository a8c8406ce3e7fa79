//! Events for a call, until its own thread takes them.

use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

use crate::http::{Content, FieldBuffer, Fields, ResponseHead, Status, Version};
use crate::link::{EndReason, Event};

/// Memory for content that is kept for the next call on the same seat.
const KEPT: usize = 64 << 10;
const SPARE: usize = 2;

/// Events of a call in order: content within the stream's window, interim responses within the
/// call's limit.
#[derive(Debug, Default)]
pub(super) struct News {
    items: Vec<Item>,
    content: Vec<u8>,
    spare: Vec<FieldBuffer>,
    informed: u32,
}

/// An event that has come, with content by its place in the buffer.
#[derive(Debug)]
enum Item {
    Informational(Status, FieldBuffer),
    Response(Status, Version, FieldBuffer, Given),
    Body(Range<usize>),
    End(FieldBuffer, u16),
    GoingAway { last_stream: u32, code: u32 },
    Writable,
    Ended(EndReason),
}

/// The content that has come with a head.
#[derive(Debug)]
enum Given {
    None,
    Whole(Range<usize>),
    Follows(Option<u64>),
}

impl News {
    pub(super) const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Keeps an event. One interim response beyond `informational` is kept: the call fails by
    /// it.
    pub(super) fn keep(&mut self, event: Event<'_>, informational: u16) {
        let item = match event {
            Event::Informational(_) if self.informed > u32::from(informational) => return,
            Event::Informational(head) => {
                self.informed += 1;
                Item::Informational(head.status, self.fields(head.fields))
            }
            Event::Response { head, content } => {
                let given = match content {
                    Content::None => Given::None,
                    Content::Whole(bytes) => Given::Whole(self.bytes(bytes)),
                    Content::Follows { length } => Given::Follows(length),
                };
                Item::Response(head.status, head.version, self.fields(head.fields), given)
            }
            Event::Body(bytes) => {
                let added = self.bytes(bytes);
                // Pieces that follow each other are one.
                if let Some(Item::Body(before)) = self.items.last_mut() {
                    before.end = added.end;
                    return;
                }
                Item::Body(added)
            }
            Event::End { trailers, dropped } => Item::End(self.fields(trailers), dropped),
            Event::GoingAway {
                last_stream, code, ..
            } => {
                // The last one counts, and a server may say it often.
                self.items
                    .retain(|it| !matches!(it, Item::GoingAway { .. }));
                Item::GoingAway { last_stream, code }
            }
            Event::Writable => {
                self.items.retain(|it| !matches!(it, Item::Writable));
                Item::Writable
            }
            Event::Ended(why) => Item::Ended(why),
            // Nothing else comes of a request of HTTP.
            _ => return,
        };
        self.items.push(item);
    }

    fn fields(&mut self, fields: Fields<'_>) -> FieldBuffer {
        let mut buffer = self.spare.pop().unwrap_or_default();
        // They are far shorter than 4 GiB.
        let _ = buffer.extend_checked(fields);
        buffer
    }

    fn bytes(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.content.len();
        self.content.extend_from_slice(bytes);
        start..self.content.len()
    }

    pub(super) fn tell(&mut self, mut owner: impl FnMut(Event<'_>)) {
        let mut items = mem::take(&mut self.items);
        for item in items.drain(..) {
            let fields = match item {
                Item::Informational(status, fields) => {
                    let head = ResponseHead::new(status, fields.as_fields());
                    owner(Event::Informational(head));
                    fields
                }
                Item::Response(status, version, fields, given) => {
                    let mut head = ResponseHead::new(status, fields.as_fields());
                    head.version = version;
                    let content = match given {
                        Given::None => Content::None,
                        Given::Whole(at) => {
                            Content::Whole(self.content.get_mut(at).unwrap_or_default())
                        }
                        Given::Follows(length) => Content::Follows { length },
                    };
                    owner(Event::Response { head, content });
                    fields
                }
                Item::Body(at) => {
                    owner(Event::Body(self.content.get_mut(at).unwrap_or_default()));
                    continue;
                }
                Item::End(fields, dropped) => {
                    let trailers = fields.as_fields();
                    owner(Event::End { trailers, dropped });
                    fields
                }
                Item::GoingAway { last_stream, code } => {
                    let debug = &[];
                    owner(Event::GoingAway {
                        last_stream,
                        code,
                        debug,
                    });
                    continue;
                }
                Item::Writable => {
                    owner(Event::Writable);
                    continue;
                }
                Item::Ended(why) => {
                    owner(Event::Ended(why));
                    continue;
                }
            };
            if self.spare.len() < SPARE {
                let mut fields = fields;
                fields.clear();
                self.spare.push(fields);
            }
        }
        self.items = items;
        self.content.clear();
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.content.clear();
        self.content.shrink_to(KEPT);
        self.informed = 0;
    }
}

#[cfg(test)]
mod tests;
