//! minreq, which opens a connection for each request.

use clients_common::{HELLO, Task, blocking, unknown};

fn main() {
    let task = Task::from_arguments();
    match task.case.as_str() {
        "get" => blocking(&task, || {
            let url = task.url("/");
            move || {
                let response = minreq::get(&url).send().expect("a response");
                assert_eq!(response.as_bytes(), HELLO.as_bytes());
            }
        }),
        _ => unknown(&task),
    }
}
