//! The loops of an app, as what is published reaches them.

use alloc::sync::Arc;

use super::channel::Channel;
use super::loop_address::{Audience, Encoded, Mailing, Place};
use crate::app::channels::backplane::Brought;
use crate::app::channels::publication::Publication;

/// Bits that count a loop's sessions in their numbers; the loop's stand above. All below 2⁵³.
pub(super) const ID_BITS: u32 = 40;

pub(super) fn loop_of(id: u64) -> Option<usize> {
    usize::try_from(id >> ID_BITS).ok()
}

pub(super) fn bring(loops: &[Arc<Place>], channel: &Channel, brought: Brought) {
    let (encoded, lost) = match brought {
        Brought::Publication(publication) => (channel.encoded(publication), None),
        Brought::Lost(position) => (Encoded::default(), Some(position)),
    };
    let publication = encoded.publication.as_ref();
    let excepted = publication.and_then(Publication::excepted);
    for (index, _) in channel.loops() {
        let Some(place) = loops.get(index) else {
            continue;
        };
        let excepted = excepted.filter(|&it| loop_of(it) == Some(index));
        let name = channel.name().clone();
        let to = match lost {
            None => Audience::Channel(name),
            Some(position) => Audience::Behind(name, position),
        };
        let excepted = excepted.and_then(|it| place.sessions.find(it));
        place.post(Mailing::new(to, encoded.clone(), excepted));
    }
}

pub(super) fn post(
    loops: &[Arc<Place>],
    channel: &Channel,
    encoded: &Encoded,
    except: Option<usize>,
) -> usize {
    let mut members = 0;
    for (index, count) in channel.loops() {
        let Some(place) = loops.get(index).filter(|_| Some(index) != except) else {
            continue;
        };
        let to = Audience::Channel(channel.name().clone());
        let mailing = Mailing::new(to, encoded.clone(), None);
        if place.post(mailing) {
            members += count;
        }
    }
    members
}
