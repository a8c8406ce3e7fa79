//! Where requests go: through proxies, and to Unix sockets.

use barewire::client::{ClientOptions, ErrorKind, Phase, Proxy};

use super::Client;
use super::script::{Act, Server, answer, send};

fn through(proxy: &Server, user: &str) -> Client {
    let proxy = format!("http://{user}{}", proxy.address).parse::<Proxy>();
    Client::with(ClientOptions::new().proxy(proxy.unwrap())).unwrap()
}

#[test]
fn an_http_proxy_forwards_what_is_asked_for_in_full() {
    let proxy = Server::once(vec![Act::Read, answer("a"), Act::Read, answer("b")]);
    let client = through(&proxy, "user:secret@");
    for (path, body) in [("/x?y", "a"), ("/", "b")] {
        let url = format!("http://server.invalid:8080{path}");
        assert_eq!(client.get(&url).send().unwrap().text().unwrap(), body);
    }
    let seen = proxy.seen();
    assert_eq!(
        seen[0].line(),
        "GET http://server.invalid:8080/x?y HTTP/1.1"
    );
    assert_eq!(seen[0].field("host"), Some("server.invalid:8080"));
    assert_eq!(
        seen[0].field("proxy-authorization"),
        Some("Basic dXNlcjpzZWNyZXQ=")
    );
    assert_eq!(seen[1].line(), "GET http://server.invalid:8080/ HTTP/1.1");
}

#[test]
fn servers_may_be_excepted_from_the_proxy() {
    let (proxy, server) = (
        Server::once(vec![Act::Read, answer("proxy")]),
        Server::once(vec![Act::Read, answer("server")]),
    );
    let to = format!("http://{}", proxy.address)
        .parse::<Proxy>()
        .unwrap();
    let options = ClientOptions::new().proxy(to).proxy_except("127.0.0.0/8");
    let response = Client::with(options)
        .unwrap()
        .get(server.url("/"))
        .send()
        .unwrap();
    assert_eq!(response.text().unwrap(), "server");
}

#[cfg(feature = "tls")]
#[test]
fn a_proxy_that_refuses_a_tunnel_is_an_error_of_the_proxy() {
    let refusal = send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let proxy = Server::once(vec![Act::Read, refusal]);
    let error = through(&proxy, "")
        .get("https://server.invalid/")
        .send()
        .unwrap_err();
    assert_eq!(error.phase(), Phase::Proxy, "{error}");
    assert!(error.is_connect() && !error.may_have_been_processed());
    assert!(matches!(error.kind(), ErrorKind::Unreachable(_)));
    assert_eq!(
        proxy.seen()[0].line(),
        "CONNECT server.invalid:443 HTTP/1.1"
    );
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_a_server_whatever_the_host() {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixListener;
    let path = std::env::temp_dir().join(format!("barewire-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nunix")
            .unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let client = Client::with(ClientOptions::new().unix_socket(&path)).unwrap();
    let response = client.get("http://daemon/v1/info").send().unwrap();
    assert_eq!(response.text().unwrap(), "unix");
    let request = serving.join().unwrap();
    assert!(
        request.starts_with("GET /v1/info HTTP/1.1\r\nHost: daemon\r\n"),
        "{request}"
    );
    std::fs::remove_file(&path).unwrap();
    let error = client.get("http://daemon/").send().map(drop);
    drop(error); // the first connection may still be at rest
}
