//! An entry for HttpArena: the routes that its rules name, on the ports that they name.
//!
//! Each file is one idea: [`routes`] has the plain ones, [`items`] the JSON, [`sums`] the
//! gRPC service, [`settings`] what the environment says.

mod items;
mod routes;
mod settings;
mod sums;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use barewire::app::{App, Server};
use barewire::net::{Limits, Share};
use barewire::tls::ServerOptions;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use items::Items;
use settings::Settings;

/// How long what runs may take to finish once the container is stopped.
const PATIENCE: Duration = Duration::from_secs(2);

/// The load comes from one address, and in some profiles by 16,384 connections.
const CLIENTS: u32 = 65_536;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("arena: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn Error>> {
    let settings = Settings::read()?;
    let items = Arc::new(Items::read(&settings.dataset)?);

    // Where both versions of HTTP are served, and WebSockets and gRPC beside them.
    let app = routes::all(App::new(), &items, &settings.files);
    let tls = |certificates| ServerOptions::new(certificates);
    let main = tuned(app)
        .listen(&settings.plain)?
        .listen_tls(&settings.http2, tls(settings.certificates()?))?
        .listen_tls(&settings.http1, tls(settings.certificates()?).http2(false))?
        .spawn()?;

    // An app of its own: its middleware refuses what is not HTTP/2.
    let app = routes::http2_alone(App::new(), &items);
    let cleartext = tuned(app).listen(&settings.http2_cleartext)?.spawn()?;

    stop_by_signal(&[&main, &cleartext])?;
    for server in [&main, &cleartext] {
        for address in server.local_addresses() {
            let secure = server.tls_addresses().contains(address);
            let scheme = if secure { "https" } else { "http" };
            println!("listening on {scheme}://{address}");
        }
    }
    main.join()?;
    cleartext.join()?;
    Ok(())
}

/// A loop for each core, and room for the arena's connections.
fn tuned(app: App) -> App {
    let limits = Limits::DEFAULT
        .with_connections(CLIENTS)
        .with_per_address(CLIENTS)
        .with_sessions(Share::unshared(CLIENTS))
        .with_files(Share::unshared(CLIENTS));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    app.limits(limits).threads(cores)
}

/// A program that is the first of a container ends by no signal that it does not handle.
fn stop_by_signal(servers: &[&Server]) -> Result<(), Box<dyn Error>> {
    let handles: Vec<_> = servers.iter().map(|server| server.handle()).collect();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            handles.iter().for_each(|it| it.shutdown(PATIENCE));
        }
    });
    Ok(())
}
