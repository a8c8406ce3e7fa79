//! Servers that no proxy is used for (`NO_PROXY`).

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::without_brackets;
use crate::net::Network;

/// Servers that are reached without a proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Exclusions {
    all: bool,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    what: What,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Name(String),
    Network(Network),
}

impl Exclusions {
    /// Reads entries separated by commas or blanks: `*`; `example.org` or `.example.org` with
    /// what is below; an address; a network `10.0.0.0/8`; each but the network optionally with
    /// a port. Anything else excludes nothing.
    pub(super) fn parse(text: &str) -> Self {
        let mut new = Self::default();
        new.add(text);
        new
    }

    pub(super) fn add(&mut self, text: &str) {
        for entry in text.split([',', ' ', '\t']).filter(|it| !it.is_empty()) {
            match entry {
                "*" => self.all = true,
                entry => self.entries.extend(Entry::parse(entry)),
            }
        }
    }

    pub(super) fn contain(&self, host: &str, port: u16) -> bool {
        if self.all {
            return true;
        }
        let host = without_brackets(host);
        let host = host.strip_suffix('.').unwrap_or(host);
        let address = host.parse::<IpAddr>().ok();
        self.entries.iter().any(|entry| {
            let is_it = match (&entry.what, address) {
                (What::Network(network), Some(address)) => network.contains(address),
                (What::Name(name), None) => is_within(host, name),
                (What::Network(_), None) | (What::Name(_), Some(_)) => false,
            };
            is_it && entry.port.is_none_or(|it| it == port)
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(network) = without_brackets(text).parse() {
            let what = What::Network(network);
            return Some(Self { what, port: None });
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let what = match without_brackets(name).parse::<IpAddr>() {
            Ok(address) => What::Network(address.into()),
            Err(_) => {
                let name = name.strip_prefix('.').unwrap_or(name);
                let name = name.strip_suffix('.').unwrap_or(name);
                What::Name(name.to_ascii_lowercase())
            }
        };
        (what != What::Name(String::new())).then_some(Self { what, port })
    }
}

/// Whether `host` is `name`, or ends in a dot and `name`.
fn is_within(host: &str, name: &str) -> bool {
    let Some(front) = host.len().checked_sub(name.len()) else {
        return false;
    };
    let Some((front, end)) = host.split_at_checked(front) else {
        return false;
    };
    end.eq_ignore_ascii_case(name) && (front.is_empty() || front.ends_with('.'))
}

#[cfg(test)]
mod tests;
