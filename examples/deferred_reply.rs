//! Work that takes long is done elsewhere: the event loop serves others
//! meanwhile, and a worker thread sends the reply when it has one.
//!
//! ```text
//! cargo run --example deferred_reply
//! curl http://127.0.0.1:8080/primes/10000000
//! ```

use std::sync::mpsc;
use std::thread;

use barewire::app::{App, Deferred, Response};

fn main() -> Result<(), barewire::app::Error> {
    let (queue, jobs) = mpsc::channel::<(u32, Deferred)>();
    thread::spawn(move || {
        for (limit, deferred) in jobs {
            // Nobody waits any more where the client has gone.
            if deferred.is_wanted() {
                let count = primes_below(limit);
                deferred.send(Response::text(format!("{count} primes below {limit}\n")));
            }
        }
    });
    println!("listening on http://127.0.0.1:8080");
    App::new()
        .get("/primes/{limit}", move |request, reply| {
            let limit = request
                .param("limit")
                .parse()
                .unwrap_or(1_000)
                .min(100_000_000);
            // A deferred reply that is dropped unanswered is a 500.
            reply.defer(|deferred| drop(queue.send((limit, deferred))))
        })
        .listen("127.0.0.1:8080")?
        .run()
}

fn primes_below(limit: u32) -> usize {
    let mut is_prime = vec![true; limit as usize];
    for n in 2..limit.isqrt() as usize + 1 {
        (n * n..limit as usize)
            .step_by(n)
            .for_each(|multiple| is_prime[multiple] = false);
    }
    is_prime.iter().skip(2).filter(|&&prime| prime).count()
}
