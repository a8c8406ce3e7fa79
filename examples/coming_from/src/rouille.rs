//! A greeting and an echo, with rouille.

use rouille::{Response, input, router, try_or_400};

pub fn main() {
    rouille::start_server("127.0.0.1:8080", |request| {
        router!(request,
            (GET) (/hello/{name: String}) => {
                Response::text(format!("Hello, {name}!"))
            },
            (POST) (/echo) => {
                Response::text(try_or_400!(input::plain_text_body(request)))
            },
            _ => Response::empty_404()
        )
    });
}
