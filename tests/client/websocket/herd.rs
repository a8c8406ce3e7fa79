//! Many clients that lose one server together.

use core::time::Duration;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use barewire::client::{
    Message, ReconnectListener, ReconnectOptions, ReconnectSender, Reconnecting, WebSocketOptions,
};

use super::server::shake_hands;

/// Notes the time before the first retry.
#[derive(Clone, Default)]
struct Delays(Arc<Mutex<Vec<Duration>>>);

impl ReconnectListener for Delays {
    fn message(&mut self, _: &ReconnectSender, _: Message) {}

    fn waiting(&mut self, _: &ReconnectSender, delay: Duration, attempt: u32) {
        if attempt == 2 {
            self.0.lock().unwrap().push(delay);
        }
    }
}

/// Takes so many connections, and does their handshakes; when each came.
fn accept(listener: &TcpListener, count: usize, began: Instant) -> (Vec<TcpStream>, Vec<Duration>) {
    (0..count)
        .map(|_| {
            let (mut stream, _) = listener.accept().unwrap();
            let came = began.elapsed();
            shake_hands(&mut stream);
            (stream, came)
        })
        .unzip()
}

/// How many of the times lie in each part of the first second.
fn parts<const N: usize>(times: &[Duration]) -> [usize; N] {
    let mut counts = [0; N];
    for time in times {
        let at = time.as_micros() as usize * N / 1_000_000;
        counts[at.min(N - 1)] += 1;
    }
    counts
}

/// Restarts the server of so many clients: the delays that they draw, and when they come.
fn restart(clients: usize) -> (Vec<Duration>, Vec<Duration>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (streams, _) = accept(&listener, clients, Instant::now());
        drop((streams, listener));
        let began = Instant::now();
        let listener = TcpListener::bind(address).unwrap();
        let (streams, came) = accept(&listener, clients, began);
        (streams, came)
    });
    let delays = Delays::default();
    let options = WebSocketOptions::new().no_proxy();
    let sockets: Vec<_> = (0..clients)
        .map(|_| {
            let url = format!("ws://{address}/");
            let reconnect = ReconnectOptions::new();
            Reconnecting::connect_with(&url, options.clone(), reconnect, delays.clone()).unwrap()
        })
        .collect();
    let (streams, came) = serving.join().unwrap();
    sockets.iter().for_each(|it| it.sender().abort());
    sockets.into_iter().for_each(|it| it.wait().unwrap());
    drop(streams);
    let delays = delays.0.lock().unwrap().clone();
    (delays, came)
}

#[test]
fn clients_of_a_server_that_restarts_come_back_spread_out() {
    const CLIENTS: usize = 100;
    let (delays, came) = restart(CLIENTS);
    assert_eq!(came.len(), CLIENTS);
    assert!(delays.len() >= CLIENTS);
    assert!(delays.iter().all(|it| *it < Duration::from_secs(1)));
    let parts: [usize; 5] = parts(&delays);
    let most = 2 * delays.len() / 5;
    assert!(parts.iter().all(|it| *it <= most), "{parts:?}");
}

/// Needs 5,000 descriptors: `ulimit -n 8192`.
#[test]
#[ignore = "a thousand threads, and four descriptors for each"]
fn a_thousand_clients_come_back_spread_out() {
    let (delays, came) = restart(1000);
    let (drawn, seen): ([usize; 10], [usize; 10]) = (parts(&delays), parts(&came));
    println!("drawn in each 100 ms: {drawn:?}\ncame in each 100 ms: {seen:?}");
    assert!(drawn.iter().all(|it| *it <= 2 * delays.len() / 10));
}
