//! The seam for name services.

use alloc::vec::Vec;
use core::net::SocketAddr;
use std::io;
use std::net::ToSocketAddrs as _;

/// Finds the addresses of hosts. Every function of this form is one.
///
/// Clients ask the system by default. A program with a name service of its own, or with
/// names that are not in any, gives another:
///
/// ```
/// use barewire::client::Resolver;
/// use std::io;
/// use std::net::SocketAddr;
///
/// fn resolver() -> impl Resolver {
///     |host: &str, port: u16| match host {
///         "backend" => Ok(vec![SocketAddr::from(([10, 0, 0, 7], port))]),
///         _ => Err(io::Error::other("no such service")),
///     }
/// }
/// assert!(resolver().resolve("backend", 80).is_ok());
/// ```
pub trait Resolver: Send + Sync {
    /// The addresses of a host, the preferred one first. It is never asked for what is
    /// an address already.
    ///
    /// It may block: it runs on a thread that all clients of a process share with few
    /// others, and a thread that waits for it stops when its time is over.
    ///
    /// # Errors
    /// Whatever the reason is: the client's error quotes it.
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

impl<F> Resolver for F
where
    F: Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync,
{
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self(host, port)
    }
}

/// Asks the system (`getaddrinfo`).
pub(super) struct System;

impl Resolver for System {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs()?.collect())
    }
}
