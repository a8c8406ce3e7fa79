//! What can go wrong.

use alloc::string::String;
use std::io;

/// Why the loop could not do what it was asked.
#[derive(Debug, thiserror::Error)]
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
        /// The system's answer.
        error: io::Error,
    },
    /// The text is neither `IP:port`, `name:port` (where names are allowed)
    /// nor `unix:path`.
    #[error("not an address: expected IP:port or unix:path")]
    Address,
    /// A limit or an option has a value that cannot work. Says which.
    #[error("configuration: {0}")]
    Config(&'static str),
    /// The text does not name a server that a channel can call.
    #[error("cannot call {given:?}: {fault}")]
    Target {
        /// The text.
        given: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_error_names_the_address_it_is_about() {
        let error = Error::Listen {
            address: "127.0.0.1:80".into(),
            error: io::ErrorKind::AddrInUse.into(),
        };
        assert!(
            error
                .to_string()
                .starts_with("cannot listen on 127.0.0.1:80: ")
        );
    }
}
