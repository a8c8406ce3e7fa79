//! The blocking face of reqwest, a client for all threads.

use clients_common::{BUFFER, HELLO, Task, blocking, drain, unknown};
use reqwest::blocking::Client;

fn main() {
    let task = Task::from_arguments();
    let client = Client::builder().timeout(None).build().expect("a client");
    match task.case.as_str() {
        "get" => blocking(&task, || {
            let (client, url) = (client.clone(), task.url("/"));
            move || {
                let response = client.get(&url).send().expect("a response");
                assert_eq!(response.bytes().expect("a body"), HELLO.as_bytes());
            }
        }),
        "download" => blocking(&task, || {
            let (client, url) = (client.clone(), task.url("/download"));
            let mut buffer = vec![0; BUFFER];
            move || drain(client.get(&url).send().expect("a response"), &mut buffer)
        }),
        _ => unknown(&task),
    }
}
