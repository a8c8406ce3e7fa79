//! The server's process, as the client's has it.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use barewire::tls;

use crate::payload::Payload;
use crate::{Result, machine};

/// A server, which ends with this.
pub struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Where it is reached.
    pub place: Place,
}

/// Where a server is reached.
#[derive(Clone)]
pub struct Place {
    pub plain: SocketAddr,
    pub secured: SocketAddr,
    /// The DER of its certificate.
    pub certificate: Vec<u8>,
}

/// What a server has used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Nanoseconds of processor time.
    pub processor: u64,
    /// Bytes of memory.
    pub memory: u64,
}

impl Server {
    /// Starts this program once more, as a server on this address.
    ///
    /// # Errors
    /// Whatever keeps it from listening.
    pub fn start(program: &std::path::Path, address: &str) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["serve", address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let mut output = BufReader::new(output.ok_or("no pipe")?);
        let input = input.ok_or("no pipe")?;
        let line = read_line(&mut output);
        let place = line.and_then(|line| Place::parse(&line));
        match place {
            Ok(place) => Ok(Self {
                child,
                input,
                output,
                place,
            }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    fn ask(&mut self, line: &str) -> Result<String> {
        writeln!(self.input, "{line}")?;
        read_line(&mut self.output)
    }

    /// What it has used so far.
    ///
    /// # Errors
    /// If it has ended.
    pub fn usage(&mut self) -> Result<Usage> {
        let line = self.ask("stat")?;
        let (processor, memory) = line.split_once(' ').ok_or("no usage")?;
        Ok(Usage {
            processor: processor.parse()?,
            memory: memory.parse()?,
        })
    }

    /// How many connections hear what is published.
    ///
    /// # Errors
    /// If it has ended.
    pub fn members(&mut self) -> Result<usize> {
        Ok(self.ask("members")?.parse()?)
    }

    /// Publishes a payload to them.
    ///
    /// # Errors
    /// If it has ended.
    pub fn publish(&mut self, payload: Payload) -> Result<()> {
        self.ask(&format!("publish {}", payload.name())).map(drop)
    }
}

fn read_line(output: &mut BufReader<ChildStdout>) -> Result<String> {
    let mut line = String::new();
    if output.read_line(&mut line)? == 0 {
        return Err("the server has ended".into());
    }
    Ok(line.trim_end().to_owned())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Place {
    fn parse(line: &str) -> Result<Self> {
        let mut words = line.split(' ');
        let mut next = || words.next().ok_or("the server says no address");
        Ok(Self {
            plain: next()?.parse()?,
            secured: next()?.parse()?,
            certificate: machine::from_hex(next()?).ok_or("no certificate")?,
        })
    }

    /// The target of a cell: the port without or with TLS.
    ///
    /// # Errors
    /// Those of the certificate.
    pub fn target(&self, secure: bool) -> Result<Target> {
        if !secure {
            return Ok(Target {
                address: self.plain,
                tls: None,
            });
        }
        let roots = tls::Roots::from_der([self.certificate.clone()])?;
        // Every handshake is a full one: what a new visitor pays.
        let options = tls::ClientOptions::new().root_certs(roots).sessions(0);
        Ok(Target {
            address: self.secured,
            tls: Some(Tls {
                client: tls::Client::new(options)?,
                certificate: self.certificate.clone(),
            }),
        })
    }
}

/// What a client connects to.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub tls: Option<Tls>,
}

/// How TLS is spoken to it.
#[derive(Clone)]
pub struct Tls {
    pub client: tls::Client,
    pub certificate: Vec<u8>,
}

impl Target {
    /// A URL on it: `ws` is `wss` where there is TLS.
    pub fn url(&self, scheme: &str, path: &str) -> String {
        let secure = if self.tls.is_some() { "s" } else { "" };
        format!("{scheme}{secure}://{}{path}", self.address)
    }

    /// The same by way of a relay.
    #[must_use]
    pub fn by(&self, address: SocketAddr) -> Self {
        Self {
            address,
            tls: self.tls.clone(),
        }
    }
}
