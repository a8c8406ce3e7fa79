//! A running app.

use barewire::app::{App, Server};
use barewire::net::Address;
use std::time::Duration;

pub(crate) struct Running(Option<Server>);

impl Running {
    pub(crate) fn start(app: App) -> Self {
        Self(Some(app.listen("127.0.0.1:0").unwrap().spawn().unwrap()))
    }

    /// One that takes larger bodies than usual.
    pub(crate) fn start_with(app: App, body: usize) -> Self {
        Self::start(app.collect_limit(body))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        let server = self.0.as_ref().unwrap();
        let [Address::Tcp(address)] = server.local_addresses() else {
            panic!()
        };
        format!("http://{address}{path}")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(server) = self.0.take() {
            server.handle().shutdown(Duration::from_secs(1));
            let joined = server.join();
            if !std::thread::panicking() {
                joined.unwrap();
            }
        }
    }
}
