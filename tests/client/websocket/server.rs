//! Servers to connect to.

use core::time::Duration;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use barewire::app::{App, Message, Server, Socket, WebSocket};
use barewire::net::Address;
use barewire::websocket::handshake::accept_key;

/// How long anything may take that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        if message.payload() == b"close me" {
            let code = barewire::websocket::CloseCode::new(4001);
            socket.close(code, "as you wish").unwrap();
            return;
        }
        socket.send(message);
    }
}

/// Our own server, which sends back what it gets.
pub(crate) struct EchoServer(Option<Server>);

impl EchoServer {
    pub(crate) fn start() -> Self {
        let app = App::new().websocket("/echo", |_request| Ok(Echo));
        Self(Some(app.listen("127.0.0.1:0").unwrap().spawn().unwrap()))
    }

    pub(crate) fn url(&self) -> String {
        let [Address::Tcp(address)] = self.0.as_ref().unwrap().local_addresses() else {
            panic!()
        };
        format!("ws://{address}/echo")
    }
}

impl Drop for EchoServer {
    fn drop(&mut self) {
        if let Some(server) = self.0.take() {
            server.handle().shutdown(Duration::from_millis(100));
            server.join().unwrap();
        }
    }
}

/// A server that does with each connection, one after another, what it is told to.
pub(crate) struct Script {
    pub(crate) address: SocketAddr,
    pub(crate) thread: Option<JoinHandle<()>>,
}

impl Script {
    pub(crate) fn start(
        connections: usize,
        mut serve: impl FnMut(usize, TcpStream) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            for nth in 0..connections {
                let (stream, _) = listener.accept().unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                serve(nth, stream);
            }
        });
        Self {
            address,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/", self.address)
    }

    /// Waits until it has served all.
    pub(crate) fn join(mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Reads the head of a request.
pub(crate) fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).unwrap() == 0 {
            break;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// What answers a handshake as it should be.
pub(crate) fn answer(head: &str) -> String {
    let key = head
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .unwrap();
    let accept = String::from_utf8(accept_key(key.as_bytes()).to_vec()).unwrap();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

/// Does the handshake.
pub(crate) fn shake_hands(stream: &mut TcpStream) {
    let head = read_head(stream);
    stream.write_all(answer(&head).as_bytes()).unwrap();
}

/// A frame of a client, unmasked: its first byte and its payload; `None` at the end.
pub(crate) fn read_frame(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    assert_ne!(head[1] & 0x80, 0, "a client masks");
    let length = match head[1] & 0x7f {
        126 => {
            let mut length = [0; 2];
            stream.read_exact(&mut length).ok()?;
            u64::from(u16::from_be_bytes(length))
        }
        127 => {
            let mut length = [0; 8];
            stream.read_exact(&mut length).ok()?;
            u64::from_be_bytes(length)
        }
        length => u64::from(length),
    };
    let mut mask = [0; 4];
    stream.read_exact(&mut mask).ok()?;
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload).ok()?;
    for (at, byte) in payload.iter_mut().enumerate() {
        *byte ^= mask[at % 4];
    }
    Some((head[0], payload))
}

/// Writes a frame of a server, of less than 64 KiB.
pub(crate) fn write_frame(stream: &mut TcpStream, first: u8, payload: &[u8]) {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(length as u8),
        length => {
            frame.push(126);
            frame.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    stream.write_all(&frame).unwrap();
}
