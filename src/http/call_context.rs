//! The surroundings of one call: what its caller lends to a machine.

#[cfg(feature = "alloc")]
use alloc::{boxed::Box, vec, vec::Vec};

#[cfg(feature = "alloc")]
use super::KnownRequests;
use super::{FieldRange, date::Date};
use crate::wire::Instant;
use crate::wire::builder;
#[cfg(feature = "alloc")]
use crate::wire::codec::Inflater;

/// Everything a machine may use during one call and must not keep.
#[derive(Debug)]
pub struct CallContext<'b, L> {
    /// The time now, on the caller's monotonic clock.
    pub now: Instant,
    /// The wall clock, for the Date field; `None` on a device without one
    /// (RFC 9110 §6.6.1).
    pub date: Option<&'b Date>,
    /// Four unpredictable bytes: the mask of the one frame that a WebSocket
    /// client may have to answer with (RFC 6455 §5.3). Servers need none and
    /// pass zeros.
    pub mask_key: [u8; 4],
    /// The limits that the peer is subject to.
    pub limits: &'b L,
    /// Room for what cannot be a slice of the input.
    pub scratch: Scratch<'b>,
}

impl<L> CallContext<'_, L> {
    /// Lends it all again, for a shorter call.
    #[inline]
    pub fn reborrow(&mut self) -> CallContext<'_, L> {
        CallContext {
            now: self.now,
            date: self.date,
            mask_key: self.mask_key,
            limits: self.limits,
            scratch: self.scratch.reborrow(),
        }
    }
}

/// Room for the results of one call. Nothing in it survives the next call.
///
/// It is made by [`new`](Self::new) with every set of features, so that a crate
/// that turns one on breaks no other.
#[derive(Debug)]
pub struct Scratch<'b> {
    /// Where the ranges of a head's fields go: also an upper limit of how many
    /// fields a head may have.
    pub fields: &'b mut [FieldRange],
    /// Where decoded text goes (HPACK).
    text: Text<'b>,
    #[cfg(feature = "alloc")]
    known: Option<&'b mut KnownRequests>,
    /// The state to inflate compressed messages with.
    #[cfg(feature = "alloc")]
    inflater: Option<&'b mut Inflater>,
}

#[cfg(feature = "alloc")]
type Text<'b> = Option<&'b mut Vec<u8>>;
#[cfg(not(feature = "alloc"))]
type Text<'b> = core::marker::PhantomData<&'b mut ()>;

impl<'b> Scratch<'b> {
    /// Room for the ranges of a head's fields. HTTP/1.1 and WebSocket need no
    /// more; HTTP/2 also needs `with_text`, and ends the connection at the first
    /// head without it.
    #[inline]
    pub const fn new(fields: &'b mut [FieldRange]) -> Self {
        #[cfg(feature = "alloc")]
        let text = None;
        #[cfg(not(feature = "alloc"))]
        let text = core::marker::PhantomData;
        Self {
            fields,
            text,
            #[cfg(feature = "alloc")]
            known: None,
            #[cfg(feature = "alloc")]
            inflater: None,
        }
    }

    builder! {
        /// Adds room for decoded text. It grows as the limits allow.
        #[cfg(feature = "alloc")]
        #[inline]
        const fn with_text(text: &'b mut Vec<u8>) => text = Some(text);

        /// Adds what compressed messages are inflated with (RFC 7692). A WebSocket that has
        /// agreed to compression needs it.
        #[cfg(feature = "alloc")]
        #[inline]
        const fn with_inflater(inflater: &'b mut Inflater) => inflater = Some(inflater);
    }

    /// A scratch with the same memory, for a shorter call.
    #[inline]
    pub fn reborrow(&mut self) -> Scratch<'_> {
        Scratch {
            fields: self.fields,
            #[cfg(feature = "alloc")]
            text: self.text.as_deref_mut(),
            #[cfg(not(feature = "alloc"))]
            text: self.text,
            #[cfg(feature = "alloc")]
            known: self.known.as_deref_mut(),
            #[cfg(feature = "alloc")]
            inflater: self.inflater.as_deref_mut(),
        }
    }
}

#[cfg(feature = "alloc")]
impl<'b> Scratch<'b> {
    #[inline]
    pub(crate) const fn known(&mut self) -> Option<&mut KnownRequests> {
        match &mut self.known {
            Some(known) => Some(known),
            None => None,
        }
    }

    /// Takes these for as long as the memory is lent.
    #[inline]
    pub(crate) const fn take_known(&mut self) -> Option<&'b mut KnownRequests> {
        self.known.take()
    }

    /// The state to inflate compressed messages with, if it was lent.
    #[inline]
    pub(crate) const fn inflater(&mut self) -> Option<&mut Inflater> {
        match &mut self.inflater {
            Some(inflater) => Some(inflater),
            None => None,
        }
    }

    /// The inflated bytes, for as long as the memory is lent.
    #[inline]
    pub(crate) fn into_plain(self) -> &'b mut [u8] {
        self.inflater.map_or(&mut [], |inflater| inflater.plain())
    }

    #[inline]
    pub(crate) fn text(&self) -> &[u8] {
        self.text.as_deref().map_or(&[], Vec::as_slice)
    }

    #[inline]
    pub(crate) fn parts(&mut self) -> (&mut [FieldRange], Option<&mut Vec<u8>>) {
        (self.fields, self.text.as_deref_mut())
    }

    /// The ranges and what has been decoded, for as long as the memory is lent.
    #[inline]
    pub(crate) fn into_parts(self) -> (&'b [FieldRange], &'b [u8]) {
        (self.fields, self.text.map_or(&[], |text| text.as_slice()))
    }
}

/// A scratch with memory of its own, one for each loop or thread. It keeps a few heads
/// of requests as long as it lives, without those that hold cookies or credentials, so
/// that one that comes again need not be read again.
///
/// ```
/// use barewire::http::OwnedScratch;
///
/// let mut scratch = OwnedScratch::new(100);
/// assert_eq!(scratch.lend().fields.len(), 100);
/// ```
#[cfg(feature = "alloc")]
#[derive(Debug)]
pub struct OwnedScratch {
    fields: Box<[FieldRange]>,
    text: Vec<u8>,
    known: KnownRequests,
    inflater: Option<Inflater>,
}

#[cfg(feature = "alloc")]
impl OwnedScratch {
    /// A scratch for heads of at most `fields` fields (16 bytes each).
    pub fn new(fields: usize) -> Self {
        Self {
            fields: vec![FieldRange::EMPTY; fields].into_boxed_slice(),
            text: Vec::new(),
            known: KnownRequests::default(),
            #[cfg(feature = "deflate")]
            inflater: Some(Inflater::new()),
            #[cfg(not(feature = "deflate"))]
            inflater: None,
        }
    }

    /// Has compressed messages inflated by this. With the feature `deflate` there is one
    /// from the beginning, which takes memory when it is used first.
    #[must_use]
    pub fn with_inflater(mut self, inflater: Inflater) -> Self {
        self.inflater = Some(inflater);
        self
    }

    /// The state to inflate compressed messages with.
    pub fn inflater(&mut self) -> Option<&mut Inflater> {
        self.inflater.as_mut()
    }

    #[cfg(feature = "client")]
    pub(crate) fn fields(&self) -> usize {
        self.fields.len()
    }

    /// Lends the memory for one call.
    #[inline]
    pub fn lend(&mut self) -> Scratch<'_> {
        let mut lent = Scratch::new(&mut self.fields).with_text(&mut self.text);
        lent.known = Some(&mut self.known);
        lent.inflater = self.inflater.as_mut();
        lent
    }
}
