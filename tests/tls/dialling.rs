//! Our clients over TLS: calls on a channel, and what they are told of servers that
//! cannot be trusted.

use std::error::Error as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use barewire::app::{App, Conversation, ResponseStream, Server, Service};
use barewire::client::{CallOptions, Channel, Ending, GrpcChannelOptions};
use barewire::grpc::{Code, Status};
use barewire::net::{Limits, Loop};
use barewire::tls::{
    Certificates, Client, ClientCertificates, ClientOptions, ConnectionError, Crls, Fault, Roots,
    ServerOptions, Version,
};
use rustls::pki_types::{PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, ServerConfig, ServerConnection};

use crate::support::{Authority, port_of, stop};
use crate::tunnels::tunnels;

type Bytes = Vec<u8>;

/// Gives each message back.
struct Echo;

impl Conversation for Echo {
    type Request = Bytes;
    type Response = Bytes;

    fn message(&mut self, message: Bytes, stream: &mut ResponseStream<'_, '_, Bytes>) {
        stream.send(&message);
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Bytes>) {
        stream.finish(Status::OK);
    }
}

fn serve(certificates: Certificates, address: &str) -> Server {
    serve_with(ServerOptions::new(certificates), address)
}

fn serve_with(options: ServerOptions, address: &str) -> Server {
    let service = Service::new("t.T")
        .unary("Echo", |message: Bytes, _call| Ok(message))
        .unary("Tls", |_message: Bytes, call| {
            let Some(tls) = call.tls() else {
                return Ok(b"in the clear".to_vec());
            };
            let resumed = if tls.is_resumed() { "resumed" } else { "new" };
            let text = format!("{} {:?} {resumed}", tls.version(), tls.alpn());
            Ok(text.into_bytes())
        })
        .unary("Who", |_message: Bytes, call| {
            let mut shown = call.tls().unwrap().peer_certificates();
            Ok(shown.next().unwrap_or_default().to_vec())
        })
        .bidirectional("Chat", |_call| Ok(Echo));
    App::new()
        .grpc(service)
        .listen_tls(address, options)
        .unwrap()
        .spawn()
        .unwrap()
}

pub(crate) fn trusting(authority: &Authority) -> ClientOptions {
    let roots = Roots::from_der([authority.certificate.der().to_vec()]).unwrap();
    ClientOptions::new().root_certs(roots)
}

pub(crate) fn tls(options: ClientOptions) -> Client {
    Client::new(options).unwrap()
}

/// A channel to a port of this machine.
pub(crate) fn dial(port: u16, tls: &Client) -> Channel {
    let options = GrpcChannelOptions::new().tls(tls.clone());
    Channel::connect_with(&format!("https://localhost:{port}"), options).unwrap()
}

fn ask(channel: &Channel, method: &str) -> Result<String, Ending> {
    let path = format!("/t.T/{method}");
    let response = channel.unary::<Bytes, Bytes>(&path, &b"hi".to_vec(), CallOptions::new())?;
    Ok(String::from_utf8(response.message).unwrap())
}

/// Why a call cannot be made: its ending says so, and has the fault behind it.
pub(crate) fn fault(channel: &Channel) -> Fault {
    let ending = ask(channel, "Echo").unwrap_err();
    assert_eq!(ending.code(), Code::Unavailable, "{ending}");
    let cause = ending.source().unwrap_or_else(|| panic!("{ending}"));
    let error = cause.downcast_ref::<ConnectionError>().unwrap();
    assert_eq!(error.server(), "localhost");
    assert!(ending.to_string().contains(&error.to_string()), "{ending}");
    error.fault().clone()
}

#[test]
fn calls_go_over_tls_in_both_directions() {
    let authority = Authority::new("calls");
    let server = serve(authority.certificates(&["localhost"]), "127.0.0.1:0");
    for least in [Version::Tls12, Version::Tls13] {
        let tls = tls(trusting(&authority).least_version(least));
        let channel = dial(port_of(&server, 0), &tls);
        assert_eq!(ask(&channel, "Echo").unwrap(), "hi");
        assert_eq!(ask(&channel, "Tls").unwrap(), "TLS 1.3 Some(\"h2\") new");
        let options = CallOptions::new();
        let (mut sender, mut responses) = channel
            .bidirectional::<Bytes, Bytes>("/t.T/Chat", options)
            .unwrap()
            .split();
        let sent: Vec<Bytes> = (0..40).map(|it| vec![it; 100_000]).collect();
        let all = sent.clone();
        let sending = thread::spawn(move || {
            for message in &all {
                sender.send(message).unwrap();
            }
            sender.close();
        });
        for message in &sent {
            let response = responses.receive().unwrap().unwrap();
            assert!(response == *message, "another message");
        }
        assert!(responses.receive().unwrap().is_none());
        sending.join().unwrap();
    }
    stop(server);
}

#[test]
fn calls_go_over_tls_through_proxies() {
    let authority = Authority::new("tunnels");
    let server = serve(authority.certificates(&["localhost"]), "127.0.0.1:0");
    let target = format!("https://localhost:{}", port_of(&server, 0));
    for is_socks in [false, true] {
        let (proxy, count) = tunnels(is_socks);
        let options = |authority| {
            let options = GrpcChannelOptions::new().proxy(proxy.parse().unwrap());
            options.tls(tls(trusting(authority)))
        };
        let channel = Channel::connect_with(&target, options(&authority)).unwrap();
        assert_eq!(ask(&channel, "Tls").unwrap(), "TLS 1.3 Some(\"h2\") new");
        let large = vec![7; 1_000_000];
        let response = channel.unary::<Bytes, Bytes>("/t.T/Echo", &large, CallOptions::new());
        assert!(response.unwrap().message == large, "another message");

        // On a loop, whose own thread waits for nothing.
        let (tell, told) = std::sync::mpsc::channel();
        let (there, trusted) = (target.clone(), options(&authority));
        let running = thread::spawn(move || {
            let mut events = Loop::new(Limits::DEFAULT).unwrap();
            let channel = Channel::on(&mut events, &there, trusted).unwrap();
            tell.send((channel, events.remote())).unwrap();
            events.run().unwrap();
        });
        let (on_a_loop, remote) = told.recv().unwrap();
        assert_eq!(ask(&on_a_loop, "Echo").unwrap(), "hi");
        drop(on_a_loop);
        remote.drain(Duration::from_secs(60));
        running.join().unwrap();

        // It is the server that has to be trusted, whoever leads there.
        let stranger = options(&Authority::new("stranger"));
        let stranger = Channel::connect_with(&target, stranger).unwrap();
        let found = fault(&stranger);
        assert!(matches!(found, Fault::UnknownIssuer { .. }), "{found:?}");
        assert_eq!(count.load(Ordering::SeqCst), 3);
    }
    stop(server);
}

#[test]
fn a_target_without_a_scheme_goes_over_the_tls_that_is_given() {
    let authority = Authority::new("schemes");
    let server = serve(authority.certificates(&["a.example"]), "127.0.0.1:0");
    let port = port_of(&server, 0);
    let options = || {
        GrpcChannelOptions::new()
            .tls(tls(trusting(&authority)))
            .authority("a.example")
    };
    let channel = Channel::connect_with(&format!("127.0.0.1:{port}"), options()).unwrap();
    assert!(ask(&channel, "Tls").unwrap().starts_with("TLS 1.3"));
    let plain = format!("http://127.0.0.1:{port}");
    let refused = Channel::connect_with(&plain, options()).unwrap_err();
    let text = "its scheme is http, and TLS was given";
    assert!(refused.to_string().contains(text), "{refused}");
    stop(server);
}

#[test]
fn an_address_is_a_name_too() {
    let authority = Authority::new("addresses");
    let server = serve(authority.certificates(&["127.0.0.1"]), "127.0.0.1:0");
    let options = GrpcChannelOptions::new().tls(tls(trusting(&authority)));
    let target = format!("https://127.0.0.1:{}", port_of(&server, 0));
    let channel = Channel::connect_with(&target, options).unwrap();
    assert_eq!(ask(&channel, "Echo").unwrap(), "hi");
    stop(server);
}

#[test]
fn a_second_connection_resumes_the_first() {
    let authority = Authority::new("resumption");
    let server = serve(authority.certificates(&["localhost"]), "127.0.0.1:0");
    let shared = tls(trusting(&authority));
    let said = |tls: &Client| ask(&dial(port_of(&server, 0), tls), "Tls").unwrap();
    assert!(said(&shared).ends_with(" new"));
    assert!(said(&shared.clone()).ends_with(" resumed"));
    let forgetful = tls(trusting(&authority).sessions(0));
    assert!(said(&forgetful).ends_with(" new"));
    assert!(said(&forgetful).ends_with(" new"));
    stop(server);
}

#[test]
fn a_channel_connects_again_when_its_server_was_replaced() {
    let authority = Authority::new("again");
    let certificates = authority.certificates(&["localhost"]);
    let first = serve(certificates.clone(), "127.0.0.1:0");
    let port = port_of(&first, 0);
    let channel = dial(port, &tls(trusting(&authority)));
    assert_eq!(ask(&channel, "Echo").unwrap(), "hi");
    first.handle().shutdown(None); // says GOAWAY
    first.join().unwrap();
    let second = serve(certificates, &format!("127.0.0.1:{port}"));
    let options = CallOptions::new().wait_for_ready(true);
    let response = channel.unary::<Bytes, Bytes>("/t.T/Tls", &Vec::new(), options);
    // The second knows nothing of the first one's tickets.
    let text = String::from_utf8(response.unwrap().message).unwrap();
    assert_eq!(text, "TLS 1.3 Some(\"h2\") new");
    stop(second);
}

/// Seconds of a certificate's validity, as years.
fn issued(authority: &Authority, names: &[&str], years: (i32, i32)) -> Certificates {
    let (certificate, key) = authority.issue_with(names, |params| {
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    });
    Certificates::from_der([certificate], key).unwrap()
}

#[test]
fn a_certificate_that_cannot_be_trusted_is_refused_with_its_fault() {
    let (authority, other) = (Authority::new("good"), Authority::new("other"));
    let client = tls(trusting(&authority));
    let found = |certificates| {
        let server = serve(certificates, "127.0.0.1:0");
        let fault = fault(&dial(port_of(&server, 0), &client));
        stop(server);
        fault
    };
    let names = ["localhost"];
    let Fault::Expired { until: Some(until) } = found(issued(&authority, &names, (2000, 2001)))
    else {
        panic!("not expired");
    };
    let since_1970 = until.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(since_1970.as_secs(), 978_307_200); // 2001
    let early = found(issued(&authority, &names, (2100, 2101)));
    assert!(
        matches!(early, Fault::NotYetValid { from: Some(_) }),
        "{early:?}"
    );
    let issuer = Some("other".into());
    assert_eq!(
        found(other.certificates(&names)),
        Fault::UnknownIssuer { issuer }
    );
    let names = vec!["a.example".into(), "*.b.example".into(), "10.0.0.1".into()];
    let wrong = found(authority.certificates(&["a.example", "*.b.example", "10.0.0.1"]));
    assert_eq!(wrong, Fault::WrongName { names });
    let own = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    let key = own.signing_key.serialize_der();
    let own = Certificates::from_der([own.cert.der().to_vec()], key).unwrap();
    assert_eq!(found(own), Fault::SelfSigned);
}

#[test]
fn a_list_revokes_and_what_no_list_covers_is_not_trusted_either() {
    let authority = Authority::new("revoking");
    let serial = |number: u64| {
        let (certificate, key) = authority.issue_with(&["localhost"], |params| {
            params.serial_number = Some(number.into());
        });
        Certificates::from_der([certificate], key).unwrap()
    };
    let (good, revoked) = (
        serve(serial(1), "127.0.0.1:0"),
        serve(serial(2), "127.0.0.1:0"),
    );
    let with = |list: &str| {
        let lists = Crls::from_pem(list.as_bytes()).unwrap();
        tls(trusting(&authority).crls(lists))
    };
    let list = with(&authority.revoke(2, 2100));
    assert_eq!(ask(&dial(port_of(&good, 0), &list), "Echo").unwrap(), "hi");
    assert_eq!(fault(&dial(port_of(&revoked, 0), &list)), Fault::Revoked);
    // Outdated, and of somebody else.
    for list in [
        authority.revoke(2, 2021),
        Authority::new("else").revoke(2, 2100),
    ] {
        let fault = fault(&dial(port_of(&good, 0), &with(&list)));
        assert_eq!(fault, Fault::RevocationUnknown);
    }
    let without = tls(trusting(&authority));
    assert_eq!(
        ask(&dial(port_of(&revoked, 0), &without), "Echo").unwrap(),
        "hi"
    );
    stop(good);
    stop(revoked);
}

/// A server that accepts one connection after another, and has each for itself.
pub(crate) fn peer(act: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            act(stream.unwrap());
        }
    });
    port
}

pub(crate) fn config(
    authority: &Authority,
    versions: &[&'static rustls::SupportedProtocolVersion],
    wants_client: bool,
    alpn: &[&str],
) -> Arc<ServerConfig> {
    let (certificate, key) = authority.issue(&["localhost"]);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .unwrap();
    let builder = match wants_client {
        true => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.certificate.der().clone()).unwrap();
            let of = WebPkiClientVerifier::builder_with_provider;
            builder.with_client_cert_verifier(of(Arc::new(roots), provider).build().unwrap())
        }
        false => builder.with_no_client_auth(),
    };
    let key = PrivateKeyDer::try_from(key).unwrap();
    let mut config = builder
        .with_single_cert(vec![certificate.into()], key)
        .unwrap();
    config.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
    config.alpn_protocols = alpn.iter().map(|it| it.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// A server of rustls, which shakes hands and does no more; the certificates that
/// clients have shown, if it has agreed with them.
fn stock(config: Arc<ServerConfig>) -> (u16, Receiver<Option<Vec<u8>>>) {
    let (send, shown) = channel();
    let port = peer(move |mut stream| {
        let mut connection = ServerConnection::new(config.clone()).unwrap();
        while connection.is_handshaking() {
            if connection.complete_io(&mut stream).is_err() {
                // What it has to say to that has to arrive.
                while stream.read(&mut [0; 1000]).is_ok_and(|it| it > 0) {}
                return;
            }
        }
        let shown = connection.peer_certificates().map(|it| it[0].to_vec());
        drop(send.send(shown)); // the test may be over
        // Cut off, without a word.
    });
    (port, shown)
}

#[test]
fn a_server_that_does_not_agree_on_http2_is_refused() {
    let authority = Authority::new("protocols");
    let client = tls(trusting(&authority));
    let offered = vec!["h2".to_string()];
    for alpn in [&["http/1.1"][..], &[]] {
        let (port, _) = stock(config(&authority, rustls::ALL_VERSIONS, false, alpn));
        let fault = fault(&dial(port, &client));
        assert_eq!(
            fault,
            Fault::NoProtocol {
                offered: offered.clone()
            }
        );
    }
}

#[test]
fn a_client_shows_its_certificate_where_it_is_asked_for_one() {
    let authority = Authority::new("clients");
    let (port, shown) = stock(config(&authority, rustls::ALL_VERSIONS, true, &["h2"]));
    let fault = fault(&dial(port, &tls(trusting(&authority))));
    assert_eq!(fault, Fault::Alert { code: 116 }); // certificate_required
    // Of two, the one whose issuer the server names.
    let other = Authority::new("nobody").certificates(&["me"]);
    let (certificate, key) = authority.issue(&["me"]);
    let own = Certificates::from_der([certificate.clone()], key).unwrap();
    let options = trusting(&authority).client_cert(other.and(own));
    let channel = dial(port, &tls(options));
    ask(&channel, "Echo").unwrap_err(); // the server does no more
    assert_eq!(shown.recv().unwrap(), Some(certificate));
}

#[test]
fn our_server_knows_our_client_by_its_certificate() {
    let (authority, clients) = (Authority::new("servers"), Authority::new("users"));
    let roots = Roots::from_der([clients.certificate.der().to_vec()]).unwrap();
    let options = ServerOptions::new(authority.certificates(&["localhost"]));
    let options = options.client_certificates(ClientCertificates::demanded(roots));
    let server = serve_with(options, "127.0.0.1:0");
    let port = port_of(&server, 0);
    let (certificate, key) = clients.issue(&["me"]);
    let own = Certificates::from_der([certificate.clone()], key).unwrap();
    let tls_of = |own: Certificates| tls(trusting(&authority).client_cert(own));
    let mine = tls_of(own);
    // The second one resumes the first: the server still knows.
    for _ in 0..2 {
        let channel = dial(port, &mine);
        let who = channel.unary::<Bytes, Bytes>("/t.T/Who", &Vec::new(), CallOptions::new());
        assert_eq!(who.unwrap().message, certificate);
    }
    assert!(
        ask(&dial(port, &mine), "Tls")
            .unwrap()
            .ends_with(" resumed")
    );
    let nobody = dial(port, &tls(trusting(&authority)));
    assert_eq!(fault(&nobody), Fault::Alert { code: 116 }); // certificate_required
    let foreign = Authority::new("foreign").certificates(&["me"]);
    let foreign = dial(port, &tls_of(foreign));
    assert_eq!(fault(&foreign), Fault::Alert { code: 48 }); // unknown_ca
    stop(server);
}

#[test]
fn the_time_may_come_from_elsewhere() {
    #[derive(Debug)]
    struct Later;

    impl TimeProvider for Later {
        fn current_time(&self) -> Option<UnixTime> {
            let years = |count: u64| Duration::from_secs(count * 365 * 86_400);
            Some(UnixTime::since_unix_epoch(years(130)))
        }
    }

    let authority = Authority::new("times");
    let server = serve(
        issued(&authority, &["localhost"], (2000, 2090)),
        "127.0.0.1:0",
    );
    let (port, options) = (port_of(&server, 0), trusting(&authority));
    assert_eq!(
        ask(&dial(port, &tls(options.clone())), "Echo").unwrap(),
        "hi"
    );
    let later = tls(options.time_provider(Arc::new(Later)));
    assert!(matches!(fault(&dial(port, &later)), Fault::Expired { .. }));
    stop(server);
}

#[test]
fn a_server_that_goes_without_a_word_has_lost_its_calls() {
    let authority = Authority::new("cut");
    let (port, _) = stock(config(&authority, rustls::ALL_VERSIONS, false, &["h2"]));
    let ending = ask(&dial(port, &tls(trusting(&authority))), "Echo").unwrap_err();
    assert_eq!(ending.code(), Code::Unavailable);
    let text = "connection was lost before the server's first frame";
    assert!(ending.to_string().contains(text), "{ending}");
}

#[test]
fn what_speaks_no_tls_is_told_apart() {
    let authority = Authority::new("plain");
    let port = peer(|mut stream| {
        drop(stream.read(&mut [0; 1000]));
        let answer = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).unwrap();
        while stream.read(&mut [0; 1000]).is_ok_and(|it| it > 0) {}
    });
    assert_eq!(
        fault(&dial(port, &tls(trusting(&authority)))),
        Fault::NotTls
    );
    // One that hangs up leaves no more to say than that.
    let port = peer(|mut stream| drop(stream.read(&mut [0; 1000])));
    let ending = ask(&dial(port, &tls(trusting(&authority))), "Echo").unwrap_err();
    assert!(
        ending.to_string().contains("the handshake failed"),
        "{ending}"
    );
}
