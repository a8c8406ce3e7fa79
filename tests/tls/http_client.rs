//! The HTTP client over TLS: what is spoken is agreed on.

use barewire::app::{App, TrustedProxies};
use barewire::client::{Client, ClientOptions};
use barewire::http::Version;
use barewire::net::Address;

use super::dialling::{tls, trusting};
use super::support::Authority;

/// What a client with these options is told of its own request.
fn told(authority: &Authority, url: &str, options: ClientOptions) -> Vec<(Version, String)> {
    let options = options.no_proxy().tls(tls(trusting(authority)));
    let client = Client::with(options).unwrap();
    let told = (0..8).map(|_| {
        let (client, url) = (client.clone(), url.to_owned());
        std::thread::spawn(move || {
            let response = client.get(&url).send().unwrap();
            (response.version(), response.text().unwrap())
        })
    });
    let running: Vec<_> = told.collect();
    running.into_iter().map(|it| it.join().unwrap()).collect()
}

#[test]
fn http2_is_spoken_where_both_sides_offer_it() {
    let authority = Authority::new("root");
    let app = App::new().get("/", |request, reply| {
        let by = request.tls().map(|it| format!("{:?}", it.alpn()));
        reply.text(format!("{:?} {by:?}", request.peer()))
    });
    let server = app
        .listen_tls("127.0.0.1:0", authority.certificates(&["localhost"]))
        .unwrap()
        .spawn()
        .unwrap();
    let [Address::Tcp(address)] = server.tls_addresses() else {
        panic!()
    };
    let url = format!("https://localhost:{}/", address.port());
    for options in [
        ClientOptions::new(),
        ClientOptions::new().http2_prior_knowledge(),
    ] {
        let all = told(&authority, &url, options);
        assert!(all.iter().all(|(version, _)| *version == Version::Http2));
        // All on one connection.
        assert!(all.iter().all(|told| *told == all[0]), "{all:?}");
        assert!(all[0].1.contains("h2"), "{all:?}");
    }
    let all = told(&authority, &url, ClientOptions::new().http1_only());
    assert!(all.iter().all(|(version, _)| *version == Version::Http11));
    server.handle().shutdown(None);
    server.join().unwrap();
}

#[test]
fn a_client_on_a_loop_agrees_on_what_is_spoken_and_says_what_it_does_not_trust() {
    use barewire::client::{LoopClient, Phase};
    use barewire::net::{Limits, Loop};
    use std::cell::RefCell;
    use std::rc::Rc;
    let authority = Authority::new("root");
    let app = App::new().get("/", |_request, reply| reply.text("over TLS"));
    let server = app
        .listen_tls("127.0.0.1:0", authority.certificates(&["localhost"]))
        .unwrap()
        .spawn()
        .unwrap();
    let [Address::Tcp(address)] = server.tls_addresses() else {
        panic!()
    };
    let url = format!("https://localhost:{}/", address.port());
    let other = Authority::new("another root");
    for (options, trusts, version) in [
        (ClientOptions::new(), &authority, Some(Version::Http2)),
        (
            ClientOptions::new().http1_only(),
            &authority,
            Some(Version::Http11),
        ),
        (ClientOptions::new(), &other, None),
    ] {
        let mut events = Loop::new(Limits::DEFAULT).unwrap();
        let options = options.no_proxy().tls(tls(trusting(trusts)));
        let client = LoopClient::on(&mut events, options).unwrap();
        let answers = Rc::new(RefCell::new(Vec::new()));
        for _ in 0..4 {
            let told = answers.clone();
            client.send_then(client.get(&url), move |answer| {
                told.borrow_mut().push(answer)
            });
        }
        while answers.borrow().len() < 4 {
            events.turn(None).unwrap();
        }
        for answer in answers.take() {
            match (answer, version) {
                (Ok(answer), Some(version)) => {
                    assert_eq!(
                        (answer.version(), answer.text().unwrap()),
                        (version, "over TLS".into())
                    );
                }
                (Err(error), None) => {
                    assert_eq!(error.phase(), Phase::Tls, "{error}");
                    assert!(error.to_string().contains("certificate"), "{error}");
                }
                (answer, _) => panic!("{answer:?}"),
            }
        }
        let opened = client.metrics().connections_opened();
        assert_eq!(
            opened,
            u64::from(version == Some(Version::Http2))
                + 4 * u64::from(version == Some(Version::Http11))
        );
    }
    server.handle().shutdown(None);
    server.join().unwrap();
}

#[test]
fn a_host_that_a_trusted_proxy_forwards_need_not_be_in_the_certificate() {
    let authority = Authority::new("root");
    let networks = ["127.0.0.1", "::1"].map(|it| it.parse().unwrap());
    let proxies = TrustedProxies::new(networks)
        .x_forwarded_for()
        .x_forwarded_host();
    let app = App::new()
        .trust_proxies(proxies)
        .post("/", |request, reply| {
            let peer = request.peer().map(|it| it.to_string());
            let base = request.base_url();
            let length = request.body().len();
            reply.text(format!("{peer:?} {base:?} {length}"))
        });
    let server = app
        .listen_tls("127.0.0.1:0", authority.certificates(&["localhost"]))
        .unwrap()
        .spawn()
        .unwrap();
    let [Address::Tcp(address)] = server.tls_addresses() else {
        panic!()
    };
    let url = format!("https://localhost:{}/", address.port());
    for options in [ClientOptions::new(), ClientOptions::new().http1_only()] {
        let options = options.no_proxy().tls(tls(trusting(&authority)));
        let client = Client::with(options).unwrap();
        let post = client.post(&url).body(vec![b'a'; 200_000]);
        let post = post.header("X-Forwarded-For", "192.0.2.7");
        let response = post
            .header("X-Forwarded-Host", "public.example")
            .send()
            .unwrap();
        let expected = "Some(\"192.0.2.7:0\") Some(\"https://public.example\") 200000";
        assert_eq!(response.text().unwrap(), expected);
    }
    server.handle().shutdown(None);
    server.join().unwrap();
}
