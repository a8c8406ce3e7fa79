//! Chapter 9: HTTPS beside HTTP, and certificates that are replaced while it runs.
//!
//! ```text
//! 09_tls ADDRESS TLS_ADDRESS CHAIN.pem KEY.pem
//! ```

use std::error::Error;
use std::thread;

use barewire::app::App;
use barewire::tls::{Certificates, PlainHttp, Server, ServerOptions};
use signal_hook::consts::SIGHUP;
use signal_hook::iterator::Signals;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [plain, secure, chain, key] = &arguments[..] else {
        return Err("usage: 09_tls ADDRESS TLS_ADDRESS CHAIN.pem KEY.pem".into());
    };
    let certificates = Certificates::read(chain, key)?;
    let options = ServerOptions::new(certificates).plain_http(PlainHttp::Redirect);
    let tls = Server::new(options)?;
    let server = App::new()
        .get("/", |request, reply| match request.tls() {
            Some(tls) => reply.text(format!("{} by {:?}", tls.version(), request.version())),
            None => reply.text("in the clear"),
        })
        .listen(plain)?
        .listen_tls(secure, tls.clone())?
        .spawn()?;

    let mut signals = Signals::new([SIGHUP])?;
    let (chain, key) = (chain.clone(), key.clone());
    thread::spawn(move || {
        for _ in signals.forever() {
            let read = Certificates::read(&chain, &key);
            match read.and_then(|it| tls.reload(it)) {
                Ok(()) => eprintln!("new certificates"),
                Err(error) => eprintln!("the old certificates stay: {error}"),
            }
        }
    });

    for address in server.local_addresses() {
        let is_secure = server.tls_addresses().contains(address);
        println!("http{}://{address}", if is_secure { "s" } else { "" });
    }
    server.join()?;
    Ok(())
}
