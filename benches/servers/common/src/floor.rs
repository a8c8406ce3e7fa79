//! The loop of the floor programs: one thread, edge-triggered, nothing but
//! sockets and a slot for each.

use std::io::{self, ErrorKind};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::{address, raise_descriptors};

const LISTENER: Token = Token(usize::MAX);

/// Serves for ever: `accept` makes a connection of a socket, `ready` is called
/// with what happened to it and whether there is something to read, and ends
/// it by an error; `turn` follows each batch of events.
///
/// # Errors
/// Those of the poller and of the listener.
pub fn serve<C>(
    accept: impl Fn(TcpStream) -> C,
    mut ready: impl FnMut(&mut C, bool) -> io::Result<()>,
    mut turn: impl FnMut(&mut [Option<C>]),
) -> io::Result<()> {
    raise_descriptors();
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(address())?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut connections: Vec<Option<C>> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    let mut events = Events::with_capacity(1024);
    loop {
        match poll.poll(&mut events, None) {
            // A tracer that attaches itself interrupts.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut socket, _)) = listener.accept() {
                    socket.set_nodelay(true)?;
                    let at = free.pop().unwrap_or(connections.len());
                    let both = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut socket, Token(at), both)?;
                    if at == connections.len() {
                        connections.push(None);
                    }
                    connections[at] = Some(accept(socket));
                }
                continue;
            }
            let at = event.token().0;
            let Some(connection) = &mut connections[at] else {
                continue;
            };
            if ready(connection, event.is_readable()).is_err() {
                connections[at] = None;
                free.push(at);
            }
        }
        turn(&mut connections);
    }
}
