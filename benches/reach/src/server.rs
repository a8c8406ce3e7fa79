//! A server: each WebSocket that is opened is in the channel, and says no more.

use std::io::{self, BufRead, Write};
use std::time::Duration;

use barewire::app::{App, Message, RedisBackplane, Socket, WebSocket};
use barewire::net::{Address, Limits, ListenOptions, Share};

use crate::{CHANNEL, Result, now};

/// A subscriber that only listens.
struct Subscriber;

impl WebSocket for Subscriber {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        if let Err(error) = socket.join(CHANNEL) {
            eprintln!("server: {error}");
            socket.abort();
        }
    }

    fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {}
}

/// Serves, with the server of Redis at this URL unless that is `-`, and does what its input says: `members` is answered by their number, `publish N`
/// publishes the number N and the time.
pub(crate) fn serve(threads: usize, redis: &str) -> Result<()> {
    // All clients are on this machine: one address has everything, as that of a proxy.
    let all = u32::try_from(crate::process::raise_descriptors())?;
    let limits = Limits::DEFAULT
        .with_connections(all)
        .with_per_address(all)
        .with_sessions(Share::unshared(all))
        .with_memberships(Share::unshared(all))
        .with_drain_time(Duration::ZERO);
    let app = match redis {
        "-" => App::new(),
        url => App::new().backplane(RedisBackplane::new(url.parse()?)?),
    };
    let app = app
        .limits(limits)
        .threads(threads)
        .websocket("/", |_request| Ok(Subscriber));
    let hub = app.hub();
    let options = ListenOptions::DEFAULT.with_proxies(vec!["127.0.0.0/8".parse()?]);
    let app = app.listen_options(options);
    let server = app.listen("127.0.0.1:0")?.spawn()?;
    let [Address::Tcp(address)] = server.local_addresses() else {
        return Err("no address".into());
    };
    println!("{address}");
    for line in io::stdin().lock().lines() {
        match line?.split_once(' ') {
            Some(("publish", number)) => {
                // Of the size that the figures name: 128 bytes.
                let text = format!("{number:>20} {:>20}", now());
                hub.publish(CHANNEL, &*format!("{text:128}"));
                println!("{}", now());
            }
            _ => println!("{}", hub.member_count(CHANNEL)),
        }
        io::stdout().flush()?;
    }
    Ok(())
}
