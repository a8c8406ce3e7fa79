//! Serves the showcase.
//!
//! ```text
//! cargo run --release -p showcase -- [--listen ADDR]... [--threads N] [--files DIR] [--origin URL]... [--proxy NETWORK]...
//! ```

mod arguments;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use barewire::app::Server;
use barewire::net::{Address, Error, ListenOptions};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use arguments::Arguments;

/// How long what runs may take to finish once the server is told to stop.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(refusal) => return refusal.tell(),
    };
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("showcase: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Lets the process open as many descriptors as it may: by default a shell gives it
/// 1,024, of which the server then grants one address no more than 720.
fn raise_descriptors() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        // Refused on some systems where there is no maximum: it stays as it was.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

fn serve(arguments: Arguments) -> Result<(), Error> {
    raise_descriptors();
    let app = showcase::showcase(&arguments.origins);
    let app = showcase::with_files(app, arguments.files.as_deref());
    let options = ListenOptions::DEFAULT
        .with_proxy_protocol(!arguments.proxies.is_empty())
        .with_proxies(arguments.proxies);
    let mut app = app.threads(arguments.threads).listen_options(options);
    for address in &arguments.addresses {
        app = app.listen(address)?;
    }
    let server = app.spawn()?;
    stop_on_signals(&server)?;
    for address in server.local_addresses() {
        match address {
            Address::Tcp(address) => println!("listening on http://{address}"),
            Address::Unix(_) => println!("listening on {address}"),
        }
    }
    server.join().map(drop)
}

/// The first signal has the server finish what runs, a second one stop immediately.
fn stop_on_signals(server: &Server) -> Result<(), Error> {
    let handle = server.handle();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for (earlier, _signal) in signals.forever().enumerate() {
            handle.shutdown(if earlier == 0 {
                PATIENCE
            } else {
                Duration::ZERO
            });
        }
    });
    Ok(())
}
