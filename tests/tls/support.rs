//! Certificates that the tests make, and clients that talk to a server over TLS.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use barewire::app::{App, Server};
use barewire::net::Address;
use barewire::tls::{Certificates, Server as Tls};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A certificate authority of the tests.
pub(crate) struct Authority {
    pub(crate) certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = rcgen::CertificateParams::new([]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            certificate,
            issuer: rcgen::Issuer::new(params, key),
        }
    }

    /// A certificate for these names, as DER with its key.
    pub(crate) fn issue(&self, names: &[&str]) -> (Vec<u8>, Vec<u8>) {
        self.issue_with(names, |_| {})
    }

    /// Such a certificate, otherwise than usual.
    pub(crate) fn issue_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut rcgen::CertificateParams),
    ) -> (Vec<u8>, Vec<u8>) {
        let names: Vec<String> = names.iter().map(|it| it.to_string()).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().to_vec(), key.serialize_der())
    }

    /// A list in PEM that revokes the certificate of this number, and is good from 2020
    /// until a year.
    pub(crate) fn revoke(&self, serial: u64, until: i32) -> String {
        let revoked = rcgen::RevokedCertParams {
            serial_number: serial.into(),
            revocation_time: rcgen::date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = rcgen::CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2020, 1, 1),
            next_update: rcgen::date_time_ymd(until, 1, 1),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    /// A client's certificate: changed by `change`.
    pub(crate) fn client_pair(
        &self,
        change: impl FnOnce(&mut rcgen::CertificateParams),
    ) -> (Vec<u8>, Vec<u8>) {
        let mut params = rcgen::CertificateParams::new([]).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "client");
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().to_vec(), key.serialize_der())
    }

    pub(crate) fn certificates(&self, names: &[&str]) -> Certificates {
        let (certificate, key) = self.issue(names);
        Certificates::from_der([certificate], key).unwrap()
    }

    /// What a client has that trusts this authority alone.
    pub(crate) fn client(&self, alpn: &[&str]) -> ClientConfig {
        self.client_with(alpn, rustls::ALL_VERSIONS, None)
    }

    /// That of certain versions, which may have a certificate itself.
    pub(crate) fn client_with(
        &self,
        alpn: &[&str],
        versions: &[&'static rustls::SupportedProtocolVersion],
        pair: Option<(Vec<u8>, Vec<u8>)>,
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match pair {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => config
                .with_client_auth_cert(vec![certificate.into()], key.try_into().unwrap())
                .unwrap(),
        };
        config.alpn_protocols = alpn.iter().map(|it| it.as_bytes().to_vec()).collect();
        config
    }
}

pub(crate) fn port_of(server: &Server, at: usize) -> u16 {
    match &server.local_addresses()[at] {
        Address::Tcp(address) => address.port(),
        Address::Unix(_) => unreachable!(),
    }
}

pub(crate) type Client = StreamOwned<ClientConnection, TcpStream>;

/// A connection to this machine, which nothing has been said over.
pub(crate) fn connect(port: u16, name: &str, config: &Arc<ClientConfig>) -> Client {
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_nodelay(true).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(config.clone(), name).unwrap(), socket)
}

/// All that comes for a request that closes.
pub(crate) fn get(client: &mut Client, path: &str) -> String {
    write!(
        client,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut all = String::new();
    client.read_to_string(&mut all).unwrap();
    all
}

/// Serves the routes that the tests ask for.
pub(crate) fn app() -> App {
    App::new()
        .get("/", |_request, reply| reply.text("hello"))
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        })
}

/// Why a client cannot connect.
pub(crate) fn fault_of(port: u16, name: &str, config: ClientConfig) -> rustls::Error {
    let mut client = connect(port, name, &Arc::new(config));
    let error = loop {
        match client.conn.complete_io(&mut client.sock) {
            Ok(_) if client.conn.is_handshaking() => {}
            // A server's refusal of the client's certificate comes behind the handshake.
            Ok(_) => match client.read(&mut [0]) {
                Ok(_) => panic!("the handshake was no failure"),
                Err(error) => break error,
            },
            Err(error) => break error,
        }
    };
    let cause = error.into_inner().unwrap();
    cause.downcast_ref::<rustls::Error>().unwrap().clone()
}

pub(crate) fn stop(server: Server) {
    server.handle().shutdown(core::time::Duration::ZERO);
    server.join().unwrap();
}

/// An app that says what it knows of its connection, behind this.
pub(crate) fn telling(tls: impl TryInto<Tls, Error: Into<barewire::tls::Error>>) -> Server {
    App::new()
        .get("/", |request, reply| {
            let tls = request.tls().unwrap();
            let names = (
                tls.server_name(),
                tls.alpn(),
                tls.peer_certificates().len(),
                tls.is_resumed(),
            );
            reply.text(format!(
                "{} {} {names:?}",
                tls.version(),
                tls.cipher_suite()
            ))
        })
        .listen_tls("127.0.0.1:0", tls)
        .unwrap()
        .threads(4)
        .spawn()
        .unwrap()
}
