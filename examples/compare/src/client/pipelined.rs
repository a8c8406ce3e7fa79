//! Pipelined HTTP/1.1: sixteen requests in one write on a bare socket, and their responses read
//! together, as no client of a library would do it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use barewire::net::Loop;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{Client, Job};
use crate::Result;
use crate::board::Board;
use crate::cells::WINDOW;
use crate::payload::Payload;
use crate::process::{Target, Tls};

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

pub(super) struct Pipelined {
    streams: Vec<Box<dyn Stream>>,
    requests: Vec<u8>,
    /// Bytes of one response, once that is known.
    length: Option<usize>,
    input: Vec<u8>,
    board: Board,
}

impl Pipelined {
    pub(super) fn open(job: Job<'_>) -> Result<Self> {
        let connect = || connect(job.target);
        Ok(Self {
            streams: std::iter::repeat_with(connect)
                .take(job.slots)
                .collect::<Result<_>>()?,
            requests: request(job.target, job.cell.payload).repeat(WINDOW),
            length: None,
            input: Vec::new(),
            board: job.board.clone(),
        })
    }
}

/// The request with the same fields that the client of the library sends.
fn request(target: &Target, payload: Payload) -> Vec<u8> {
    let fields = format!(
        "Host: {}\r\nUser-Agent: barewire/0.1.0\r\nAccept: */*\r\n\
         Accept-Encoding: gzip, deflate\r\n",
        target.address
    );
    let text = payload.text();
    match payload {
        Payload::Users => format!("GET /users HTTP/1.1\r\n{fields}\r\n"),
        _ => format!(
            "POST /echo HTTP/1.1\r\n{fields}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{text}",
            text.len()
        ),
    }
    .into_bytes()
}

fn connect(target: &Target) -> Result<Box<dyn Stream>> {
    let socket = TcpStream::connect(target.address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let Some(Tls { certificate, .. }) = &target.tls else {
        return Ok(Box::new(socket));
    };
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(certificate.clone()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1")?;
    let session = ClientConnection::new(Arc::new(config), name)?;
    Ok(Box::new(StreamOwned::new(session, socket)))
}

impl Client for Pipelined {
    fn start(&mut self, slot: usize, _events: &mut Loop) -> Result<()> {
        let stream = &mut self.streams[slot];
        stream.write_all(&self.requests)?;
        stream.flush()?;
        self.input.clear();
        let mut bytes = [0; 32 << 10];
        loop {
            let read = stream.read(&mut bytes)?;
            if read == 0 {
                return Err("the server has closed the connection".into());
            }
            self.input.extend_from_slice(&bytes[..read]);
            if self.length.is_none() {
                self.length = length(&self.input)?;
            }
            match self.length {
                Some(length) if self.input.len() == WINDOW * length => break,
                _ => {}
            }
        }
        self.board.done(slot);
        Ok(())
    }
}

/// The length of the response at the front, once its head is there. All of them have the same.
fn length(input: &[u8]) -> Result<Option<usize>> {
    let Some(end) = input.windows(4).position(|it| it == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&input[..end])?.to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") {
        return Err(head.into());
    }
    let field = head
        .lines()
        .find_map(|it| it.strip_prefix("content-length:"));
    let length: usize = field.ok_or("no Content-Length")?.trim().parse()?;
    Ok(Some(end + 4 + length))
}
