//! Addresses and threads as the environment gives them.

use alloc::format;
use alloc::string::{String, ToString};
use core::num::NonZero;
use std::ffi::OsString;
use std::thread::available_parallelism;

use super::builder::App;
use crate::net::Error;

/// More threads than any machine has processors are a slip.
const MOST_THREADS: usize = 1024;

impl App {
    /// An app that listens where the environment says, or on `default`:
    ///
    /// | variable | holds | without it, or if it is empty |
    /// |---|---|---|
    /// | `LISTEN` | addresses as [`listen`](Self::listen) takes them, with spaces between | `PORT` decides |
    /// | `PORT` | a port, on all IPv4 addresses of the machine | `default` |
    /// | `THREADS` | a number from 1 to 1,024, or `auto`: as many as there are processors | 1 |
    ///
    /// ```no_run
    /// use barewire::app::App;
    ///
    /// # fn main() -> Result<(), barewire::app::Error> {
    /// // LISTEN="127.0.0.1:8080 unix:/run/app.sock" THREADS=auto ./app
    /// App::from_env("127.0.0.1:8080")?
    ///     .get("/", |_request, reply| reply.text("hello"))
    ///     .run()
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Variable`], which names the variable and what it holds; those of
    /// [`listen`](Self::listen) for `default`.
    pub fn from_env(default: &str) -> Result<Self, Error> {
        from(|name| std::env::var_os(name), default)
    }
}

fn from(look: impl Fn(&'static str) -> Option<OsString>, default: &str) -> Result<App, Error> {
    let get = |name| match look(name).map(OsString::into_string) {
        Some(Ok(text)) if !text.trim().is_empty() => Ok(Some(text.trim().to_string())),
        Some(Err(text)) => Err(fault(name, format!("{text:?} is not UTF-8"))),
        _ => Ok(None),
    };
    let mut app = App::new();
    match (get("LISTEN")?, get("PORT")?) {
        (Some(addresses), _) => {
            for address in addresses.split_whitespace() {
                let listening = app.listen(address);
                app = listening.map_err(|error| fault("LISTEN", error.to_string()))?;
            }
        }
        (None, Some(port)) => {
            let parsed = port.parse::<u16>();
            let expected = |_| fault("PORT", format!("{port:?} is not a port"));
            app = app.listen(&format!("0.0.0.0:{}", parsed.map_err(expected)?))?;
        }
        (None, None) => app = app.listen(default)?,
    }
    let threads = match get("THREADS")?.as_deref() {
        None => 1,
        Some("auto") => available_parallelism().map_or(1, NonZero::get),
        Some(text) => match text.parse() {
            Ok(count @ 1..=MOST_THREADS) => count,
            _ => {
                let fault = |text| fault("THREADS", text);
                return Err(fault(format!("{text:?} is neither 1 to 1024 nor `auto`")));
            }
        },
    };
    Ok(app.threads(threads))
}

const fn fault(name: &'static str, fault: String) -> Error {
    Error::Variable { name, fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &[(&str, &str)]) -> String {
        let look = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| value.into())
        };
        from(look, "127.0.0.1:8080")
            .map_or_else(|error| error.to_string(), |app| format!("{app:?}"))
    }

    #[test]
    fn faults_name_the_variable_and_what_it_holds() {
        let of = |name, value| told(&[(name, value)]);
        assert!(
            of("LISTEN", "here").starts_with("the environment's LISTEN: not an address: \"here\"")
        );
        assert_eq!(
            of("PORT", "x"),
            "the environment's PORT: \"x\" is not a port"
        );
        for count in ["0", "-1", "1025", "many"] {
            let text = of("THREADS", count);
            assert_eq!(
                text,
                format!("the environment's THREADS: {count:?} is neither 1 to 1024 nor `auto`")
            );
        }
    }

    #[test]
    fn listen_is_before_port_and_port_before_the_default() {
        let both = told(&[
            ("LISTEN", " 127.0.0.1:1\t[::1]:2 "),
            ("PORT", "3"),
            ("THREADS", "2"),
        ]);
        assert!(
            both.contains("127.0.0.1:1") && both.contains("[::1]:2"),
            "{both}"
        );
        assert!(
            !both.contains("0.0.0.0:3") && both.contains("threads: 2"),
            "{both}"
        );
        assert!(told(&[("LISTEN", ""), ("PORT", "3")]).contains("0.0.0.0:3"));
        assert!(told(&[]).contains("127.0.0.1:8080"));
    }
}
