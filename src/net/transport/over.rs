//! What stands where a transport was.

use alloc::vec::Vec;
use core::ops::Range;
use std::io::IoSlice;

use super::seam::{Agreed, Transport, TransportError};
use crate::wire::Received;

/// A transport that is over: nothing can be sealed or opened any more.
pub(super) struct Over;

impl Transport for Over {
    fn open(
        &mut self,
        _input: &mut [u8],
        _out: &mut Vec<u8>,
    ) -> Result<Received<Range<usize>>, TransportError> {
        Err(TransportError::new("the transport is over"))
    }

    fn agreed(&self) -> Option<Agreed> {
        None
    }

    fn seal(&mut self, _plain: &[IoSlice<'_>], _out: &mut Vec<u8>) -> Result<(), TransportError> {
        Err(TransportError::new("the transport is over"))
    }

    fn close(&mut self, _out: &mut Vec<u8>) {}

    fn memory(&self) -> usize {
        0
    }
}
