//! Compressed WebSockets.

use std::io::Read as _;

use barewire::app::App;
use barewire::websocket::deflate::Policy;
use barewire::wire::codec::Compression;

use super::scene::{INIT, hear, route, running, say, subscribe, websocket};
use crate::app_support::{Running, read_until};

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate; \
                     server_no_context_takeover; client_no_context_takeover\r\n";

#[test]
fn messages_are_compressed_by_choice() {
    let route = route().deflate(Policy::DEFAULT, Compression::DEFAULT);
    let running = Running::start(App::new().graphql("/graphql", route));
    let mut stream = websocket(&running, "graphql-transport-ws", OFFER);
    let head = read_until(&mut stream, "\r\n\r\n").to_lowercase();
    assert!(
        head.contains("sec-websocket-extensions: permessage-deflate"),
        "{head}"
    );
    let token = "secret ".repeat(100);
    let init = format!(r#"{{"type":"connection_init","payload":{{"token":"{token}"}}}}"#);
    say(&mut stream, &init);
    let (_, ack) = hear_deflated(&mut stream);
    assert_eq!(ack, r#"{"type":"connection_ack"}"#);
    say(&mut stream, &subscribe("1", "{ init }"));
    let (is_compressed, next) = hear_deflated(&mut stream);
    assert!(is_compressed && next.contains(&token), "{next}");
}

#[test]
fn without_it_they_are_not() {
    let running = running();
    let mut stream = websocket(&running, "graphql-transport-ws", OFFER);
    let head = read_until(&mut stream, "\r\n\r\n").to_lowercase();
    assert!(!head.contains("sec-websocket-extensions"), "{head}");
    say(&mut stream, INIT);
    assert_eq!(hear(&mut stream).unwrap(), r#"{"type":"connection_ack"}"#);
}

/// A text message, and whether it was compressed: short ones are not.
fn hear_deflated(stream: &mut std::net::TcpStream) -> (bool, String) {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    assert!(head[1] < 126);
    let mut payload = vec![0; usize::from(head[1])];
    stream.read_exact(&mut payload).unwrap();
    match head[0] {
        0x81 => (false, String::from_utf8(payload).unwrap()),
        0xC1 => {
            payload.extend_from_slice(&[0, 0, 0xFF, 0xFF]);
            let mut text = String::new();
            let mut inflated = flate2::read::DeflateDecoder::new(&*payload);
            // It ends with a flush, and not with a last block.
            let _ = inflated.read_to_string(&mut text);
            (true, text)
        }
        other => panic!("{other:x}"),
    }
}
