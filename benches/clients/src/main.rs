//! What a GET costs the client: CPU time of its process, in microseconds.
//!
//! `cargo run --release [threads [requests [version]]]`. The server is another process. Over
//! HTTP/1.1 each thread has a connection; over HTTP/2 all of them share one. With a version,
//! 1 or 2, that one alone is measured.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use barewire::app::App;
use barewire::client::{Client, ClientOptions};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 5;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    if first.as_deref() == Some("serve") {
        return serve();
    }
    let threads = first.map_or(64, |it| it.parse().expect("threads"));
    let requests = arguments
        .next()
        .map_or(2000, |it| it.parse().expect("requests"));
    let program = std::env::current_exe().expect("this program");
    let mut server = Command::new(program)
        .arg("serve")
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()
        .expect("a server");
    let mut url = String::new();
    let output = server.stdout.take().expect("its output");
    BufReader::new(output)
        .read_line(&mut url)
        .expect("its address");
    let url = url.trim();

    let http1 = || ClientOptions::new().no_proxy().http1_only();
    let http2 = || ClientOptions::new().no_proxy().http2_prior_knowledge();
    let version = arguments.next();
    let alone = match version.as_deref() {
        Some("1") => Some(http1()),
        Some("2") => Some(http2()),
        _ => None,
    };
    if let Some(options) = alone {
        let (cpu, rate) = measure(options, url, threads, requests);
        println!("{cpu:.2} µs of CPU, {rate:.0} in a second");
        drop(server.stdin.take());
        server.wait().expect("its end");
        return;
    }
    let mut quotients = Vec::new();
    println!("threads {threads}, requests of each {requests}");
    println!(
        "{:>12} {:>12} {:>9} {:>12} {:>12}",
        "HTTP/1.1 CPU", "HTTP/2 CPU", "quotient", "HTTP/1.1/s", "HTTP/2/s"
    );
    for _ in 0..ROUNDS {
        let (one, one_rate) = measure(http1(), url, threads, requests);
        let (two, two_rate) = measure(http2(), url, threads, requests);
        quotients.push(two / one);
        println!(
            "{one:>12.2} {two:>12.2} {:>9.3} {one_rate:>12.0} {two_rate:>12.0}",
            two / one
        );
    }
    quotients.sort_by(f64::total_cmp);
    println!("median quotient {:.3}", quotients[ROUNDS / 2]);
    drop(server.stdin.take());
    server.wait().expect("its end");
}

/// CPU time of the client for a GET in microseconds, and GETs in a second.
fn measure(options: ClientOptions, url: &str, threads: usize, requests: usize) -> (f64, f64) {
    let client = Client::with(options).expect("a client");
    let barrier = Arc::new(Barrier::new(threads + 1));
    let running: Vec<_> = (0..threads)
        .map(|_| {
            let (client, url, barrier) = (client.clone(), url.to_owned(), barrier.clone());
            thread::spawn(move || {
                let ask = || {
                    let response = client.get(&url).send().expect("a response");
                    assert_eq!(response.bytes().expect("a body"), b"hello");
                };
                (0..50).for_each(|_| ask());
                barrier.wait();
                (0..requests).for_each(|_| ask());
                barrier.wait();
            })
        })
        .collect();
    barrier.wait();
    let (cpu, wall) = (cpu(), Instant::now());
    barrier.wait();
    let (cpu, wall) = (self::cpu() - cpu, wall.elapsed().as_secs_f64());
    running
        .into_iter()
        .for_each(|it| it.join().expect("a thread"));
    let all = (threads * requests) as f64;
    (cpu * 1e6 / all, all / wall)
}

/// CPU time of this process in seconds.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Serves until its input ends.
fn serve() {
    let app = App::new().get("/", |_, reply| reply.text("hello"));
    let app = app.listen("127.0.0.1:0").expect("a port");
    let server = app.spawn().expect("a server");
    let [barewire::net::Address::Tcp(address)] = server.local_addresses() else {
        panic!("no address")
    };
    println!("http://{address}/");
    let _ = std::io::stdin().lines().count();
}
