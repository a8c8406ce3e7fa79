//! Serves the showcase.
//!
//! ```text
//! cargo run --release -p showcase -- [--listen ADDR]... [--tls] [--threads N] [--files DIR] [--origin URL]... [--proxy NETWORK]... [--redis URL]
//! ```

mod arguments;
mod certificates;

use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use barewire::app::{RedisBackplane, Server};
use barewire::net::{Address, ListenOptions};
use barewire::tls::{self, ClientCertificates, PlainHttp, Roots, ServerOptions};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use arguments::Arguments;
use certificates::Source;

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

fn serve(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    raise_descriptors();
    let app = showcase::showcase(&arguments.origins);
    let app = showcase::with_files(app, arguments.files.as_deref());
    let own = showcase::OwnAddress::default();
    let app = showcase::with_own_client(app, &own);
    let options = ListenOptions::DEFAULT
        .with_proxy_protocol(!arguments.proxies.is_empty())
        .with_proxies(arguments.proxies);
    let app = match arguments.redis {
        Some(redis) => app.backplane(RedisBackplane::new(redis)?),
        None => app,
    };
    let mut app = app.threads(arguments.threads).listen_options(options);
    for address in &arguments.addresses {
        app = app.listen(address)?;
    }
    let mut reloads = None;
    if let Some((addresses, source)) = arguments.tls {
        let mut options = ServerOptions::new(source.load()?);
        #[cfg(feature = "aws-lc")]
        {
            options = options.provider(tls::Provider::aws_lc());
        }
        if arguments.redirects {
            options = options.plain_http(PlainHttp::Redirect);
        }
        if let Some(roots) = arguments.client_roots {
            let clients = ClientCertificates::optional(Roots::read(roots)?);
            options = options.client_certificates(clients);
        }
        let tls = tls::Server::new(options)?;
        for address in &addresses {
            app = app.listen_tls(address, tls.clone())?;
        }
        reloads = Some((tls, source));
    }
    let server = app.spawn()?;
    attend_signals(&server, reloads)?;
    for address in server.local_addresses() {
        let secure = server.tls_addresses().contains(address);
        match address {
            Address::Tcp(address) if secure => println!("listening on https://{address}"),
            Address::Tcp(address) => {
                own.tell(*address);
                println!("listening on http://{address}");
            }
            Address::Unix(_) => println!("listening on {address}"),
        }
    }
    server.join()?;
    Ok(())
}

/// The first signal to end has the server finish what runs, a second one stop
/// immediately. SIGHUP has the certificate read again, or a new one made.
fn attend_signals(
    server: &Server,
    reloads: Option<(tls::Server, Source)>,
) -> Result<(), Box<dyn Error>> {
    let handle = server.handle();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    if reloads.is_some() {
        signals.add_signal(SIGHUP)?;
    }
    thread::spawn(move || {
        let mut patience = PATIENCE;
        for signal in signals.forever() {
            match &reloads {
                Some((tls, source)) if signal == SIGHUP => reload(tls, source),
                _ => handle.shutdown(std::mem::take(&mut patience)),
            }
        }
    });
    Ok(())
}

/// Has connections that come from now on see what the source has now; if that is
/// wrong, they see what they have seen so far.
fn reload(tls: &tls::Server, source: &Source) {
    let result = source.load().and_then(|new| Ok(tls.reload(new)?));
    match result {
        Ok(()) => println!("the certificate was reloaded"),
        Err(error) => eprintln!("showcase: the certificate stays as it was: {error}"),
    }
}
