//! `may_minihttp` with one worker.

use std::io::{self, Read};

use may_minihttp::{HttpServer, HttpService, Request, Response};
use servers_common::{HELLO, LARGE, MEDIUM, address, content, raise_descriptors};

#[derive(Clone)]
struct Service {
    medium: &'static str,
    large: &'static str,
}

impl HttpService for Service {
    fn call(&mut self, request: Request, response: &mut Response) -> io::Result<()> {
        response.header("Content-Type: text/plain; charset=utf-8");
        match request.path() {
            "/hello" => response.body(HELLO),
            "/64k" => response.body(self.medium),
            "/1m" => response.body(self.large),
            "/echo" => {
                let mut body = Vec::new();
                request.body().read_to_end(&mut body)?;
                response.body_vec(body);
            }
            _ => {
                response.status_code(404, "Not Found");
            }
        }
        Ok(())
    }
}

fn text(length: usize) -> &'static str {
    String::from_utf8(content(length))
        .expect("the content is ASCII")
        .leak()
}

fn main() -> io::Result<()> {
    raise_descriptors();
    may::config().set_workers(1);
    let service = Service {
        medium: text(MEDIUM),
        large: text(LARGE),
    };
    let server = HttpServer(service).start(address())?;
    server
        .join()
        .map_err(|_| io::Error::other("the server panicked"))
}
