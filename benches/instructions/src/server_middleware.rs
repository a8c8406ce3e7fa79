//! The same server behind middleware: what its presence costs, and what spans cost that
//! nobody wants.

use barewire::app::{App, Middleware, Spans};

use crate::server::{Counted, Repeated, app};
use crate::wanted;

/// Lets everything pass.
struct Nothing;

impl Middleware for Nothing {}

/// One GET on its own, by each app.
pub fn server_middleware() {
    for (name, app) in [
        ("server GET behind middleware", app().with(Nothing)),
        ("server GET, spans switched off", app().with(Spans::new())),
    ] {
        if wanted(name) {
            let server = app.listen("127.0.0.1:0").and_then(App::spawn);
            let mut counted = Counted::new(server.expect("the loopback interface is there"));
            let mut stream = counted.connect();
            let Repeated { request, answer } = Repeated::get_of("127.0.0.1:8080", &mut stream);
            counted.exchange(name, stream, &request, answer, 1);
            counted.stop();
        }
    }
}
