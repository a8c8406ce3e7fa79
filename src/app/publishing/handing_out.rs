//! From one publication to the members of a loop.

use alloc::{format, sync::Arc, vec::Vec};
use core::cell::OnceCell;

use bytes::Bytes;

use super::forms::{Formatted, Forms};
use super::groups::{Group, Groups, Member};
use super::inbox::Over;
use super::lagging::{Behind, end};
use super::loop_address::Encoded;
use super::loop_channels::LoopChannels;
use super::message::payload_len;
use super::parts::Parts;
use crate::app::channels::cursor::Cursor;
use crate::app::channels::format::{Delivery, Format};
use crate::app::channels::publication::Publication;
use crate::app::telemetry::activity::Activity;
use crate::app::telemetry::codings::{Codec, Direction};
use crate::app::telemetry::metrics::{Block, Kind};
use crate::coding::Coding;
use crate::coding::lent::{Lent, Made};
use crate::coding::stream::{Ownership, Part, Position};
use crate::coding::work::Purpose;
use crate::net::{Context, Delivered, Exchange, Packed};

impl LoopChannels {
    /// Sends to sessions of this loop, of a group or of none; returns how many took it.
    pub(super) fn hand_out<'m>(
        &self,
        context: &mut Context<'_>,
        local: &Groups,
        (group, members): (Option<&Group>, impl IntoIterator<Item = &'m Member>),
        encoded: &Encoded,
        except: Option<Exchange>,
    ) -> usize {
        let now = context.unix_seconds();
        let (mut taken, mut total) = (0, 0);
        let shared = |it: &Bytes| context.shared(it.clone());
        let frame = encoded.frame.as_ref().map(shared);
        let event = encoded.event.as_ref().map(shared);
        let mut coded = Coded::new(
            encoded.parts.as_deref(),
            &self.floor.lent,
            &self.floor.metrics,
        );
        let mut packed = encoded.packed.as_deref().map(Packed::new);
        let mut seen = Seen::new(encoded);
        let mut behind: Vec<Behind<'_>> = Vec::new();
        for member in members {
            let activity = &member.activity;
            let exchange = activity.exchange();
            if Some(exchange) == except {
                continue;
            }
            let (length, delivered) = match (activity.delivery(), activity.is_stream()) {
                (Delivery::Direct, false) => match &frame {
                    Some(frame) => {
                        let delivered = context.deliver_packed(exchange, frame, packed.as_mut());
                        (payload_len(frame), delivered)
                    }
                    None => REFUSED,
                },
                (Delivery::Object, _) => {
                    self.push(context, local, group, &seen, activity);
                    REFUSED // it counts as sent when the object sends something
                }
                (Delivery::Format(format), false) => seen.formatted(context, exchange, format),
                (Delivery::Direct | Delivery::Format(_), true) => match &event {
                    Some(event) => put_event(context, activity, event, &mut coded),
                    None => seen.event(context, local, activity, &mut coded),
                },
            };
            match delivered {
                Delivered::Refused => continue,
                Delivered::Taken => {}
                Delivered::Behind(waited) => behind.push((member, length, waited)),
            }
            activity.sent(length, now);
            (taken, total) = (taken + 1, total + length);
        }
        self.floor.metrics.sent_messages(taken, total);
        if !behind.is_empty() {
            self.see_to(context, local, group, &behind);
        }
        taken
    }

    /// Puts it into the inbox of a session's object.
    fn push(
        &self,
        context: &Context<'_>,
        local: &Groups,
        group: Option<&Group>,
        seen: &Seen<'_>,
        activity: &Activity,
    ) {
        let channel = group.and_then(Group::channel);
        let (Some((publication, _)), Some(channel)) = (seen.publication, channel) else {
            return;
        };
        let mut inboxes = local.inboxes.borrow_mut();
        if let Some(inbox) = inboxes.get_mut(&activity.id()) {
            let slow = channel.options().slow;
            let is_first = inbox.is_empty();
            let still = || self.stands_still(context, local, activity, 0);
            let pushed = inbox.push(channel.name(), publication, slow, still);
            self.note_pushed(pushed, slow);
            if is_first && !local.lags.borrow().is_empty() {
                local.lags.borrow_mut().remove(&activity.id());
            }
        }
    }

    /// Sends to members some of which have it already, or get something else first.
    #[cold]
    pub(super) fn hand_out_mixed(
        &self,
        context: &mut Context<'_>,
        local: &Groups,
        group: &Group,
        encoded: &Encoded,
        except: Option<Exchange>,
    ) -> usize {
        let key = group.channel().and_then(|it| local.named.get(it.name()));
        let Some(&key) = key else {
            return 0;
        };
        let offset = encoded.position().map_or(0, |it| it.offset);
        let most = self.floor.directory.limits().recovery;
        let (mut now, mut broken) = (Vec::new(), Vec::new());
        for member in group.members() {
            if group.is_ahead(member.seats, offset) {
                continue;
            }
            let is_meant = Some(member.activity.exchange()) != except;
            let mut joining = local.joining.borrow_mut();
            match joining.get_mut(&(member.seats, key)) {
                None => {
                    drop(joining);
                    let at = (group, key);
                    if is_meant && !self.is_left_out(local, at, member, encoded) {
                        now.push(member);
                    }
                }
                Some(waiting) => match &encoded.publication {
                    Some(publication) if is_meant => {
                        if waiting.push(publication) > most.saturating_mul(2) {
                            broken.push(member);
                        }
                    }
                    _ => waiting.skip(encoded.position()),
                },
            }
        }
        for member in broken {
            end(context, local, &member.activity, Over::Lost);
        }
        self.hand_out(context, local, (Some(group), now), encoded, except)
    }
}

/// Of a member that does not take it.
const REFUSED: (usize, Delivered) = (0, Delivered::Refused);

/// A publication as few members read it, and what the last of them got.
struct Seen<'e> {
    publication: Option<(&'e Publication, &'e Arc<Forms>)>,
    events: [Option<Bytes>; 2],
    formatted: Option<(Arc<Formatted>, Option<Bytes>)>,
}

impl<'e> Seen<'e> {
    fn new(encoded: &'e Encoded) -> Self {
        Self {
            publication: encoded.publication.as_ref().zip(encoded.forms.as_ref()),
            events: [None, None],
            formatted: None,
        }
    }

    /// Sends it to a WebSocket as its format has it; the bytes of that message.
    fn formatted(
        &mut self,
        context: &mut Context<'_>,
        exchange: Exchange,
        format: &Arc<dyn Format>,
    ) -> (usize, Delivered) {
        let Some((publication, forms)) = self.publication else {
            return REFUSED;
        };
        let is_it = |it: &&(Arc<Formatted>, _)| it.0.is_of(format);
        if self.formatted.as_ref().filter(is_it).is_none() {
            let formatted = forms.formatted(format, publication);
            let frame = formatted.frame.clone().map(|frame| context.shared(frame));
            self.formatted = Some((formatted, frame));
        }
        let Some((formatted, Some(frame))) = &self.formatted else {
            return REFUSED;
        };
        let mut packed = Packed::new(&formatted.packed);
        let delivered = context.deliver_packed(exchange, frame, Some(&mut packed));
        (payload_len(frame), delivered)
    }

    /// Sends it to an event stream, with an id where the channel keeps history; the bytes
    /// of that event.
    fn event(
        &mut self,
        context: &mut Context<'_>,
        local: &Groups,
        activity: &Activity,
        coded: &mut Coded<'_>,
    ) -> (usize, Delivered) {
        let Some((publication, forms)) = self.publication else {
            return REFUSED;
        };
        let mut id = None;
        if let Some(position) = publication.position() {
            let mut cursors = local.cursors.borrow_mut();
            let Some(cursor) = cursors.get_mut(&activity.id()) else {
                return REFUSED;
            };
            cursor.set(position);
            if cursor.len() > 1 {
                id = Some(id_line(cursor));
            }
        }
        let [bare, named] = &mut self.events;
        let (place, event) = match &id {
            None => (named, forms.named_event(publication)),
            Some(_) => (bare, forms.event(publication)),
        };
        let Some(event) = event else {
            return REFUSED;
        };
        let event = place.get_or_insert_with(|| context.shared(event.clone()));
        if let Some(id) = &id
            && !put_own(context, activity, id.as_bytes(), coded)
        {
            return REFUSED;
        }
        let (length, delivered) = put_event(context, activity, event, coded);
        (length + id.map_or(0, |id| id.len()), delivered)
    }
}

/// The line of an event that says where a stream is.
pub(crate) fn id_line(cursor: &Cursor) -> alloc::string::String {
    format!("id: {cursor}\n")
}

/// Writes an event to a stream; its bytes.
fn put_event(
    context: &mut Context<'_>,
    activity: &Activity,
    event: &Bytes,
    coded: &mut Coded<'_>,
) -> (usize, Delivered) {
    let exchange = activity.exchange();
    let delivered = match activity.position() {
        None => write(context, exchange, event),
        Some(position) => {
            let metrics = coded.metrics;
            let Some(part) = coded.get(context, position, event) else {
                return REFUSED;
            };
            let length = part.1.len();
            let delivered = write_part(context, exchange, position, part);
            if delivered != Delivered::Refused {
                let codec = Codec::from(position.coding());
                let way = (Kind::Events, codec, Direction::Sent);
                metrics.coded(way, event.len(), length);
            }
            delivered
        }
    };
    (event.len(), delivered)
}

/// Writes what is for one stream alone; whether it took it.
fn put_own(context: &mut Context<'_>, activity: &Activity, text: &[u8], coded: &Coded<'_>) -> bool {
    let written = context.with(activity.exchange(), |context| {
        let Some(position) = activity.position() else {
            return context.write(text).is_taken();
        };
        let made = Made {
            coding: position.coding(),
            level: position.level(),
            purpose: Purpose::Events,
        };
        let mut out = Vec::new();
        let done = coded.lent.with(made, |encoder| {
            position.put_own(text, (encoder, Ownership::Lent), &mut out)
        });
        match done {
            Some(()) => {
                let codec = Codec::from(position.coding());
                let way = (Kind::Events, codec, Direction::Sent);
                coded.metrics.coded(way, text.len(), out.len());
                context.write(&out).is_taken()
            }
            None => {
                context.abort(); // the library has no memory
                false
            }
        }
    });
    written.unwrap_or(false)
}

/// The coded forms of an event, as the streams of this loop get it.
struct Coded<'p> {
    /// Shared with other loops, if the publisher knew of coded streams.
    parts: Option<&'p Parts>,
    own: OnceCell<Parts>,
    lent: &'p Lent,
    metrics: &'p Block,
    shared: [Option<Bytes>; Coding::COUNT],
}

impl<'p> Coded<'p> {
    fn new(parts: Option<&'p Parts>, lent: &'p Lent, metrics: &'p Block) -> Self {
        Self {
            parts,
            own: OnceCell::new(),
            lent,
            metrics,
            shared: [const { None }; Coding::COUNT],
        }
    }

    fn get(
        &mut self,
        context: &Context<'_>,
        position: &Position,
        event: &[u8],
    ) -> Option<(&Part, Bytes)> {
        let parts = self
            .parts
            .unwrap_or_else(|| self.own.get_or_init(Parts::default));
        let part = parts.get(event, position, self.lent)?;
        let shared = self.shared.get_mut(position.coding() as usize)?;
        let shared = shared.get_or_insert_with(|| context.shared(part.bytes.clone()));
        Some((part, shared.clone()))
    }
}

fn write_part(
    context: &mut Context<'_>,
    exchange: Exchange,
    position: &Position,
    (part, bytes): (&Part, Bytes),
) -> Delivered {
    let written = context.with(exchange, |context| {
        if !context.is_open() {
            return Delivered::Refused;
        }
        let (front, range) = position.append(part);
        match front.is_empty() || context.write(front).is_taken() {
            true => context.put_published(bytes.slice(range)),
            false => Delivered::Refused,
        }
    });
    written.unwrap_or(Delivered::Refused)
}

fn write(context: &mut Context<'_>, exchange: Exchange, event: &Bytes) -> Delivered {
    let written = context.with(exchange, |context| context.put_published(event.clone()));
    written.unwrap_or(Delivered::Refused)
}
