//! Many connections, opened and dropped in every state: nothing of them is left.

use std::time::Duration;
use std::{env, fs};

use barewire::client::{Client, ClientLimits, ClientOptions};

use super::{Outcome, Servers, Suite, equal, holds};

pub(crate) const CASES: Suite = &[
    ("many connections leave nothing", connections),
    ("connections that cannot be had leave nothing", refused),
];

/// How many, unless `CONNECTIONS` says so.
const CONNECTIONS: u64 = 20_000;

fn connections(servers: &Servers) -> Outcome {
    let count = match env::var("CONNECTIONS") {
        Ok(count) => count.parse()?,
        Err(_) => CONNECTIONS,
    };
    open(servers, count / 10)?;
    let before = (descriptors()?, resident()?);
    open(servers, count)?;
    equal!(descriptors()?, before.0);
    let grown = resident()?.saturating_sub(before.1);
    println!(
        "{count} connections: {} descriptors, and {grown} bytes more",
        before.0
    );
    // 50 bytes of each would be too much.
    holds!(grown < count * 50, "{grown} bytes more than {}", before.1);
    Ok(())
}

fn refused(servers: &Servers) -> Outcome {
    let client = servers.client();
    let attempt = || -> Outcome {
        // Nobody listens; no TLS is spoken; the certificate leads to no root.
        for url in [
            "http://127.0.0.1:1/",
            &servers.url("/").replace("http://", "https://"),
        ] {
            holds!(client.get(url).send().is_err(), "{url} answers");
        }
        let client = Client::with(ClientOptions::new().tls(servers.strangers()?))?;
        holds!(
            client.get(servers.url_of(1, "/hello")).send().is_err(),
            "it is trusted"
        );
        Ok(())
    };
    attempt()?;
    let before = descriptors()?;
    for _ in 0..200 {
        attempt()?;
    }
    equal!(descriptors()?, before);
    Ok(())
}

/// Opens connections and drops them: complete responses, unread ones, broken ones, and
/// what is at rest with a client.
fn open(servers: &Servers, count: u64) -> Outcome {
    let limits = ClientLimits::DEFAULT.with_connection_age(Duration::ZERO);
    let options = || ClientOptions::new().limits(limits.with_drain(0));
    let mut client = servers.client_with(options());
    for at in 0..count {
        // Addresses of their own, so that none runs out of ports.
        let server = format!("127.0.0.{}", 1 + at % 8);
        let url = |path| servers.url(path).replace("127.0.0.1", &server);
        let large = || client.get(url("/large.txt")).without_decoding().send();
        match at % 4 {
            0 | 1 => equal!(client.get(url("/hello")).send()?.text()?, "hello\n"),
            2 => drop(large()?),
            _ => drop(large()?.next_chunk()?.map(<[u8]>::len)),
        }
        if at % 100 == 99 {
            client = servers.client();
            equal!(client.get(url("/hello")).send()?.text()?, "hello\n");
            client = servers.client_with(options());
        }
    }
    equal!(client.metrics().connections(), 0);
    Ok(())
}

fn descriptors() -> std::io::Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}

fn resident() -> Result<u64, Box<dyn std::error::Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let kilobytes = line
        .and_then(|it| it.split_whitespace().next())
        .unwrap_or_default();
    Ok(kilobytes.parse::<u64>()? * 1024)
}
