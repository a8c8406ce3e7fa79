//! A restart that refuses no connection: the sockets go from one process to the next.
//!
//! ```text
//!  old process                          path                          new process
//!      ├── listens ─────────────────────► ■ ◄──────────── connects ────────┤
//!      ├── for each socket: '+', descriptor, length, address ─────────────►│
//!      ├── '.' ───────────────────────────────────────────────────────────►│
//!      │                                         serves, and listens at the path itself
//!      │◄─────────────────────────────────────────────────────────── '!' ──┤
//!   drains
//! ```
//!
//! Each address has one socket, and one queue of connections in the kernel, that both processes
//! have open: what waits there when the old one stops, the new one accepts. (With a socket for
//! each, SO_REUSEPORT, what waits at the old one's would be reset.) If the new process fails
//! before it serves, the old one goes on as if nothing had been.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::net::SocketAddr;
use core::time::Duration;
use std::fs;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::{self, Builder};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use socket2::SockRef;

use super::server::{Plan, Server, ServerHandle};
use crate::net::report::report;
use crate::net::{Address, Error, ListenOptions, ListenTarget, Listener};

/// How long a process waits for the other to say what is next.
const PATIENCE: Duration = Duration::from_secs(60);

const SOCKET: u8 = b'+';
const LAST: u8 = b'.';
const SERVING: u8 = b'!';

/// A socket, by the address that it was asked for by.
type Held = (Address, Arc<Listener>);

/// Starts a server on the sockets of the process at `path`, if there is one, and has it drain.
pub(super) fn start(plan: Plan, places: Vec<ListenTarget>, path: &Path) -> Result<Server, Error> {
    let at = |error| Error::Listen {
        address: path.display().to_string(),
        error,
    };
    let former = former(path).map_err(at)?;
    let mut handed = match &former {
        Some(stream) => receive(stream).map_err(at)?,
        None => Vec::new(),
    };
    let (places, held) = hold(places, &mut handed, &plan.options)?;
    drop(handed); // those that are wanted no more
    let (door, temporary) = open(path).map_err(at)?;
    let server = Server::start(plan, places)?;
    let published = fs::rename(&temporary, path)
        .and_then(|()| attend(door, held, server.handle()))
        .and_then(|()| former.map_or(Ok(()), |mut stream| stream.write_all(&[SERVING])));
    if let Err(error) = published {
        server.handle().shutdown(Duration::ZERO);
        return Err(at(error));
    }
    Ok(server)
}

/// A socket for each address of the places, and the places with these.
fn hold(
    places: Vec<ListenTarget>,
    handed: &mut Vec<(Address, Listener)>,
    options: &ListenOptions,
) -> Result<(Vec<ListenTarget>, Vec<Held>), Error> {
    let (mut own, mut held) = (Vec::new(), Vec::new());
    for place in places {
        if place.socket().is_some() {
            own.push(place); // somebody else sees to it
            continue;
        }
        let (before, mut refused) = (own.len(), None);
        for address in place.addresses() {
            let found = handed.iter().position(|(other, _)| other == address);
            let socket = match found {
                Some(at) => Ok(handed.swap_remove(at).1),
                None => Listener::open(address, options),
            };
            match socket {
                Ok(socket) => {
                    let socket = Arc::new(socket);
                    held.push((address.clone(), socket.clone()));
                    own.push(ListenTarget::from(socket).over(place.transport().cloned()));
                }
                Err(error) => {
                    let address = address.to_string();
                    refused = Some(Error::Listen { address, error });
                }
            }
        }
        match refused {
            Some(error) if own.len() == before => return Err(error),
            Some(error) => report!(Warn, "{error}"), // a name has another address
            None => {}
        }
    }
    Ok((own, held))
}

/// The process that listens at the path, if there is one.
fn former(path: &Path) -> io::Result<Option<UnixStream>> {
    match UnixStream::connect(path) {
        Ok(stream) => {
            check(&stream)?;
            Ok(Some(stream))
        }
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Only processes of this user hand over and are handed what it listens on.
fn check(stream: &UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if rustix::net::sockopt::socket_peercred(stream)?.uid != rustix::process::geteuid() {
        let text = "a process of another user is at the other end";
        return Err(io::Error::new(ErrorKind::PermissionDenied, text));
    }
    Ok(())
}

/// Listens beside the path, for this user alone. Where it is renamed to, it takes over.
fn open(path: &Path) -> io::Result<(UnixListener, PathBuf)> {
    let mut temporary = path.to_path_buf().into_os_string();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let door = UnixListener::bind(&temporary)?;
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600))?;
    Ok((door, temporary))
}

/// Hands the sockets to the next process that comes, and drains when that one serves.
fn attend(door: UnixListener, held: Vec<Held>, handle: ServerHandle) -> io::Result<()> {
    let life = handle.life();
    let bell = door.try_clone()?;
    // Its thread accepts no more.
    life.when_leaving(move || drop(SockRef::from(&bell).shutdown(Shutdown::Both)));
    let attend = move || {
        while !life.is_leaving() {
            match door
                .accept()
                .and_then(|(stream, _)| hand_over(&stream, &held))
            {
                Ok(()) => return handle.shutdown(None),
                Err(_) if life.is_leaving() => {}
                Err(error) => {
                    report!(Warn, "the sockets were not handed over: {error}");
                    thread::sleep(Duration::from_millis(100)); // out of descriptors, perhaps
                }
            }
        }
    };
    Builder::new()
        .name("barewire-hand-over".into())
        .spawn(attend)?;
    Ok(())
}

fn hand_over(mut stream: &UnixStream, held: &[Held]) -> io::Result<()> {
    check(stream)?;
    for (address, socket) in held {
        send(stream, socket)?;
        let text = address.to_string();
        let length = u16::try_from(text.len()).map_err(io::Error::other)?;
        stream.write_all(&length.to_be_bytes())?;
        stream.write_all(text.as_bytes())?;
    }
    stream.write_all(&[LAST])?;
    let mut answer = [0];
    stream.read_exact(&mut answer)?; // or it has ended, and has not served
    match answer {
        [SERVING] => Ok(()),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

fn send(stream: &UnixStream, socket: &Listener) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    let descriptors = [socket.as_fd()];
    beside.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(
        stream,
        &[IoSlice::new(&[SOCKET])],
        &mut beside,
        SendFlags::empty(),
    )?;
    Ok(())
}

fn receive(mut stream: &UnixStream) -> io::Result<Vec<(Address, Listener)>> {
    let mut all = Vec::new();
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let mut kind = [0];
        let mut into = [IoSliceMut::new(&mut kind)];
        recvmsg(stream, &mut into, &mut beside, RecvFlags::CMSG_CLOEXEC)?;
        let descriptor = beside.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut all) => all.next(),
            _ => None,
        });
        match (kind, descriptor) {
            ([SOCKET], Some(descriptor)) => all.push(named(&mut stream, descriptor)?),
            ([LAST], None) => return Ok(all),
            _ => return Err(ErrorKind::InvalidData.into()),
        }
    }
}

fn named(stream: &mut &UnixStream, descriptor: OwnedFd) -> io::Result<(Address, Listener)> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut text = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut text)?;
    let text = String::from_utf8(text).map_err(io::Error::other)?;
    Ok(match text.strip_prefix("unix:") {
        Some(path) => {
            let socket = UnixListener::from(descriptor);
            (Address::Unix(path.into()), socket.into())
        }
        None => {
            let address: SocketAddr = text.parse().map_err(io::Error::other)?;
            let socket = std::net::TcpListener::from(descriptor);
            (address.into(), socket.into())
        }
    })
}
