//! libcurl 8 through the crate `curl`, an easy handle for each thread.

use clients_common::{DOWNLOAD, HELLO, Task, blocking, unknown};
use curl::easy::Easy;

fn main() {
    let task = Task::from_arguments();
    let path = match task.case.as_str() {
        "get" => "/",
        "download" => "/download",
        _ => unknown(&task),
    };
    let is_get = path == "/";
    blocking(&task, || {
        let mut easy = Easy::new();
        easy.url(&task.url(path)).expect("a URL");
        easy.buffer_size(64 << 10).expect("a size");
        let mut body = Vec::with_capacity(64);
        move || {
            body.clear();
            let mut length = 0;
            {
                let mut transfer = easy.transfer();
                transfer
                    .write_function(|data| {
                        length += data.len();
                        if is_get {
                            body.extend_from_slice(data);
                        }
                        Ok(data.len())
                    })
                    .expect("a function");
                transfer.perform().expect("a response");
            }
            match is_get {
                true => assert_eq!(body, HELLO.as_bytes()),
                false => assert_eq!(length, DOWNLOAD),
            }
        }
    });
}
