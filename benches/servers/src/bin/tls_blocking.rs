//! As `tls_floor` answers, on blocking sockets, with a thread for each connection:
//! rustls and the kernel, and no loop.

use std::net::TcpListener;
use std::sync::Arc;
use std::{io, thread};

use servers_common::secured::Constants;
use servers_common::{address, raise_descriptors};

fn main() -> io::Result<()> {
    let constants = Arc::new(Constants::read()?);
    raise_descriptors();
    let listener = TcpListener::bind(address())?;
    loop {
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        let constants = constants.clone();
        thread::spawn(move || constants.serve(&mut constants.secure(socket)));
    }
}
