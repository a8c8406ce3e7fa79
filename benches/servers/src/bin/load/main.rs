//! A load generator on one thread: HTTP/1.1, HTTP/2, gRPC and WebSocket, echo,
//! broadcast and idle connections, also over TLS. Every byte of every reply is compared with what it must
//! be. One line of JSON comes out.

mod connects;
mod deflated;
mod drive;
mod histogram;
mod http;
mod http2;
mod json;
mod messages;
mod options;
mod process;
mod wire;

use std::io::{self, Error, ErrorKind, Read};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use drive::{Plan, Repeated, Talk};
use options::{Mode, Options};
use servers_common::{Periodic, content, raise_descriptors, tls};
use wire::Wire;

fn main() -> ExitCode {
    raise_descriptors();
    match Options::read().map(|options| run(&options)) {
        Ok(Ok(line)) => println!("{line}"),
        Ok(Err(error)) => {
            eprintln!("load: {error}");
            return ExitCode::FAILURE;
        }
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn run(options: &Options) -> io::Result<String> {
    let secure = |chain| tls::client(chain, options.mode.protocol());
    let config = options.tls.as_deref().map(secure).transpose()?;
    let connect = || Wire::new(connect(options)?, config.as_ref());
    match options.mode {
        Mode::Http | Mode::IdleHttp | Mode::Connects => {
            let body = content(options.body);
            let expected = if options.body > 0 {
                body.clone()
            } else {
                content_of(options)
            };
            let request = http::request(options, &body);
            let output = Periodic::new(&request, options.pipeline);
            let replies = || http::HttpReplies::new(expected.clone());
            let talk = || Repeated::new(&output, replies());
            if options.mode == Mode::Connects {
                return connects::run(options, connect, talk);
            }
            each(options, connect, talk)
        }
        Mode::WebSocket | Mode::IdleWebSocket => {
            if !options.deflate.is_empty() {
                return compressed(options, connect);
            }
            let (frame, expected) = messages::frames(options, b"");
            let output = Periodic::new(&frame, options.pipeline);
            let open = || messages::open(connect()?, options);
            let talk = || Repeated::new(&output, messages::Echoes::new(&expected));
            each(options, open, talk)
        }
        Mode::Broadcast => {
            let (frame, expected) = match options.deflate.is_empty() {
                true => messages::frames(options, b"PUB!"),
                false => deflated::publication(options),
            };
            let open = || messages::open(connect()?, options);
            let sockets = several(options.connections, open)?;
            let output = Periodic::new(&frame, options.pipeline);
            drive::run(options, Plan::All, sockets, || {
                Repeated::new(&output, messages::Echoes::new(&expected))
            })
        }
        Mode::Http2 | Mode::IdleHttp2 => {
            let shape = http2::Shape::get(options, &content_of(options));
            let talk = || http2::Streams::new(&shape);
            each(options, connect, talk)
        }
        Mode::Grpc | Mode::IdleGrpc => {
            let shape = http2::Shape::call(options, &content(options.payload));
            let talk = || http2::Streams::new(&shape);
            each(options, connect, talk)
        }
    }
}

/// Compressed messages, other ones in turn.
fn compressed(options: &Options, connect: impl Fn() -> io::Result<Wire>) -> io::Result<String> {
    let shared = deflated::Shared::new(options);
    let open = || {
        let (socket, head) = messages::open_with_head(connect()?, options)?;
        shared.agree(&head)?;
        Ok(socket)
    };
    if options.mode.is_idle() {
        let one = || once(open()?, deflated::Deflated::new(&shared));
        return idle(options, ASLEEP, |count| several(count, one));
    }
    let sockets = several(options.connections, open)?;
    let line = drive::run(options, Plan::Each, sockets, || {
        deflated::Deflated::new(&shared)
    })?;
    Ok(shared.report(&line))
}

/// Load on connections that each get the replies to what they sent, or such
/// connections left idle.
fn each<T: Talk>(
    options: &Options,
    open: impl Fn() -> io::Result<Wire> + Sync,
    talk: impl Fn() -> T + Sync,
) -> io::Result<String> {
    if options.mode.is_idle() {
        let one = || once(open()?, talk());
        return idle(options, REST, |count| at_once(count, one));
    }
    let sockets = several(options.connections, open)?;
    drive::run(options, Plan::Each, sockets, talk)
}

/// The body of a reply that is no echo.
fn content_of(options: &Options) -> Vec<u8> {
    match options.path.as_str() {
        "/hello" => servers_common::HELLO.into(),
        _ => content(options.expect),
    }
}

fn several<T>(count: usize, make: impl FnMut() -> io::Result<T>) -> io::Result<Vec<T>> {
    std::iter::repeat_with(make).take(count).collect()
}

/// The same, a few at a time: each is opened with a wait or two.
fn at_once(count: usize, open: impl Fn() -> io::Result<Wire> + Sync) -> io::Result<Vec<Wire>> {
    const THREADS: usize = 16;
    thread::scope(|scope| {
        let shares = (0..THREADS).map(|at| (count + at) / THREADS);
        let opening: Vec<_> = shares
            .map(|share| {
                let open = &open;
                scope.spawn(move || several(share, open))
            })
            .collect();
        let mut sockets = Vec::with_capacity(count);
        for share in opening {
            let failed = |_| Error::other("a thread that opens connections");
            sockets.extend(share.join().map_err(failed)??);
        }
        Ok(sockets)
    })
}

/// A connection that leaves nothing behind in the system when it is closed.
fn connect(options: &Options) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(options.address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO))?;
    Ok(socket)
}

/// One request and its reply.
fn once(mut socket: Wire, mut talk: impl Talk) -> io::Result<Wire> {
    let mut buffer = vec![0; 64 << 10];
    talk.ask(1);
    loop {
        talk.write(&mut socket)?;
        let length = socket.read(&mut buffer)?;
        if length == 0 {
            return Err(Error::other("the server closed an idle connection"));
        }
        if talk.check(&buffer[..length])? > 0 {
            talk.write(&mut socket)?;
            return Ok(socket);
        }
    }
}

/// How long connections are left alone before memory is looked at.
const REST: Duration = Duration::from_millis(1500);
/// Longer than a server of compressed messages is told to remember them.
const ASLEEP: Duration = Duration::from_secs(4);

/// Opens the connections, uses each once, and looks at the server's memory
/// while all of them are open.
fn idle(
    options: &Options,
    rest: Duration,
    open: impl Fn(usize) -> io::Result<Vec<Wire>>,
) -> io::Result<String> {
    let pid = options.pid.ok_or_else(|| Error::other("--pid is needed"))?;
    // What the first connections cost once is no cost of a connection.
    let first = open(100)?;
    thread::sleep(if rest == REST {
        Duration::from_millis(300)
    } else {
        rest
    });
    let before = process::resident(pid)?;
    let sockets = open(options.connections)?;
    thread::sleep(rest);
    let after = process::resident(pid)?;
    let closed = first
        .iter()
        .chain(&sockets)
        .filter(|one| !is_open(one.socket()));
    let closed = closed.count();
    if closed > 0 {
        let all = options.connections + first.len();
        return Err(Error::other(format!(
            "the server closed {closed} of {all} idle connections"
        )));
    }
    drop((first, sockets));
    let bytes = (after as f64 - before as f64) / options.connections as f64;
    Ok(format!(
        "{{\"connections\":{},\"bytes_per_connection\":{bytes:.1}}}",
        options.connections
    ))
}

/// Whether the server has left a connection open: behind what it has still
/// sent there is neither an end nor an error.
fn is_open(mut socket: &TcpStream) -> bool {
    let mut buffer = [0; 4096];
    if socket.set_nonblocking(true).is_err() {
        return false;
    }
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}
