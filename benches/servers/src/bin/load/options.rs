//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

const USAGE: &str = "\
usage: load MODE [OPTION VALUE]...
  http, websocket, http2, grpc      requests and their replies
  broadcast                         messages that all members get
  connects                          as http, each request on a connection of its own
  idle-http, idle-websocket, idle-http2, idle-grpc
                                    connections that have each been used once
  --port N          the server, on 127.0.0.1 (8080)
  --path PATH       what is asked for (/hello, /websocket, /bench.Echo/Unary)
  --connections N   open connections; of a broadcast: who listens (64)
  --pipeline N      requests or messages in flight on each; of a broadcast: in all (1)
  --body BYTES      http: POST a body of that size and expect it back
  --expect BYTES    http: the size of the reply's body, of the common text (13)
  --payload BYTES   the size of a message (16)
  --messages N      grpc: how often the message comes back, each an operation (1)
  --tls FILE        over TLS; the server's certificate, PEM
  --deflate OFFER   websocket: compressed JSON, 1,024 messages in turn; the parameters that are
                    offered, such as `;client_no_context_takeover`, or `-` for none
  --text            send text messages, not binary ones
  --seconds S       measured time (2)
  --warmup S        time before that (0.3)
  --operations N    instead of a time: so many replies in all, and no warm-up
  --pid N           the server's process: tell its CPU time and its memory";

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Http,
    WebSocket,
    Broadcast,
    Connects,
    Http2,
    Grpc,
    IdleHttp,
    IdleWebSocket,
    IdleHttp2,
    IdleGrpc,
}

impl Mode {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "http" => Self::Http,
            "websocket" => Self::WebSocket,
            "broadcast" => Self::Broadcast,
            "connects" => Self::Connects,
            "http2" => Self::Http2,
            "grpc" => Self::Grpc,
            "idle-http" => Self::IdleHttp,
            "idle-websocket" => Self::IdleWebSocket,
            "idle-http2" => Self::IdleHttp2,
            "idle-grpc" => Self::IdleGrpc,
            _ => return None,
        })
    }

    /// Whether connections are opened and left alone.
    pub const fn is_idle(self) -> bool {
        matches!(
            self,
            Self::IdleHttp | Self::IdleWebSocket | Self::IdleHttp2 | Self::IdleGrpc
        )
    }

    /// Its name for ALPN.
    pub const fn protocol(self) -> &'static str {
        match self {
            Self::Http2 | Self::IdleHttp2 | Self::Grpc | Self::IdleGrpc => "h2",
            _ => "http/1.1",
        }
    }

    /// What is asked for unless the command line says so.
    const fn path(self) -> &'static str {
        match self {
            Self::Http | Self::IdleHttp | Self::Connects | Self::Http2 | Self::IdleHttp2 => {
                "/hello"
            }
            Self::WebSocket | Self::IdleWebSocket | Self::Broadcast => "/websocket",
            Self::Grpc | Self::IdleGrpc => "/bench.Echo/Unary",
        }
    }
}

/// What the command line asks for.
pub struct Options {
    pub mode: Mode,
    pub address: SocketAddr,
    pub path: String,
    pub connections: usize,
    pub pipeline: usize,
    pub body: usize,
    pub expect: usize,
    pub payload: usize,
    pub messages: u64,
    pub text: bool,
    /// Parameters of an offer to compress, each with its `;` in front.
    pub deflate: String,
    pub tls: Option<String>,
    pub measured: Duration,
    pub warmup: Duration,
    pub operations: Option<u64>,
    pub pid: Option<u32>,
}

impl Options {
    /// Reads the arguments, or says how they are to be written.
    pub fn read() -> Result<Self, String> {
        let mut arguments = std::env::args().skip(1);
        let mode = arguments.next().and_then(|name| Mode::named(&name));
        let mode = mode.ok_or(USAGE)?;
        let mut options = Self {
            mode,
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            path: mode.path().into(),
            connections: 64,
            pipeline: 1,
            body: 0,
            expect: 13,
            payload: 16,
            messages: 1,
            text: false,
            deflate: String::new(),
            tls: None,
            measured: Duration::from_secs(2),
            warmup: Duration::from_millis(300),
            operations: None,
            pid: None,
        };
        while let Some(name) = arguments.next() {
            if name == "--text" {
                options.text = true;
                continue;
            }
            let value = arguments
                .next()
                .ok_or_else(|| format!("{name} needs a value\n{USAGE}"))?;
            options.set(&name, &value)?;
        }
        Ok(options)
    }

    /// The authority of requests: over TLS it is the name that the server was asked for.
    pub fn host(&self) -> String {
        match self.tls {
            Some(_) => format!("localhost:{}", self.address.port()),
            None => self.address.to_string(),
        }
    }

    /// The scheme of what is asked for.
    pub const fn scheme(&self) -> &'static str {
        match self.tls {
            Some(_) => "https",
            None => "http",
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let number = || {
            value
                .parse()
                .map_err(|_| format!("{name}: {value:?} is no number"))
        };
        let seconds = || {
            let seconds = value
                .parse()
                .map_err(|_| format!("{name}: {value:?} is no number"))?;
            Duration::try_from_secs_f64(seconds).map_err(|error| format!("{name}: {error}"))
        };
        match name {
            "--port" => {
                let port = value.parse().map_err(|_| format!("{value:?} is no port"))?;
                self.address.set_port(port);
            }
            "--tls" => self.tls = Some(value.into()),
            "--deflate" => self.deflate = value.into(),
            "--path" => self.path = value.into(),
            "--connections" => self.connections = number()?,
            "--pipeline" => self.pipeline = number()?,
            "--body" => self.body = number()?,
            "--expect" => self.expect = number()?,
            "--payload" => self.payload = number()?,
            "--messages" => self.messages = number()? as u64,
            "--seconds" => self.measured = seconds()?,
            "--warmup" => self.warmup = seconds()?,
            "--operations" => self.operations = Some(number()? as u64),
            "--pid" => self.pid = Some(number()? as u32),
            _ => return Err(format!("{name} is not known\n{USAGE}")),
        }
        Ok(())
    }
}
