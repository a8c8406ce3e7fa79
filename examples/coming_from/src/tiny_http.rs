//! A greeting and an echo, with tiny_http.

use std::io::Read;

use tiny_http::{Method, Response, Server};

pub fn main() {
    let server = Server::http("127.0.0.1:8080").unwrap();
    for mut request in server.incoming_requests() {
        let path = request.url().to_owned();
        let response = match (request.method(), path.strip_prefix("/hello/")) {
            (Method::Get, Some(name)) => Response::from_string(format!("Hello, {name}!")),
            (Method::Post, _) if path == "/echo" => {
                let mut body = String::new();
                let reader = request.as_reader().take(1 << 20);
                match { reader }.read_to_string(&mut body) {
                    Ok(_) => Response::from_string(body),
                    Err(_) => Response::from_string("").with_status_code(400),
                }
            }
            _ => Response::from_string("").with_status_code(404),
        };
        let _ = request.respond(response);
    }
}
