//! The price of the kernel and of TLS: rustls alone in a loop. It answers what ends in
//! an empty line with a constant, and is no HTTP server.

use std::io::{self, ErrorKind};

use servers_common::floor;
use servers_common::secured::Constants;

fn main() -> io::Result<()> {
    let constants = Constants::read()?;
    floor::serve(
        |socket| constants.secure(socket),
        |stream, _readable| match constants.serve(stream) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            result => result,
        },
        |_| {},
    )
}
