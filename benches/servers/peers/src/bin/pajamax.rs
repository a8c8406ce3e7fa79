//! pajamax, a thread for each connection, with messages that are their bytes.
//! What its generator would write is written out.

use std::io;

use bytes::{Buf, BufMut};
use pajamax::error::Error;
use pajamax::{Config, PajamaxService, local_build_response};
use prost::encoding::{DecodeContext, WireType};
use prost::{DecodeError, Message};
use servers_common::{address, raise_descriptors};

/// A message as it stands on the wire.
#[derive(Debug, Default)]
struct Raw(Vec<u8>);

impl Message for Raw {
    fn encode_raw(&self, to: &mut impl BufMut) {
        to.put_slice(&self.0);
    }

    fn merge_field(
        &mut self,
        _: u32,
        _: WireType,
        _: &mut impl Buf,
        _: DecodeContext,
    ) -> Result<(), DecodeError> {
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

struct Echo;

impl PajamaxService for Echo {
    fn route(&self, path: &[u8]) -> Option<usize> {
        (path == b"/bench.Echo/Unary").then_some(0)
    }

    fn handle(&self, _: usize, message: &[u8], stream: u32) -> Result<(), Error> {
        local_build_response(stream, Ok(Raw(message.to_vec())))
    }

    fn is_dispatch_mode(&self) -> bool {
        false
    }
}

fn main() -> io::Result<()> {
    raise_descriptors();
    Config::new()
        .max_concurrent_connections(50_000)
        .add_service(Echo)
        .serve(address())
}
