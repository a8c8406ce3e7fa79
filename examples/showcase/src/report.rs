//! `GET /compare`: the page that the program `compare` has left in `target/compare`.

use std::fs;
use std::path::Path;

use barewire::app::{App, Refusal, Response};
use barewire::http::Status;

const PATH: &str = "/compare";

/// Where `compare` puts it, if both are started in the same directory.
const REPORT: &str = "target/compare/report.html";

pub(crate) fn routes(app: App) -> App {
    app.get(PATH, |_request, reply| {
        // Read anew each time, so that it is the last one.
        reply.blocking(|| match fs::read(REPORT) {
            Ok(page) => Ok(Response::body("text/html; charset=utf-8", page)),
            Err(_) => {
                let refusal = Refusal::new(Status::NOT_FOUND);
                Err(refusal.because("compare has left nothing here"))
            }
        })
    })
}

/// The path, if there is something to see.
pub(crate) fn link() -> Option<&'static str> {
    Path::new(REPORT).is_file().then_some(PATH)
}
