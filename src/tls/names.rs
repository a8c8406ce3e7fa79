//! Which certificate a client gets: by the name that it asks for.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::net::IpAddr;

use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

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

/// The names of one certificate.
#[derive(Debug, Default)]
pub(super) struct CertificateNames {
    /// Host names in lower case, the left-most label of which may be `*`.
    hosts: Vec<Box<str>>,
    addresses: Vec<IpAddr>,
}

impl CertificateNames {
    fn of(certificate: &[u8]) -> Self {
        let mut names = Self::default();
        let certificate = Certificate::read(certificate);
        for name in certificate.iter().flat_map(Certificate::names) {
            match name {
                Name::Dns(name) => names.hosts.push(name.to_ascii_lowercase().into()),
                Name::Ip(address) => names.addresses.push(address),
            }
        }
        names
    }
}

/// Whether a certificate with these names is for a host, which may be an address.
pub(super) fn is_covered(host: &str, names: &CertificateNames) -> bool {
    if let Ok(address) = host.parse() {
        return names.addresses.contains(&address);
    }
    let covers = |name: &str| match (name.strip_prefix("*."), host.split_once('.')) {
        (Some(rest), Some((_, parent))) => rest.contains('.') && parent.eq_ignore_ascii_case(rest),
        (Some(_), None) => false,
        (None, _) => host.eq_ignore_ascii_case(name),
    };
    names.hosts.iter().any(|name| covers(name))
}

/// What was made of the name that a hello asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    /// The name.
    pub(super) server_name: Option<Box<str>>,
    /// Those of the certificate, where requests for others are refused.
    pub(super) names: Option<Arc<CertificateNames>>,
    /// No certificate is for the name, and so there is none.
    pub(super) is_refused: bool,
}

std::thread_local! {
    /// That of the hello which is read in this moment. rustls 0.23 shows the name to
    /// who chooses the certificate, and tells neither of the two later.
    static CHOICE: RefCell<Option<Choice>> = const { RefCell::new(None) };
}

/// Takes what was chosen for the hello that was read last on this thread, if it was.
pub(super) fn take_choice() -> Option<Choice> {
    CHOICE.take()
}

/// A certificate with its key.
#[derive(Debug)]
struct Candidate {
    key: Arc<CertifiedKey>,
    names: Arc<CertificateNames>,
}

/// The certificates of a server by their names.
#[derive(Debug)]
pub(super) struct Chooser {
    candidates: Vec<Candidate>,
    /// Names to the candidates that are for them.
    by_name: BTreeMap<Box<str>, Vec<usize>>,
    unknown: UnknownName,
    /// Requests for names that the certificate is not for are refused.
    is_strict: bool,
}

impl Chooser {
    /// Chooses between these, the first of which is the default.
    pub(super) fn new(keys: Vec<Arc<CertifiedKey>>, unknown: UnknownName, is_strict: bool) -> Self {
        let mut by_name: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        let mut candidates = Vec::new();
        for key in keys {
            let own = key.cert.first();
            let names = own.map_or_else(Default::default, |it| CertificateNames::of(it));
            for name in &names.hosts {
                by_name
                    .entry(name.clone())
                    .or_default()
                    .push(candidates.len());
            }
            let names = Arc::new(names);
            candidates.push(Candidate { key, names });
        }
        Self {
            candidates,
            by_name,
            unknown,
            is_strict,
        }
    }

    /// Those for a name: first the ones that have it, then those whose `*` stands for
    /// its left-most label (RFC 9525 §6.3).
    fn of(&self, name: &str) -> impl Iterator<Item = &Candidate> {
        let name = name.to_ascii_lowercase();
        let wild = wildcard(&name).and_then(|it| self.by_name.get(&*it));
        let exact = self.by_name.get(&*name);
        let places = exact
            .into_iter()
            .flatten()
            .chain(wild.into_iter().flatten());
        places.filter_map(|&at| self.candidates.get(at))
    }

    fn choose(&self, name: Option<&str>, schemes: &[SignatureScheme]) -> Option<&Candidate> {
        let can_sign = |it: &&Candidate| it.key.key.choose_scheme(schemes).is_some();
        if let Some(name) = name {
            let found = self
                .of(name)
                .find(can_sign)
                .or_else(|| self.of(name).next());
            if found.is_some() || self.unknown == UnknownName::Refuse {
                return found;
            }
        }
        // Any of them, rather than one that the client cannot use.
        let usable = self.candidates.iter().find(can_sign);
        usable.or_else(|| self.candidates.first())
    }
}

impl ResolvesServerCert for Chooser {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name();
        let chosen = self.choose(name, hello.signature_schemes());
        let names = chosen.filter(|_| self.is_strict).map(|it| it.names.clone());
        CHOICE.set(Some(Choice {
            server_name: name.map(Box::from),
            names,
            is_refused: chosen.is_none(),
        }));
        chosen.map(|it| it.key.clone())
    }
}

/// The name with `*` in place of its left-most label. It has two more labels: nobody
/// has a certificate for all of a top-level domain.
fn wildcard(name: &str) -> Option<String> {
    let (_, rest) = name.split_once('.')?;
    let is_deep = rest.contains('.');
    is_deep.then(|| alloc::format!("*.{rest}"))
}
