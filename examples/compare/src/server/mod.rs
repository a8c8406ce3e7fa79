//! The server: one loop that speaks all of them, on one port without TLS and one with.

mod certificate;
mod feed;
mod graphql;
mod live;
mod plain;
mod services;
mod sockets;

use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::time::Duration;

use barewire::app::{App, Hub, ListenOptions};
use barewire::net::{Address, Limits, Share};
use barewire::tls;
use barewire::{link, websocket};

pub(crate) use feed::PACE;
pub use graphql::{ECHO, PUSHES, USERS};
pub use services::{JSON, PROTO};

use crate::payload::Payload;
use crate::{Result, machine};

/// The channel that all members of a fan-out are in.
pub(crate) const ALL: &str = "all";

/// Serves until its standard input ends. Its first line of output has the addresses without
/// and with TLS, and the certificate in hexadecimal; then it answers lines of its input:
///
/// ```text
/// stat             processor time in nanoseconds, and bytes of memory
/// members          how many there are to publish to
/// publish PAYLOAD  says how many got it
/// ```
///
/// # Errors
/// What the system does not give.
pub fn serve(address: &str) -> Result<()> {
    machine::pin(machine::Side::Server);
    let all = u32::try_from(machine::raise_descriptors())?;
    let (certificates, der) = certificate::make()?;
    let tls = tls::Server::new(tls::ServerOptions::new(certificates))?;
    let app = App::new()
        .limits(limits(all))
        .protocol_limits(protocol_limits())
        .listen_options(ListenOptions::DEFAULT.with_proxies(vec!["127.0.0.0/8".parse()?]));
    let hub = app.hub();
    let polls = live::Polls::default();
    let app = live::routes(app, &polls);
    let app = plain::routes(app);
    let app = sockets::routes(app);
    let app = feed::routes(app);
    let app = graphql::routes(app);
    let app = services::routes(app);
    let server = app
        .threads(1)
        .listen(address)?
        .listen_tls(&with_any_port(address)?, tls)?
        .spawn()?;
    let secured = server.tls_addresses().first().cloned();
    let mut all = server.local_addresses().iter();
    let plain = all.find(|it| Some(*it) != secured.as_ref());
    match (plain, &secured) {
        (Some(Address::Tcp(plain)), Some(Address::Tcp(secured))) => {
            println!("{plain} {secured} {}", machine::to_hex(&der));
        }
        _ => return Err("it listens on no address".into()),
    }
    obey(&hub, &polls)
}

fn with_any_port(address: &str) -> Result<String> {
    let mut address: SocketAddr = address.parse()?;
    address.set_port(0);
    Ok(address.to_string())
}

/// Does what the lines of the standard input say.
fn obey(hub: &Hub, polls: &live::Polls) -> Result<()> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("stat", _) => println!("{} {}", machine::processor_time(), machine::memory()),
            ("members", _) => println!("{}", hub.member_count(ALL) + polls.waiting(ALL)),
            ("publish", name) => {
                let payload = Payload::named(name).ok_or("no such payload")?;
                hub.publish(ALL, payload.text());
                polls.publish(ALL, payload.text());
                println!("published");
            }
            _ => return Err(format!("{line:?} is no command").into()),
        }
        io::stdout().flush()?;
    }
    Ok(())
}

/// All clients are on this machine: one address may have everything.
fn limits(all: u32) -> Limits {
    Limits::DEFAULT
        .with_connections(all)
        .with_per_address(all)
        .with_sessions(Share::unshared(all))
        .with_memberships(Share::unshared(all))
        .with_futures(Share::unshared(all))
        .with_timers(Share::unshared(all))
        .with_memory(1 << 30)
        .with_drain_time(Duration::ZERO)
}

/// Messages of 64 KiB and no deadline of idle connections that a run could meet.
fn protocol_limits() -> link::Limits {
    let websocket = websocket::Limits::DEFAULT
        .with_frame(1 << 20)
        .with_message(1 << 20);
    link::Limits::DEFAULT.with_websocket(websocket)
}
