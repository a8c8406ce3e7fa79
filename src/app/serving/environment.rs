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
        from(std::env::var_os, default)
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
mod tests;
