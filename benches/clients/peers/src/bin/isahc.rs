//! isahc, whose one thread of libcurl serves all others.

use clients_common::{BUFFER, HELLO, Task, blocking, drain, unknown};
use isahc::{HttpClient, ReadResponseExt as _};

fn main() {
    let task = Task::from_arguments();
    let client = HttpClient::new().expect("a client");
    match task.case.as_str() {
        "get" => blocking(&task, || {
            let (client, url) = (client.clone(), task.url("/"));
            move || {
                let mut response = client.get(&url).expect("a response");
                assert_eq!(response.bytes().expect("a body"), HELLO.as_bytes());
            }
        }),
        "download" => blocking(&task, || {
            let (client, url) = (client.clone(), task.url("/download"));
            let mut buffer = vec![0; BUFFER];
            move || {
                let response = client.get(&url).expect("a response");
                drain(response.into_body(), &mut buffer);
            }
        }),
        _ => unknown(&task),
    }
}
