//! What the programs of docs/guide have in common, and those of its "coming from" pages.

use barewire::app::{App, Error};

pub mod coming_from;

/// Serves the app where the first argument says, or on port 8080, and says where that is.
pub fn serve(app: App) -> Result<(), Error> {
    let address = std::env::args().nth(1);
    let server = app
        .listen(address.as_deref().unwrap_or("127.0.0.1:8080"))?
        .spawn()?;
    println!("http://{}", server.local_addresses()[0]);
    server.join()?;
    Ok(())
}
