//! A bare connection of hyper for each of those at once, on a runtime of one thread.

use bytes::Bytes;
use clients_common::{DOWNLOAD, HELLO, Task, unknown};
use clients_peers::{drain, together};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

async fn connect(task: &Task) -> SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(&task.address)
        .await
        .expect("a connection");
    stream.set_nodelay(true).expect("an option");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("a handshake");
    tokio::task::spawn_local(connection);
    sender
}

fn request(task: &Task, path: &str) -> Request<Empty<Bytes>> {
    Request::get(path)
        .header(header::HOST, &task.address)
        .body(Empty::new())
        .expect("a request")
}

fn main() {
    let task = Task::from_arguments();
    match task.case.as_str() {
        "get" => together(&task, connect, async |task, sender| {
            let response = sender
                .send_request(request(task, "/"))
                .await
                .expect("a response");
            let body = response
                .into_body()
                .collect()
                .await
                .expect("a body")
                .to_bytes();
            assert_eq!(body, HELLO.as_bytes());
            sender.ready().await.expect("an end");
        }),
        "download" => together(&task, connect, async |task, sender| {
            let response = sender.send_request(request(task, "/download")).await;
            assert_eq!(
                drain(response.expect("a response").into_body()).await,
                DOWNLOAD
            );
            sender.ready().await.expect("an end");
        }),
        _ => unknown(&task),
    }
}
