//! Errors of set-up and running.

use alloc::string::String;
use core::fmt;
use std::io;

use super::transport::seam::TransportError;

/// Why the loop or an app could not do what it was asked.
///
/// Every error quotes what was given. `Debug` writes the sentence that `Display`
/// does, so that a `main` that returns the error prints it readably.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A socket could not listen there.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address as text.
        address: String,
        /// The system's answer; of a name, that of each of its addresses.
        error: io::Error,
    },
    /// A name to listen on has no address.
    #[error("cannot resolve {name:?}: {error}")]
    Resolve {
        /// The name.
        name: String,
        /// The resolver's answer.
        error: io::Error,
    },
    /// The text is not an address, or not a place to listen on or to dial.
    #[error("not an address: {given:?} (expected {expected})")]
    Address {
        /// The text.
        given: String,
        /// The forms that are understood.
        expected: &'static str,
    },
    /// A route cannot be served.
    #[error("route {route:?}: {fault}")]
    Route {
        /// The method and the pattern, such as `GET /users/{id}`.
        route: String,
        /// The fault.
        fault: String,
    },
    /// A directory of files cannot be served.
    #[error("cannot serve the files of {directory:?}: {error}")]
    Files {
        /// The directory's path.
        directory: String,
        /// The system's answer.
        error: io::Error,
    },
    /// A variable of the environment cannot be used.
    #[error("the environment's {name}: {fault}")]
    Variable {
        /// The variable's name.
        name: &'static str,
        /// The fault, with what the variable holds.
        fault: String,
    },
    /// A limit or an option has a value that cannot work. Says which.
    #[error("configuration: {0}")]
    Config(&'static str),
    /// The parameters of a transport cannot be used: certificates, for example.
    #[error("{0}")]
    Transport(TransportError),
    /// The text does not name a server that a channel can call.
    #[error("cannot call {given:?}: {fault}")]
    Target {
        /// The text.
        given: String,
        /// The fault.
        fault: &'static str,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
