//! The blocking HTTP client against servers that others wrote. `http_client.sh` starts
//! those.
//!
//! ```text
//! cargo run -p interop-clients --bin http_client_cases -- [--ca FILE] SUITE URL...
//! ```
//!
//! Prints `ok SUITE: CASE` or `FAIL SUITE: CASE: why`; ends with 1 if any failed.

mod haproxy;
mod http2;
mod httpbin;
mod leaks;
mod nginx;
mod node;
mod proxies;
mod python;
mod race;

use std::error::Error as StdError;
use std::{env, process};

use barewire::client::{Client, ClientOptions};
use barewire::tls::{Client as Tls, ClientOptions as TlsOptions, Roots};

type Outcome = Result<(), Box<dyn StdError>>;
type Case = fn(&Servers) -> Outcome;
type Suite = &'static [(&'static str, Case)];

const SUITES: &[(&str, Suite)] = &[
    ("haproxy", haproxy::CASES),
    ("http2", http2::CASES),
    ("httpbin", httpbin::CASES),
    ("leaks", leaks::CASES),
    ("nginx", nginx::CASES),
    ("node", node::CASES),
    ("proxies", proxies::CASES),
    ("python", python::CASES),
    ("race", race::CASES),
];

/// What the cases call.
struct Servers {
    urls: Vec<String>,
    tls: Option<Tls>,
}

impl Servers {
    /// A URL of the first server.
    fn url(&self, path: &str) -> String {
        self.url_of(0, path)
    }

    /// A URL of one of the servers.
    fn url_of(&self, at: usize, path: &str) -> String {
        format!("{}{path}", self.urls[at])
    }

    /// TLS that trusts the authority in the last file named, which has signed nothing.
    fn strangers(&self) -> Result<Tls, Box<dyn StdError>> {
        let file = self.urls.last().expect("a file of certificates");
        let options = TlsOptions::new().root_certs(Roots::read(file)?);
        Ok(Tls::new(options)?)
    }

    /// A client that has no connections yet.
    fn client(&self) -> Client {
        self.client_with(ClientOptions::new())
    }

    fn client_with(&self, options: ClientOptions) -> Client {
        let options = match &self.tls {
            Some(tls) => options.tls(tls.clone()),
            None => options,
        };
        Client::with(options).expect("options of ours")
    }
}

/// Fails with both values, unless they are equal.
macro_rules! equal {
    ($found:expr, $wanted:expr) => {
        match (&$found, &$wanted) {
            (found, wanted) if found == wanted => {}
            (found, wanted) => {
                let text = stringify!($found);
                return Err(format!("{text}: {found:?}, not {wanted:?} (line {})", line!()).into());
            }
        }
    };
}

/// Fails unless it holds.
macro_rules! holds {
    ($condition:expr, $($context:tt)+) => {
        if !$condition {
            let text = stringify!($condition);
            return Err(format!("not {text}: {} (line {})", format!($($context)+), line!()).into());
        }
    };
}
use {equal, holds};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (ca, rest) = match arguments.as_slice() {
        [flag, file, rest @ ..] if flag == "--ca" => (Some(file), rest),
        all => (None, all),
    };
    if let [get, url] = rest
        && get == "get"
    {
        return proxies::get(url);
    }
    let suite = rest
        .first()
        .and_then(|name| SUITES.iter().find(|it| it.0 == name));
    let Some((name, cases)) = suite else {
        eprintln!("usage: http_client_cases [--ca FILE] SUITE URL...");
        process::exit(2);
    };
    let tls = ca.map(|file| {
        let roots = Roots::read(file).expect("certificates");
        Tls::new(TlsOptions::new().root_certs(roots)).expect("settings of TLS")
    });
    let servers = Servers {
        urls: rest[1..].to_vec(),
        tls,
    };
    let mut failed = false;
    for (case, run) in *cases {
        match run(&servers) {
            Ok(()) => println!("ok http client to {name}: {case}"),
            Err(error) => {
                println!("FAIL http client to {name}: {case}: {error}");
                failed = true;
            }
        }
    }
    process::exit(i32::from(failed));
}
