//! How far one publication reaches: servers, each with thousands of idle subscribers that are
//! held by as many client processes, and what that costs.
//!
//! `benches/reach/run --help` says what there is to choose.

mod broker;
mod client;
mod measure;
mod process;
mod server;

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// What all subscribers are in.
const CHANNEL: &str = "reach";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Nanoseconds since 1970: all processes are on one machine, so that they have one clock.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["server", threads, redis] => threads
            .parse()
            .map_err(Into::into)
            .and_then(|threads| server::serve(threads, redis)),
        ["client", url, count] => count
            .parse()
            .map_err(Into::into)
            .and_then(|count| client::hold(url, count)),
        ["publish", how, port, count] => publish(how, port, count),
        ["broker"] => broker::measure(100_000, 5),
        _ => measure::Plan::parse(&arguments).and_then(|plan| plan.measure()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reach: {error}");
            ExitCode::FAILURE
        }
    }
}

fn publish(how: &str, port: &str, count: &str) -> Result<()> {
    broker::publish(how, port.parse()?, count.parse()?)
}
