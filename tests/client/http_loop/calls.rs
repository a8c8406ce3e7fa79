//! What a call tells, and in which order.

use barewire::client::{Body, ErrorKind};
use barewire::net::Flow;

use super::script::{Act, Server, answer, redirect, send};
use super::support::Scene;

#[test]
fn a_call_tells_head_pieces_and_end_in_order() {
    let server = Server::once(vec![
        Act::Read,
        send(
            "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        send("3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n"),
    ]);
    let mut scene = Scene::new();
    let call = scene.get(&server.url("/"));
    let lines = call.log.lines();
    assert_eq!(lines[..2], ["informational 103", "head 200"]);
    assert_eq!(call.log.body(), "abcde");
    assert_eq!(lines.last().unwrap(), "end 7");
    assert!(call.call.is_over());
    assert_eq!(server.lines(), [(0, "GET / HTTP/1.1".into())]);
}

#[test]
fn a_connection_is_used_again_and_one_that_was_closed_is_not() {
    let server = Server::start([
        vec![Act::Read, answer("a"), Act::Read, answer("b"), Act::Fin],
        vec![Act::Read, answer("c")],
    ]);
    let mut scene = Scene::new();
    for body in ["a", "b"] {
        assert_eq!(scene.get(&server.url("/")).log.body(), body);
    }
    let metrics = scene.client.metrics();
    assert_eq!(
        (metrics.connections_opened(), metrics.connections_reused()),
        (1, 1)
    );
    server.wait();
    let client = scene.client.clone();
    scene.until(|| client.metrics().connections() == 0);
    assert_eq!(scene.get(&server.url("/")).log.body(), "c");
    assert_eq!(scene.client.metrics().connections_opened(), 2);
}

#[test]
fn redirects_are_followed_over_connections_and_methods() {
    let server = Server::start([vec![
        Act::Read,
        redirect(303, "/there"),
        Act::Read,
        answer("here"),
    ]]);
    let mut scene = Scene::new();
    let call = scene.open(scene.client.post(server.url("/from")).body("form"));
    scene.finish(&call);
    assert_eq!(call.log.body(), "here");
    assert_eq!(
        server.lines(),
        [
            (0, "POST /from HTTP/1.1".into()),
            (0, "GET /there HTTP/1.1".into())
        ]
    );
}

#[test]
fn a_body_that_is_written_in_pieces_leaves_as_it_is_written() {
    let server = Server::once(vec![Act::Read, answer("got it")]);
    let mut scene = Scene::new();
    let call = scene.open(scene.client.put(server.url("/")).body(Body::pieces()));
    assert_eq!(call.call.write(b"one"), Flow::Go);
    scene.pass(std::time::Duration::from_millis(50));
    assert_eq!(call.call.write(b"two"), Flow::Go);
    call.call.finish();
    assert!(matches!(call.call.write(b"late"), Flow::Over(_)));
    scene.finish(&call);
    assert_eq!(call.log.body(), "got it");
    assert_eq!(server.seen()[0].body(), "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
}

#[test]
fn what_is_wrong_with_a_request_is_said_before_anything_is_sent() {
    let scene = Scene::new();
    let request = scene.client.get("http://a b/");
    let refused = scene.client.send_then(request, |answer| {
        let error = answer.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Url(_)), "{error}");
    });
    assert!(refused.is_none());
}
