//! reqwest, on a runtime of one thread.

use clients_common::{DOWNLOAD, HELLO, Task, unknown};
use clients_peers::together;
use reqwest::Client;

fn main() {
    let task = Task::from_arguments();
    let client = Client::new();
    match task.case.as_str() {
        "get" => together(
            &task,
            async |task| (client.clone(), task.url("/")),
            async |_, (client, url)| {
                let response = client.get(&*url).send().await.expect("a response");
                let body = response.bytes().await.expect("a body");
                assert_eq!(body, HELLO.as_bytes());
            },
        ),
        "download" => together(
            &task,
            async |task| (client.clone(), task.url("/download")),
            async |_, (client, url)| {
                let mut response = client.get(&*url).send().await.expect("a response");
                let mut length = 0;
                while let Some(piece) = response.chunk().await.expect("a piece") {
                    length += piece.len();
                }
                assert_eq!(length, DOWNLOAD);
            },
        ),
        _ => unknown(&task),
    }
}
