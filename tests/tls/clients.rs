//! Certificates of clients.

use std::io::{Read, Write};
use std::sync::Arc;

use barewire::app::Server;
use barewire::tls::{ClientCertificates, Crls, Roots, Server as Tls, ServerOptions};
use rustls::client::Tls12Resumption;
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, ClientConfig, Error};

use crate::support::{Authority, connect, fault_of, get, port_of, stop, telling};

/// Those of the server and of its clients.
struct Authorities {
    server: Authority,
    clients: Authority,
}

impl Authorities {
    fn new() -> Self {
        Self {
            server: Authority::new("servers"),
            clients: Authority::new("clients"),
        }
    }

    fn roots(&self) -> Roots {
        Roots::from_der([self.clients.certificate.der().to_vec()]).unwrap()
    }

    fn options(&self, clients: ClientCertificates) -> ServerOptions {
        ServerOptions::new(self.server.certificates(&["localhost"])).client_certificates(clients)
    }

    fn with(&self, pair: Option<(Vec<u8>, Vec<u8>)>) -> ClientConfig {
        self.server.client_with(&[], rustls::ALL_VERSIONS, pair)
    }
}

fn answer(server: &Server, config: ClientConfig) -> String {
    let mut client = connect(port_of(server, 0), "localhost", &Arc::new(config));
    get(&mut client, "/")
}

#[test]
fn a_client_is_known_by_its_certificate() {
    let all = Authorities::new();
    for clients in [
        ClientCertificates::optional(all.roots()),
        ClientCertificates::demanded(all.roots()),
    ] {
        let server = telling(all.options(clients));
        for version in [&TLS12, &TLS13] {
            let pair = all.clients.client_pair(|_| {});
            let config = all.server.client_with(&[], &[version], Some(pair));
            let answer = answer(&server, config);
            assert!(
                answer.ends_with("(Some(\"localhost\"), None, 1, false)"),
                "{answer}"
            );
        }
        stop(server);
    }
    let server = telling(all.options(ClientCertificates::optional(all.roots())));
    assert!(answer(&server, all.with(None)).ends_with(" 0, false)"));
    stop(server);
}

#[test]
fn each_refusal_has_its_alert() {
    let all = Authorities::new();
    let foreign = Authority::new("nobody");
    let tomorrow = 2100;
    let lists = |until| Crls::from_pem(all.clients.revoke(7, until).as_bytes()).unwrap();
    let demanded = || ClientCertificates::demanded(all.roots());
    let plain = telling(all.options(demanded()));
    let listed = telling(all.options(demanded().crls(lists(tomorrow))));
    let outdated = telling(all.options(demanded().crls(lists(2021))));
    let others = Crls::from_pem(foreign.revoke(7, tomorrow).as_bytes()).unwrap();
    let unlisted = telling(all.options(demanded().crls(others)));

    let good = all
        .clients
        .client_pair(|it| it.serial_number = Some(6u64.into()));
    let revoked = all
        .clients
        .client_pair(|it| it.serial_number = Some(7u64.into()));
    let expired = all
        .clients
        .client_pair(|it| it.not_after = rcgen::date_time_ymd(2001, 1, 1));
    let early = all
        .clients
        .client_pair(|it| it.not_before = rcgen::date_time_ymd(2101, 1, 1));
    let servers = all.clients.client_pair(|it| {
        it.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    });
    for (server, pair, alert) in [
        (&plain, None, AlertDescription::CertificateRequired),
        (
            &plain,
            Some(foreign.client_pair(|_| {})),
            AlertDescription::UnknownCA,
        ),
        (&plain, Some(expired), AlertDescription::CertificateExpired),
        (&plain, Some(early), AlertDescription::CertificateExpired),
        (
            &plain,
            Some(servers),
            AlertDescription::UnsupportedCertificate,
        ),
        (&listed, Some(revoked), AlertDescription::CertificateRevoked),
        // Of what no list speaks that is good now.
        (&outdated, Some(good.clone()), AlertDescription::UnknownCA),
        (&unlisted, Some(good.clone()), AlertDescription::UnknownCA),
    ] {
        let fault = fault_of(port_of(server, 0), "localhost", all.with(pair));
        assert_eq!(fault, Error::AlertReceived(alert));
    }
    // The others are still served.
    for server in [&plain, &listed] {
        assert!(answer(server, all.with(Some(good.clone()))).ends_with(" 1, false)"));
    }
    for server in [plain, listed, outdated, unlisted] {
        stop(server);
    }
}

/// A request on a connection that stays, so that tickets arrive.
fn ask(server: &Server, config: &Arc<ClientConfig>) -> String {
    let mut client = connect(port_of(server, 0), "localhost", config);
    write!(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = [0; 1024];
    let mut len = 0;
    while !answer[..len].ends_with(b")") {
        len += client.read(&mut answer[len..]).unwrap();
    }
    String::from_utf8_lossy(&answer[..len]).into_owned()
}

#[test]
fn a_session_goes_on_across_loops_and_is_the_same_client() {
    let all = Authorities::new();
    for (version, tickets) in [(&TLS12, true), (&TLS12, false), (&TLS13, true)] {
        let server = telling(all.options(ClientCertificates::demanded(all.roots())));
        let pair = all.clients.client_pair(|_| {});
        let mut config = all.server.client_with(&[], &[version], Some(pair));
        if !tickets {
            config.resumption = config
                .resumption
                .tls12_resumption(Tls12Resumption::SessionIdOnly);
        }
        let config = Arc::new(config);
        assert!(ask(&server, &config).ends_with(" 1, false)"));
        for _ in 0..12 {
            assert!(ask(&server, &config).ends_with(" 1, true)"));
        }
        stop(server);
    }
}

#[test]
fn sessions_outlive_new_certificates_and_no_change_of_the_rules() {
    for (version, resumption) in [
        (&TLS12, Tls12Resumption::SessionIdOnly),
        (&TLS12, Tls12Resumption::SessionIdOrTickets),
        (&TLS13, Tls12Resumption::Disabled),
    ] {
        outlive(version, resumption);
    }
}

fn outlive(version: &'static rustls::SupportedProtocolVersion, resumption: Tls12Resumption) {
    let all = Authorities::new();
    let options = all.options(ClientCertificates::demanded(all.roots()));
    let tls = Tls::new(options.clone()).unwrap();
    let server = telling(tls.clone());
    let pair = all.clients.client_pair(|_| {});
    let mut config = all.server.client_with(&[], &[version], Some(pair));
    config.resumption = config.resumption.tls12_resumption(resumption);
    let config = Arc::new(config);
    assert!(ask(&server, &config).ends_with(" 1, false)"));
    tls.reload(all.server.certificates(&["localhost"])).unwrap();
    assert!(ask(&server, &config).ends_with(" 1, true)"));
    // Other roots: the client is a stranger now, and its ticket does not help.
    let roots = Roots::from_der([all.server.certificate.der().to_vec()]).unwrap();
    let others = all.options(ClientCertificates::demanded(roots));
    tls.replace(others).unwrap();
    let fault = fault_of(port_of(&server, 0), "localhost", (*config).clone());
    assert_eq!(fault, Error::AlertReceived(AlertDescription::UnknownCA));
    tls.replace(options.clone()).unwrap();
    assert!(ask(&server, &config).ends_with(" 1, false)"));
    // Without tickets nothing goes on.
    tls.replace(options.clone().tickets(false)).unwrap();
    for _ in 0..3 {
        assert!(ask(&server, &config).ends_with(" 1, false)"));
    }
    // Nor with none kept where there are no tickets.
    if resumption != Tls12Resumption::SessionIdOnly {
        return stop(server);
    }
    tls.replace(options.sessions(0)).unwrap();
    for _ in 0..3 {
        assert!(ask(&server, &config).ends_with(" 1, false)"));
    }
    stop(server);
}
