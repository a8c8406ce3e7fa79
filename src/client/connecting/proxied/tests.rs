use super::*;
use alloc::string::ToString as _;

/// The result of a conversation with a proxy.
#[derive(Debug, PartialEq, Eq)]
struct Talk {
    said: Vec<Vec<u8>>,
    server: Vec<u8>,
    error: Option<String>,
}

/// Gives `pieces` to a way through `proxy` to `host`, each after what was not used.
fn talk(proxy: &str, host: &str, pieces: &[&[u8]]) -> Talk {
    let proxy = Proxy::parse(proxy).unwrap();
    let mut way = Proxied::new(&proxy, host, 443, None).unwrap();
    let mut talk = Talk {
        said: Vec::new(),
        server: Vec::new(),
        error: None,
    };
    let mut kept: Vec<u8> = Vec::new();
    for piece in [&b""[..]].iter().chain(pieces) {
        kept.extend_from_slice(piece);
        loop {
            let mut out = Vec::new();
            let opened = way.open(&mut kept, &mut out);
            if !out.is_empty() {
                talk.said.push(out);
            }
            match opened {
                Ok(Received { used, step }) => {
                    if let Step::Event(found) = step {
                        talk.server.extend_from_slice(&kept[found]);
                    }
                    kept.drain(..used);
                    if used == 0 || kept.is_empty() {
                        break;
                    }
                }
                Err(error) => {
                    talk.error = Some(error.to_string());
                    assert!(way.details().unwrap().is::<ProxyError>());
                    assert!(way.open(&mut kept, &mut Vec::new()).is_err());
                    return talk;
                }
            }
        }
    }
    assert_eq!(way.agreed().is_some(), !talk.server.is_empty());
    talk
}

/// Gives the transport the same input byte by byte.
fn talk_slowly(proxy: &str, host: &str, said: &[&[u8]]) -> Talk {
    let bytes = said.concat();
    let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
    talk(proxy, host, &pieces)
}

const SERVER: &[u8] = b"from the server";

#[test]
fn a_tunnel_is_asked_for_and_what_stands_behind_the_answer_is_the_servers() {
    let ask = b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";
    let answer = b"HTTP/1.1 200 Connection established\r\nContent-Length: 7\r\n\r\n";
    let interim = b"HTTP/1.1 103 Early Hints\r\n\r\n";
    for all in [&[&answer[..], SERVER][..], &[&interim[..], answer, SERVER]] {
        for talk in [
            talk("http://p", "a.example", &[&all.concat()]),
            talk_slowly("http://p", "a.example", all),
        ] {
            assert_eq!(talk.said, [ask.to_vec()]);
            assert_eq!((&*talk.server, talk.error), (SERVER, None));
        }
    }
    let talk = talk("http://u:p@p", "::1", &[]);
    let said = String::from_utf8(talk.said.concat()).unwrap();
    assert!(said.starts_with("CONNECT [::1]:443 HTTP/1.1\r\n"), "{said}");
    assert!(said.contains("\r\nProxy-Authorization: Basic dTpw\r\n"));
}

#[test]
fn an_http_proxy_that_refuses_or_is_none_says_why() {
    for (answer, text) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
            "does not accept user and password",
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
            "does not accept user and password",
        ),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\nno", "status 502"),
        (
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "does not speak HTTP/1.1",
        ),
        ("SSH-2.0-OpenSSH_9\r\n", "does not speak HTTP/1.1"),
    ] {
        let talk = talk("http://p", "a", &[answer.as_bytes()]);
        assert!(talk.error.unwrap().contains(text), "{answer}");
    }
    let endless = [b'a'; 70_000];
    let talk = talk("http://p", "a", &[b"HTTP/1.1 200 OK\r\nA: ", &endless]);
    assert!(talk.error.is_some());
}

#[test]
fn socks_says_names_and_addresses() {
    let answers: [&[u8]; 3] = [
        b"\x05\0\x05\0\0\x01\x7f\0\0\x01\x04\x38",
        b"\x05\0\x05\0\0\x03\x05bound\0\0",
        b"\x05\0\x05\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0",
    ];
    let v6 = b"\x05\x01\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb";
    for (host, ask) in [
        ("a.example", &b"\x05\x01\0\x03\x09a.example\x01\xbb"[..]),
        ("127.0.0.1", b"\x05\x01\0\x01\x7f\0\0\x01\x01\xbb"),
        ("::1", v6),
    ] {
        for answer in answers {
            let slow = talk_slowly("socks5h://p", host, &[answer, SERVER]);
            let fast = talk("socks5h://p", host, &[&answer[..2], &answer[2..], SERVER]);
            assert_eq!(slow, fast);
            assert_eq!(slow.said, [b"\x05\x01\0".to_vec(), ask.to_vec()]);
            assert_eq!((&*slow.server, slow.error), (SERVER, None));
        }
    }
}

#[test]
fn socks_says_user_and_password_where_they_are_asked_for() {
    let answers: &[&[u8]] = &[b"\x05\x02", b"\x01\0", b"\x05\0\0\x01\0\0\0\0\0\0", SERVER];
    let talk = talk_slowly("socks5://me:pass@p", "127.0.0.1", answers);
    assert_eq!(talk.said[0], b"\x05\x02\0\x02");
    assert_eq!(talk.said[1], b"\x01\x02me\x04pass");
    assert_eq!(talk.server, SERVER);
}

#[test]
fn a_socks_proxy_that_refuses_or_is_none_says_why() {
    let unauthorized = "does not accept user and password";
    for (proxy, answer, text) in [
        ("socks5://p", &b"\x05\xff"[..], unauthorized),
        ("socks5://p", b"\x05\x02", "does not speak SOCKS5"), // it was not offered
        ("socks5://u:p@p", b"\x05\x02\x01\x01", unauthorized),
        (
            "socks5://p",
            b"\x05\0\x05\x05\0\x01\0\0\0\0\0\0",
            "connection refused",
        ),
        (
            "socks5://p",
            b"\x05\0\x05\x63\0\x01\0\0\0\0\0\0",
            "unknown code",
        ),
        ("socks5://p", b"\x05\0\x05\0\0\x09", "does not speak SOCKS5"),
        ("socks5://p", b"\x05\0\x04\0\0\x01", "does not speak SOCKS5"),
        (
            "socks5://p",
            b"HTTP/1.1 400 Bad Request",
            "does not speak SOCKS5",
        ),
    ] {
        let talk = talk(proxy, "127.0.0.1", &[answer]);
        assert!(talk.error.clone().unwrap().contains(text), "{talk:?}");
    }
    let proxy = Proxy::parse("socks5h://p").unwrap();
    let refused = Proxied::new(&proxy, &"a".repeat(256), 80, None);
    assert_eq!(refused.unwrap_err(), ProxyError::TooLong);
}
