//! A relay on this machine that counts the bytes that pass, in both directions.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// A place to connect to in place of a server. What is connected goes on when it is
/// dropped, until one side ends it.
pub(crate) struct Tap {
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    up: AtomicU64,
    down: AtomicU64,
    closed: AtomicBool, // no further connection is taken
}

impl Tap {
    /// Listens, and passes on to `server`.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn open(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let shared = counts.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if shared.closed.load(Ordering::Relaxed) {
                    return;
                }
                // A client that finds its connection closed says so.
                let _ = client.and_then(|client| relay(client, server, &shared));
            }
        });
        Ok(Self { address, counts })
    }

    /// Where to connect.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The bytes so far: from clients, and to them.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let Counts { up, down, .. } = &*self.counts;
        (up.load(Ordering::Relaxed), down.load(Ordering::Relaxed))
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.counts.closed.store(true, Ordering::Relaxed);
        // What waits for a connection sees one, and then that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

fn relay(client: TcpStream, server: SocketAddr, counts: &Arc<Counts>) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let up = (client.try_clone()?, server.try_clone()?);
    let counted = counts.clone();
    thread::spawn(move || copy(up.0, up.1, &counted.up));
    let counted = counts.clone();
    thread::spawn(move || copy(server, client, &counted.down));
    Ok(())
}

/// Counts before it passes on, so that who has an answer finds all of it counted.
fn copy(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        count.fetch_add(read as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
