//! What has come for a call, until its own thread takes it.

use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

use crate::http::{Content, FieldBuffer, Fields, ResponseHead, Status, Version};
use crate::link::{EndReason, Event};

/// Memory for content that is kept for the next call on the same seat.
const KEPT: usize = 64 << 10;
/// Fields that are kept so.
const SPARE: usize = 2;

/// What has come for a call, in order. How much content there can be in it is bounded by
/// the stream's window, which is opened again for what was taken; how many interim
/// responses, by the limit of the call.
#[derive(Debug, Default)]
pub(super) struct News {
    items: Vec<Item>,
    content: Vec<u8>,
    spare: Vec<FieldBuffer>,
    informed: u32,
}

/// What has come, with content by its place in the buffer.
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

    /// Keeps an event. Of interim responses one more than `informational` is kept: the
    /// call fails by it.
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

    /// Tells all of it again, and forgets it.
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

    /// Forgets all of it, for another call.
    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.content.clear();
        self.content.shrink_to(KEPT);
        self.informed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Field;
    use alloc::string::String;

    fn told(news: &mut News) -> Vec<String> {
        let mut told = Vec::new();
        news.tell(|event| told.push(alloc::format!("{event:?}")));
        told
    }

    #[test]
    fn it_tells_what_it_was_told_in_order_and_once() {
        let fields = [Field::new("a", "b")];
        let head = ResponseHead::new(Status::OK, Fields::new(&fields));
        let mut news = News::default();
        news.keep(Event::Informational(head), 1);
        news.keep(
            Event::Response {
                head,
                content: Content::Follows { length: Some(4) },
            },
            1,
        );
        news.keep(Event::Body(&mut b"ab".to_vec()), 1);
        news.keep(Event::Body(&mut b"cd".to_vec()), 1);
        news.keep(Event::Writable, 1);
        news.keep(Event::Body(&mut b"e".to_vec()), 1);
        let trailers = Fields::new(&fields);
        news.keep(
            Event::End {
                trailers,
                dropped: 1,
            },
            1,
        );
        let body = |bytes: &mut [u8]| alloc::format!("{:?}", Event::Body(bytes));
        let content = Content::Follows { length: Some(4) };
        assert_eq!(
            told(&mut news),
            [
                alloc::format!("{:?}", Event::Informational(head)),
                alloc::format!("{:?}", Event::Response { head, content }),
                body(&mut b"abcd".to_vec()),
                "Writable".into(),
                body(&mut b"e".to_vec()),
                alloc::format!(
                    "{:?}",
                    Event::End {
                        trailers,
                        dropped: 1
                    }
                ),
            ]
        );
        assert!(news.is_empty() && told(&mut news).is_empty());
    }

    #[test]
    fn interim_responses_are_kept_up_to_one_more_than_the_limit() {
        let head = ResponseHead::new(Status::EARLY_HINTS, Fields::EMPTY);
        let mut news = News::default();
        for _ in 0..10 {
            news.keep(Event::Informational(head), 3);
        }
        assert_eq!(told(&mut news).len(), 4);
        news.keep(Event::Informational(head), 3);
        assert!(news.is_empty());
    }
}
