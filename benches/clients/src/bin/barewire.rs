//! barewire's clients that block: one client for all threads.

use barewire::client::{Client, ClientOptions, EventSource, EventSourceOptions, WebSocket};
use clients_common::{BUFFER, EVENTS, HELLO, Task, blocking, drain, unknown};

fn main() {
    let task = Task::from_arguments();
    let options = ClientOptions::new().no_proxy();
    match task.case.as_str() {
        "get" => get(&task, options.http1_only()),
        "get-2" => get(&task, options.http2_prior_knowledge()),
        "download" => {
            let client = Client::with(options).expect("a client");
            blocking(&task, || {
                let (client, url) = (client.clone(), task.url("/download"));
                let mut buffer = vec![0; BUFFER];
                move || {
                    let response = client.get(&url).send().expect("a response");
                    drain(response.reader(), &mut buffer);
                }
            });
        }
        "events-17" => events(&task, options, 17),
        "events-74" => events(&task, options, 74),
        "echo" => echo(&task, 1),
        "echo-16" => echo(&task, 16),
        _ => unknown(&task),
    }
}

fn get(task: &Task, options: ClientOptions) {
    let client = Client::with(options).expect("a client");
    blocking(task, || {
        let (client, url) = (client.clone(), task.url("/"));
        move || {
            let response = client.get(&url).send().expect("a response");
            assert_eq!(response.bytes().expect("a body"), HELLO.as_bytes());
        }
    });
}

/// Streams of events. An operation is all events of one.
fn events(task: &Task, options: ClientOptions, length: usize) {
    let client = Client::with(options).expect("a client");
    blocking(task, || {
        let (client, url) = (client.clone(), task.url(&format!("/events/{length}")));
        move || {
            let options = EventSourceOptions::new();
            let mut source = EventSource::new(client.get(&url), options).expect("a source");
            for _ in 0..EVENTS {
                let event = source.next_with(|event, _| event.data.as_bytes().len());
                let event = event.expect("an event").expect("no error");
                assert_eq!(event, length - 8);
            }
        }
    });
}

/// Messages of 16 bytes, so many at a time, and their echoes.
fn echo(task: &Task, deep: usize) {
    let url = format!("ws://{}/websocket", task.address);
    blocking(task, || {
        let mut socket = WebSocket::connect(&url).expect("a WebSocket");
        let (message, mut ahead) = ([7; 16], 0);
        let messages = vec![message; deep];
        move || {
            if ahead == 0 {
                socket.send_all(&messages).expect("room");
                ahead = deep;
            }
            let echo = socket.receive().expect("an echo").expect("an echo");
            assert_eq!(echo.payload(), message);
            ahead -= 1;
        }
    });
}
