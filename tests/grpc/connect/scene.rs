//! A service with all kinds of methods, and a client of HTTP/1.1.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use barewire::app::{App, Call, Conversation, ResponseStream, Service};
use barewire::grpc::{Code, Detail, Limits, Status};

use crate::app_support::{Running, unchunked};

/// A message of the scene's service is text that names what is wanted.
fn told(request: &str, call: &mut Call<'_>) -> Result<Vec<u8>, barewire::app::CallStatus> {
    if let Some(value) = call.metadata("x-echo") {
        call.send_metadata("x-echo", value).unwrap();
        call.send_trailer("x-last", value).unwrap();
    }
    match request.strip_prefix("code ") {
        Some(number) => {
            let code = Code::from_number(number.parse().unwrap());
            call.send_detail(Detail::new("a.B", [1, 2]));
            Err(Status::new(code, format!("code \"{number}\"")).into())
        }
        None => Ok(request.into()),
    }
}

struct Sum(Vec<u8>);

impl Conversation for Sum {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, message: Vec<u8>, _: &mut ResponseStream<'_, '_, Vec<u8>>) {
        self.0.extend(message);
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.respond(&self.0);
    }
}

struct Echo;

impl Conversation for Echo {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, message: Vec<u8>, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.send(&message);
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.finish(Status::OK);
    }
}

pub(crate) fn service() -> Service {
    let text = |request: Vec<u8>| String::from_utf8(request).unwrap();
    Service::new("test.Test")
        .limits(Limits::DEFAULT.with_message(1000))
        .unary("Tell", move |request: Vec<u8>, call: &mut Call<'_>| {
            told(&text(request), call)
        })
        .unary("Read", move |request: Vec<u8>, call: &mut Call<'_>| {
            if call.is_get() {
                call.send_metadata("cache-control", "max-age=60").unwrap();
            }
            told(&text(request), call)
        })
        .no_side_effects("Read")
        .unary_later("Later", |request: Vec<u8>, _call, later| {
            std::thread::spawn(move || later.send(Ok(request)));
        })
        .unary("Panic", |_: Vec<u8>, _call| -> Result<Vec<u8>, _> {
            panic!("as it should")
        })
        .server_streaming("Count", move |request: Vec<u8>, call: &mut Call<'_>| {
            let request = text(request);
            let first = told(&request, call)?;
            let fails = request == "fail";
            Ok((0..3_u8).map(move |n| match n {
                2 if fails => Err(Status::new(Code::DataLoss, "enough").into()),
                _ => Ok([&first[..], &[b'0' + n]].concat()),
            }))
        })
        .client_streaming("Sum", |_call| Ok(Sum(Vec::new())))
        .bidirectional("Echo", |_call| Ok(Echo))
}

pub(crate) fn scene() -> Running {
    Running::start(App::new().grpc(service()))
}

/// A response of HTTP/1.1, its content taken out of chunks.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) content: Vec<u8>,
}

impl Response {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut named = lines.filter(|(it, _)| it.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.content).unwrap()
    }

    /// The envelopes that it is made of: flags and messages.
    pub(crate) fn envelopes(&self) -> Vec<(u8, String)> {
        assert_eq!(self.status, 200, "{}", self.head);
        let (mut all, mut rest) = (Vec::new(), &self.content[..]);
        while let [flag, a, b, c, d, more @ ..] = rest {
            let (message, more) = more.split_at(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
            all.push((*flag, String::from_utf8_lossy(message).into_owned()));
            rest = more;
        }
        assert!(rest.is_empty());
        all
    }
}

/// Reads to the end of the connection.
pub(crate) fn read(stream: &mut TcpStream) -> Response {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut response = Response {
        status: head[9..12].parse().unwrap(),
        head,
        content: bytes[end + 4..].to_vec(),
    };
    if response.field("transfer-encoding").is_some() {
        response.content = unchunked(&response.content);
    }
    response
}

/// Sends a request on a connection of its own, and reads to the end.
pub(crate) fn send(running: &Running, line: &str, fields: &str, content: &[u8]) -> Response {
    let mut stream = running.connect();
    let length = match line.starts_with("POST") {
        true => format!("Content-Length: {}\r\n", content.len()),
        false => String::new(),
    };
    let head = format!("{line} HTTP/1.1\r\nHost: a\r\n{fields}{length}\r\n");
    stream
        .write_all(&[head.as_bytes(), content].concat())
        .unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    read(&mut stream)
}

/// A unary call in JSON, as far as the scene's service knows what that is.
pub(crate) fn tell(running: &Running, fields: &str, content: &[u8]) -> Response {
    let fields = format!("Content-Type: application/json\r\n{fields}");
    send(running, "POST /test.Test/Tell", &fields, content)
}

/// A streaming call.
pub(crate) fn stream(running: &Running, method: &str, fields: &str, content: &[u8]) -> Response {
    let fields = format!("Content-Type: application/connect+proto\r\n{fields}");
    send(
        running,
        &format!("POST /test.Test/{method}"),
        &fields,
        content,
    )
}

pub(crate) fn envelope(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u32).to_be_bytes();
    [&[flag][..], &length, message].concat()
}

/// Packs a message, as a client would.
#[cfg(feature = "gzip")]
pub(crate) fn packed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    barewire::grpc::Gzip::new().compress(message, &mut out);
    out
}

#[cfg(feature = "gzip")]
pub(crate) fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut gzip = barewire::grpc::Gzip::new();
    gzip.inflate(packed, 1 << 20, &mut out).unwrap();
    out
}
