//! Which certificate a client gets: by the name that it asks for.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::session::note_server_name;
use super::x509::{Certificate, Name};

/// What a client gets that asks for a name that no certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownName {
    /// The first certificate. It decides for itself whether it wants that.
    #[default]
    Default,
    /// The alert `unrecognized_name` (RFC 6066 §3), and the end of the connection.
    Refuse,
}

/// The certificates of a server by their names.
#[derive(Debug)]
pub(super) struct Chooser {
    keys: Vec<Arc<CertifiedKey>>,
    /// Names, in lower case, to the keys that are for them.
    names: BTreeMap<String, Vec<usize>>,
    unknown: UnknownName,
}

impl Chooser {
    /// Chooses between these, the first of which is the default.
    pub(super) fn new(keys: Vec<Arc<CertifiedKey>>, unknown: UnknownName) -> Self {
        let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, key) in keys.iter().enumerate() {
            let certificate = key.cert.first().and_then(|it| Certificate::read(it));
            for name in certificate.iter().flat_map(Certificate::names) {
                if let Name::Dns(name) = name {
                    names.entry(name.to_ascii_lowercase()).or_default().push(at);
                }
            }
        }
        Self {
            keys,
            names,
            unknown,
        }
    }

    /// The certificates for a name: those that have it before those whose `*` stands
    /// for its left-most label (RFC 9525 §6.3).
    fn of(&self, name: &str) -> impl Iterator<Item = &Arc<CertifiedKey>> {
        let name = name.to_ascii_lowercase();
        let wild = wildcard(&name);
        let exact = self.names.get(&name).into_iter().flatten();
        let wild = wild
            .and_then(|it| self.names.get(&it))
            .into_iter()
            .flatten();
        exact.chain(wild).filter_map(|&at| self.keys.get(at))
    }
}

impl ResolvesServerCert for Chooser {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let Some(name) = hello.server_name() {
            note_server_name(name);
        }
        let schemes = hello.signature_schemes();
        let can_sign = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(schemes).is_some();
        let for_name = |name| {
            self.of(name)
                .find(can_sign)
                .or_else(|| self.of(name).next())
        };
        let found = match hello.server_name() {
            Some(name) => match (for_name(name), self.unknown) {
                (None, UnknownName::Refuse) => return None,
                (found, _) => found,
            },
            None => None,
        };
        // Any of them, rather than none that the client could use.
        let usable = || self.keys.iter().find(can_sign);
        let found = found.or_else(usable).or_else(|| self.keys.first());
        found.cloned()
    }
}

/// The name with `*` in place of its left-most label. It has two more labels: nobody
/// has a certificate for all of a top-level domain.
fn wildcard(name: &str) -> Option<String> {
    let (_, rest) = name.split_once('.')?;
    let is_deep = rest.contains('.');
    is_deep.then(|| alloc::format!("*.{rest}"))
}
