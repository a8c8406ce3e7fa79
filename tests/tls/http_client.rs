//! The HTTP client over TLS: what is spoken is agreed on.

use barewire::app::App;
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
