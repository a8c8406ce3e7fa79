//! The client with a pool of hyper-util, on a runtime of one thread.

use bytes::Bytes;
use clients_common::{DOWNLOAD, HELLO, Task, unknown};
use clients_peers::{drain, together};
use http_body_util::{BodyExt as _, Empty};
use hyper::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

fn main() {
    let task = Task::from_arguments();
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let path = match task.case.as_str() {
        "get" => "/",
        "download" => "/download",
        _ => unknown(&task),
    };
    let url: Uri = task.url(path).parse().expect("a URL");
    let make = async |_: &Task| (client.clone(), url.clone());
    match path {
        "/" => together(&task, make, async |_, (client, url)| {
            let response = client.get(url.clone()).await.expect("a response");
            let body = response
                .into_body()
                .collect()
                .await
                .expect("a body")
                .to_bytes();
            assert_eq!(body, HELLO.as_bytes());
        }),
        _ => together(&task, make, async |_, (client, url)| {
            let response = client.get(url.clone()).await.expect("a response");
            assert_eq!(drain(response.into_body()).await, DOWNLOAD);
        }),
    }
}
