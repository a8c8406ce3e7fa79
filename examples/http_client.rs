//! Fetches a URL: status and fields on standard error, the body on standard output.
//!
//! ```text
//! cargo run --example http_client -- http://127.0.0.1:8080/hello/world
//! cargo run --example http_client --features tls -- https://example.org/
//! ```
//!
//! It exits with 0 for a status of 2xx, and with 1 for any other and for an error.

use std::io;
use std::process::ExitCode;

use barewire::client::Client;

fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: http_client URL");
        return ExitCode::FAILURE;
    };
    match fetch(&url) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the status was 2xx.
fn fetch(url: &str) -> Result<bool, Box<dyn std::error::Error>> {
    let response = Client::new().get(url).send()?;
    let is_successful = response.status().is_successful();
    eprintln!(
        "{} from {} in {:?}",
        response.status(),
        response.url(),
        response.elapsed()
    );
    for field in response.headers().iter() {
        let [name, value] = [field.name, field.value].map(String::from_utf8_lossy);
        eprintln!("{name}: {value}");
    }
    io::copy(&mut response.reader(), &mut io::stdout())?;
    Ok(is_successful)
}
