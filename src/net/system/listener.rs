//! Sockets that listen: made here, by the caller, or by somebody who hands them over.

use alloc::string::String;
use core::net::SocketAddr;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
#[cfg(unix)]
use std::os::unix::net::UnixListener;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

#[cfg(unix)]
use super::socket_file::SocketFile;
#[cfg(all(unix, feature = "systemd"))]
use crate::net::Error;
use crate::net::{Address, ListenOptions};

/// A socket that listens already, for [`App::listen_on`](crate::app::App::listen_on): one of
/// std's, or one that systemd has made.
///
/// Several loops may accept from one socket: it has one queue in the kernel, in which
/// connections wait also while no process accepts them, as long as one has it open.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: Listening,
    name: Option<String>,
}

#[derive(Debug)]
pub(super) enum Listening {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self {
            socket: Listening::Tcp(socket),
            name: None,
        }
    }
}

#[cfg(unix)]
impl From<UnixListener> for Listener {
    fn from(socket: UnixListener) -> Self {
        Self {
            socket: Listening::Unix(socket),
            name: None,
        }
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for Listener {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match &self.socket {
            Listening::Tcp(socket) => socket.as_fd(),
            Listening::Unix(socket) => socket.as_fd(),
        }
    }
}

impl Listener {
    /// Binds a socket and listens. The file of a Unix domain socket stays when it is closed.
    pub(crate) fn open(address: &Address, options: &ListenOptions) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => Ok(listen_tcp(*address, options)?.into()),
            #[cfg(unix)]
            Address::Unix(path) => Ok(listen_unix(path, options)?.into()),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's; [`ErrorKind::AddrNotAvailable`] for a Unix domain socket without a path.
    pub fn local_address(&self) -> io::Result<Address> {
        match &self.socket {
            Listening::Tcp(socket) => Ok(Address::Tcp(socket.local_addr()?)),
            #[cfg(unix)]
            Listening::Unix(socket) => {
                let address = socket.local_addr()?;
                let path = address.as_pathname().ok_or(ErrorKind::AddrNotAvailable)?;
                Ok(Address::Unix(path.into()))
            }
        }
    }

    /// The name that systemd gives it (`FileDescriptorName=`); of others there is none.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// A second handle of the same socket.
    ///
    /// # Errors
    /// The system's: it has no descriptor left.
    pub fn try_clone(&self) -> io::Result<Self> {
        let socket = match &self.socket {
            Listening::Tcp(socket) => Listening::Tcp(socket.try_clone()?),
            #[cfg(unix)]
            Listening::Unix(socket) => Listening::Unix(socket.try_clone()?),
        };
        Ok(Self {
            socket,
            name: self.name.clone(),
        })
    }

    /// The sockets that systemd has handed to this process (`LISTEN_FDS`, `LISTEN_PID`,
    /// `LISTEN_FDNAMES`: sd_listen_fds(3)), in the order of the unit's files; none without
    /// it. A second call finds none: to be called once, before there are threads.
    ///
    /// ```no_run
    /// use barewire::app::App;
    /// use barewire::net::Listener;
    ///
    /// # fn main() -> Result<(), barewire::app::Error> {
    /// let mut app = App::new();
    /// for socket in Listener::from_systemd()? {
    ///     app = match socket.name() {
    ///         Some("http") => app.listen_on(socket),
    ///         _ => continue, // closed
    ///     };
    /// }
    /// app.run()
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Variable`] for a socket that is neither of TCP nor a stream of the Unix domain.
    #[cfg(all(unix, feature = "systemd"))]
    pub fn from_systemd() -> Result<alloc::vec::Vec<Self>, Error> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':').filter(|name| !name.is_empty());
        let mut handed = listenfd::ListenFd::from_env();
        let mut all = alloc::vec::Vec::new();
        for at in 0..handed.len() {
            let refused = |error| Error::Variable {
                name: "LISTEN_FDS",
                fault: alloc::format!("descriptor {}: {error}", at + 3),
            };
            let unix = handed.take_unix_listener(at).ok().flatten();
            let socket = match unix {
                Some(socket) => Some(Self::from(socket)),
                None => handed
                    .take_tcp_listener(at)
                    .map_err(refused)?
                    .map(Self::from),
            };
            let name = names.next().map(String::from);
            all.extend(socket.map(|it| Self { name, ..it }));
        }
        Ok(all)
    }

    /// As the loop uses it.
    pub(super) fn prepare(&self, options: &ListenOptions) -> io::Result<()> {
        match &self.socket {
            Listening::Tcp(socket) => {
                socket.set_nonblocking(true)?;
                if options.nodelay && NODELAY_IS_INHERITED {
                    SockRef::from(socket).set_tcp_nodelay(true)?;
                }
                Ok(())
            }
            #[cfg(unix)]
            Listening::Unix(socket) => socket.set_nonblocking(true),
        }
    }
}

/// Where accepted sockets have `TCP_NODELAY` from their listener.
pub(super) const NODELAY_IS_INHERITED: bool = cfg!(any(target_os = "linux", target_os = "android"));

fn listen_tcp(address: SocketAddr, options: &ListenOptions) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(options.only_v6)?;
    }
    // On Windows the option would let others take the address over.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    if options.reuse_port && !options.claim {
        reuse_port(&socket)?;
    }
    socket.bind(&address.into())?;
    if options.reuse_port && options.claim {
        reuse_port(&socket)?; // it holds for those who come after
    }
    socket.listen(options.backlog)?;
    Ok(socket.into())
}

#[cfg(unix)]
fn listen_unix(path: &std::path::Path, options: &ListenOptions) -> io::Result<UnixListener> {
    if options.reuse_port {
        return Err(ErrorKind::Unsupported.into());
    }
    SocketFile::remove_stale(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&socket2::SockAddr::unix(path)?)?;
    socket.listen(options.backlog)?;
    Ok(socket.into())
}

#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
fn reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(all(unix, not(any(target_os = "solaris", target_os = "illumos")))))]
fn reuse_port(_: &Socket) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}
