//! What stands on the command line.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use crate::plan::Mode;

/// How the program is used.
pub const USAGE: &str = "\
compare [--quick | --full] [--out DIR] [--listen ADDRESS [--i-know]] [--only WORDS]

  --quick      20 s: request and response, and connecting
  --full       every cell, under an hour; two minutes without either
  --out DIR    where report.html and report.json go (target/compare)
  --listen A   the server's address (127.0.0.1:0: any port)
  --i-know     lets that address be one that other machines reach
  --only WORDS transports or tasks whose names contain the words, such as gRPC or idle
";

/// Where reports go, unless that is said.
pub const OUT: &str = "target/compare";

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// To be the server of a run.
    Serve(String),
    Help,
    Run(Run),
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub mode: Mode,
    pub out: PathBuf,
    pub listen: SocketAddr,
    pub only: Option<String>,
}

impl Arguments {
    /// Reads them.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.into_iter();
        let mut run = Run {
            mode: Mode::Default,
            out: OUT.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            only: None,
        };
        let (mut knows, mut mode) = (false, None);
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next().filter(|it| !it.is_empty());
                value.ok_or_else(|| format!("{argument} needs a value"))
            };
            match &*argument {
                "serve" => return Ok(Self::Serve(value()?)),
                "--help" | "-h" => return Ok(Self::Help),
                "--quick" | "--full" => {
                    let new = if argument == "--quick" {
                        Mode::Quick
                    } else {
                        Mode::Full
                    };
                    if mode.replace(new).is_some_and(|old| old != new) {
                        return Err("--quick and --full exclude each other".into());
                    }
                    run.mode = new;
                }
                "--out" => run.out = value()?.into(),
                "--only" => run.only = Some(value()?),
                "--i-know" => knows = true,
                "--listen" => {
                    let text = value()?;
                    let address = text.parse();
                    run.listen = address.map_err(|_| format!("{text:?} is no address and port"))?;
                }
                _ => return Err(format!("{argument:?} is not known; --help says what is")),
            }
        }
        if !run.listen.ip().is_loopback() && !knows {
            return Err(format!(
                "{} is not loopback: other machines could reach the server (--i-know allows it)",
                run.listen
            ));
        }
        Ok(Self::Run(run))
    }
}

impl Run {
    /// Finds out now what would stop the run later.
    ///
    /// # Errors
    /// One line that says what it is.
    pub fn check(&self) -> Result<(), String> {
        let port = TcpListener::bind(self.listen);
        port.map_err(|error| format!("{}: {error}", self.listen))?;
        let folder = std::fs::create_dir_all(&self.out);
        folder.map_err(|error| format!("{}: {error}", self.out.display()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn wrong_options_are_refused_with_a_line() {
        for (line, part) in [
            ("--fast", "\"--fast\" is not known"),
            ("--out", "--out needs a value"),
            ("--quick --full", "exclude each other"),
            ("--listen nowhere", "is no address and port"),
            ("--listen 0.0.0.0:0", "is not loopback"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(
                error.contains(part) && !error.contains('\n'),
                "{line}: {error}"
            );
        }
        assert!(parse("--listen 0.0.0.0:0 --i-know").is_ok());
        assert!(matches!(parse("--help"), Ok(Arguments::Help)));
    }
}
