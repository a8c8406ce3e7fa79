//! attohttpc, which opens a connection for each request.

use clients_common::{BUFFER, HELLO, Task, blocking, drain, unknown};

fn main() {
    let task = Task::from_arguments();
    match task.case.as_str() {
        "get" => blocking(&task, || {
            let url = task.url("/");
            move || {
                let response = attohttpc::get(&url).send().expect("a response");
                assert_eq!(response.bytes().expect("a body"), HELLO.as_bytes());
            }
        }),
        "download" => blocking(&task, || {
            let (url, mut buffer) = (task.url("/download"), vec![0; BUFFER]);
            move || {
                let response = attohttpc::get(&url).send().expect("a response");
                drain(response, &mut buffer);
            }
        }),
        _ => unknown(&task),
    }
}
