//! The HTTP client over HTTP/2: one connection, many threads.

mod by_hand;
mod calls;
mod endings;
mod sharing;
mod support;

use barewire::client::{Client, ClientLimits, ClientOptions};
use std::thread::{self, JoinHandle};

/// A client that speaks HTTP/2 to servers of `http`.
fn client(limits: ClientLimits) -> Client {
    let options = ClientOptions::new().no_proxy().http2_prior_knowledge();
    Client::with(options.limits(limits)).unwrap()
}

/// Runs `work` on so many threads at one time, and gives what they return.
fn on_threads<T: Send + 'static>(
    threads: usize,
    work: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let work = std::sync::Arc::new(work);
    let running: Vec<JoinHandle<T>> = (0..threads)
        .map(|nth| {
            let work = work.clone();
            thread::spawn(move || work(nth))
        })
        .collect();
    running.into_iter().map(|it| it.join().unwrap()).collect()
}
