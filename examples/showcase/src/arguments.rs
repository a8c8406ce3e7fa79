//! The command line.

use std::process::ExitCode;
use std::thread;

use barewire::app::RedisOptions;
use barewire::http::Origin;
use barewire::net::Network;

use crate::certificates::Source;

const USAGE: &str = "\
usage: showcase [--listen ADDR]... [--tls] [--threads N] [--files DIR] [--origin URL]... [--proxy NETWORK]... [--redis URL]
  --listen ADDR   127.0.0.1:8080 by default; also localhost:8080, [::1]:8080
                  or unix:/path, several times
  --tls           serves everything by https too, with a certificate that is made for localhost
  --listen-tls ADDR
                  where; 127.0.0.1:8443 by default, several times; includes --tls
  --certificate FILE --key FILE
                  certificate chain and private key, both PEM; include --tls;
                  SIGHUP has the files read again
  --redirect      sends requests without TLS that come to a port of TLS to https, by 308;
                  otherwise they get 400
  --client-roots FILE
                  asks clients for certificates that lead to one of these, PEM
  --threads N     event loops, each on a thread of its own; as many as cores by default
  --files DIR     serves this directory's files below /static; its own by default
  --origin URL    pages of this origin may do what our own may, as https://example.com; several times
  --redis URL     shares the hub's channels with all that are at this server of Redis, as
                  redis://127.0.0.1:6379 or rediss://USER:PASSWORD@HOST
  --proxy NET     connections from there, as from 10.0.0.0/8 or ::1, and over Unix sockets begin
                  with a header of the PROXY protocol that names the client; several times";

/// What the command line asks for.
pub(crate) struct Arguments {
    pub(crate) addresses: Vec<String>,
    /// Where TLS is spoken, and the certificate for it.
    pub(crate) tls: Option<(Vec<String>, Source)>,
    pub(crate) client_roots: Option<String>,
    /// Whether a request without TLS on a port of TLS is sent to https.
    pub(crate) redirects: bool,
    pub(crate) threads: usize,
    pub(crate) files: Option<String>,
    pub(crate) origins: Vec<String>,
    pub(crate) proxies: Vec<Network>,
    /// Where channels are shared.
    pub(crate) redis: Option<RedisOptions>,
}

/// Why nothing is served.
pub(crate) enum Refusal {
    /// Somebody asked for help.
    Help,
    /// The command line is wrong.
    Wrong(String),
}

impl Arguments {
    /// Reads the arguments behind the program's name.
    pub(crate) fn parse(given: impl Iterator<Item = String>) -> Result<Self, Refusal> {
        let mut given = given;
        let (mut addresses, mut secure) = (Vec::new(), Vec::new());
        let (mut tls, mut certificate, mut key) = (false, None, None);
        let (mut client_roots, mut redirects) = (None, false);
        let (mut files, mut origins, mut proxies) = (None, Vec::new(), Vec::new());
        let mut redis = None;
        let mut threads = thread::available_parallelism().map_or(1, usize::from);
        while let Some(argument) = given.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (&*argument, None),
            };
            let mut value = || value.clone().or_else(|| given.next()).unwrap_or_default();
            match name {
                "--listen" => addresses.push(address("--listen", value())?),
                "--listen-tls" => secure.push(address("--listen-tls", value())?),
                "--tls" => tls = true,
                "--redirect" => redirects = true,
                "--certificate" => certificate = Some(file("--certificate", value())?),
                "--key" => key = Some(file("--key", value())?),
                "--client-roots" => client_roots = Some(file("--client-roots", value())?),
                "--origin" => origins.push(origin(value())?),
                "--proxy" => proxies.push(network(&value())?),
                "--redis" => redis = Some(server(&value())?),
                "--threads" => threads = count(&value())?,
                "--files" if cfg!(unix) => {
                    files = Some(directory(value())?);
                }
                "--help" | "-h" => return Err(Refusal::Help),
                _ => return Err(Refusal::Wrong(format!("{argument} is not known"))),
            }
        }
        if addresses.is_empty() {
            addresses.push("127.0.0.1:8080".into());
        }
        let source = match (certificate, key) {
            (None, None) => Source::Made,
            (Some(certificate), Some(key)) => Source::Files { certificate, key },
            _ => {
                let why = "--certificate and --key belong together";
                return Err(Refusal::Wrong(why.into()));
            }
        };
        let tls = tls || redirects || client_roots.is_some();
        if (tls || source != Source::Made) && secure.is_empty() {
            secure.push("127.0.0.1:8443".into());
        }
        Ok(Self {
            addresses,
            client_roots,
            redirects,
            tls: (!secure.is_empty()).then_some((secure, source)),
            threads,
            files,
            origins,
            proxies,
            redis,
        })
    }
}

fn address(name: &str, text: String) -> Result<String, Refusal> {
    // Names are resolved when the app listens.
    match text.rsplit_once(':') {
        Some((host, _port_or_path)) if !host.is_empty() => Ok(text),
        _ => Err(Refusal::Wrong(format!(
            "{name} {text:?}: expected IP:port, name:port or unix:path"
        ))),
    }
}

fn count(text: &str) -> Result<usize, Refusal> {
    match text.parse() {
        Ok(threads @ 1..=1024) => Ok(threads),
        _ => Err(Refusal::Wrong(format!(
            "--threads {text:?}: not a number from 1 to 1024"
        ))),
    }
}

fn origin(text: String) -> Result<String, Refusal> {
    match Origin::parse(text.as_bytes()) {
        Ok(_) => Ok(text),
        Err(error) => Err(Refusal::Wrong(format!("--origin {text:?}: {error}"))),
    }
}

fn network(text: &str) -> Result<Network, Refusal> {
    text.parse()
        .map_err(|error| Refusal::Wrong(format!("--proxy {text:?}: {error}")))
}

fn server(text: &str) -> Result<RedisOptions, Refusal> {
    text.parse()
        .map_err(|error| Refusal::Wrong(format!("--redis {text:?}: {error}")))
}

fn file(name: &str, text: String) -> Result<String, Refusal> {
    match std::path::Path::new(&text).is_file() {
        true => Ok(text),
        false => Err(Refusal::Wrong(format!("{name} {text:?}: no file"))),
    }
}

fn directory(text: String) -> Result<String, Refusal> {
    match std::path::Path::new(&text).is_dir() {
        true => Ok(text),
        false => Err(Refusal::Wrong(format!("--files {text:?}: no directory"))),
    }
}

impl Refusal {
    /// Says so: with 0 to who asked for help, and with 2 otherwise.
    pub(crate) fn tell(self) -> ExitCode {
        match self {
            Self::Help => {
                println!("{USAGE}");
                ExitCode::SUCCESS
            }
            Self::Wrong(why) => {
                eprintln!("showcase: {why}\n{USAGE}");
                ExitCode::from(2)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, Refusal> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn addresses_may_be_given_several_times() {
        let Ok(found) = parse("--listen localhost:80 --threads 3 --listen=unix:/run/app.sock")
        else {
            panic!()
        };
        assert_eq!(found.addresses, ["localhost:80", "unix:/run/app.sock"]);
        assert_eq!(found.threads, 3);
        assert!(parse("").is_ok_and(|found| found.addresses == ["127.0.0.1:8080"]));
        assert!(
            parse("--origin http://a --origin=http://b:1")
                .is_ok_and(|found| found.origins.len() == 2)
        );
        assert!(
            parse("--proxy 10.0.0.0/8 --proxy=::1").is_ok_and(|found| found.proxies.len() == 2)
        );
        assert!(parse("--redis redis://a:1/2").is_ok_and(|found| found.redis.is_some()));
        assert!(parse("--files=/").is_ok_and(|found| found.files.as_deref() == Some("/")));
    }

    #[test]
    fn tls_is_asked_for_by_any_of_its_options() {
        let tls = |line| parse(line).ok().map(|found| found.tls);
        let made = |address: &str| Some(Some((vec![address.to_owned()], Source::Made)));
        assert_eq!(tls(""), Some(None));
        assert_eq!(tls("--tls"), made("127.0.0.1:8443"));
        assert_eq!(tls("--redirect"), made("127.0.0.1:8443"));
        assert!(parse("--redirect").is_ok_and(|found| found.redirects));
        assert_eq!(tls("--listen-tls [::]:443"), made("[::]:443"));
        let own = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").to_owned();
        let given = format!("--certificate {own} --key={own}");
        let files = Source::Files {
            certificate: own.clone(),
            key: own,
        };
        let at = vec!["127.0.0.1:8443".to_owned()];
        assert_eq!(tls(&given), Some(Some((at, files))));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for line in [
            "--listen nowhere",
            "--listen",
            "--listen-tls nowhere",
            "--certificate /nowhere --key /nowhere",
            "--certificate",
            concat!("--key ", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
            "--threads 0",
            "--threads none",
            "--threads",
            "--files /nowhere",
            "--files",
            "--origin example.com",
            "--proxy example.com",
            "--redis",
            "--redis 127.0.0.1:6379",
            "--redis http://127.0.0.1:6379",
            "--frobnicate",
            "8080",
        ] {
            assert!(matches!(parse(line), Err(Refusal::Wrong(_))), "{line}");
        }
        assert!(matches!(parse("--help"), Err(Refusal::Help)));
    }
}
