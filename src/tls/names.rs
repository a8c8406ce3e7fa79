//! The certificate that a client gets: by the name that it asks for.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;

use rustls::SignatureScheme;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use webpki::EndEntityCert;

/// The answer to a client that asks for a name that no certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownName {
    /// The first certificate. It decides for itself whether it wants that.
    #[default]
    Default,
    /// The alert `unrecognized_name` (RFC 6066 §3), and the end of the connection.
    Refuse,
}

/// Whether a certificate is for a host, which may be an address (RFC 9525 §6).
pub(super) fn is_covered(host: &str, key: &CertifiedKey) -> bool {
    let own = key.cert.first().map(EndEntityCert::try_from);
    let (Some(Ok(certificate)), Ok(name)) = (own, ServerName::try_from(host)) else {
        return false;
    };
    certificate.verify_is_valid_for_subject_name(&name).is_ok()
}

/// The result of looking up the name that a hello asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    pub(super) server_name: Option<Arc<str>>,
    pub(super) certificate: Option<Arc<CertifiedKey>>,
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

/// The certificates of a server by their names.
#[derive(Debug)]
pub(super) struct Chooser {
    candidates: Vec<Arc<CertifiedKey>>,
    /// Names in lower case to the candidates that are for them.
    by_name: BTreeMap<Arc<str>, Vec<usize>>,
    unknown: UnknownName,
    /// Requests for names that the certificate is not for are refused.
    is_strict: bool,
}

impl Chooser {
    /// Chooses between these, the first of which is the default.
    pub(super) fn new(
        candidates: Vec<Arc<CertifiedKey>>,
        unknown: UnknownName,
        is_strict: bool,
    ) -> Self {
        let mut by_name: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, key) in candidates.iter().enumerate() {
            let own = key.cert.first().map(EndEntityCert::try_from);
            for certificate in own.iter().flatten() {
                for name in certificate.valid_dns_names() {
                    by_name
                        .entry(name.to_ascii_lowercase().into())
                        .or_default()
                        .push(at);
                }
            }
        }
        Self {
            candidates,
            by_name,
            unknown,
            is_strict,
        }
    }

    /// The certificates for a name: first exact ones, then those whose `*` stands for its first
    /// label (RFC 9525 §6.3).
    fn of(&self, name: &str) -> impl Iterator<Item = &Arc<CertifiedKey>> {
        let name = name.to_ascii_lowercase();
        let wild = wildcard(&name).and_then(|it| self.by_name.get(&*it));
        let exact = self.by_name.get(&*name);
        let places = exact
            .into_iter()
            .flatten()
            .chain(wild.into_iter().flatten());
        places.filter_map(|&at| self.candidates.get(at))
    }

    fn shared(&self, name: &str) -> Arc<str> {
        let known = self.by_name.get_key_value(name);
        known.map_or_else(|| name.into(), |(known, _)| known.clone())
    }

    fn choose(
        &self,
        name: Option<&str>,
        schemes: &[SignatureScheme],
    ) -> Option<&Arc<CertifiedKey>> {
        let can_sign = |it: &&Arc<CertifiedKey>| it.key.choose_scheme(schemes).is_some();
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
        CHOICE.set(Some(Choice {
            server_name: name.map(|name| self.shared(name)),
            certificate: chosen.filter(|_| self.is_strict).cloned(),
            is_refused: chosen.is_none(),
        }));
        chosen.cloned()
    }
}

/// The name with `*` for its first label, if two more follow: no certificate covers a top-level
/// domain.
fn wildcard(name: &str) -> Option<String> {
    let (_, rest) = name.split_once('.')?;
    let is_deep = rest.contains('.');
    is_deep.then(|| alloc::format!("*.{rest}"))
}
