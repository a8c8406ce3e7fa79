//! tungstenite, a blocking WebSocket for each thread.

use clients_common::{Task, blocking, unknown};
use tungstenite::{Message, connect};

fn main() {
    let task = Task::from_arguments();
    let deep = match task.case.as_str() {
        "echo" => 1,
        "echo-16" => 16,
        _ => unknown(&task),
    };
    let url = format!("ws://{}/websocket", task.address);
    blocking(&task, || {
        let (mut socket, _) = connect(&url).expect("a WebSocket");
        if let tungstenite::stream::MaybeTlsStream::Plain(stream) = socket.get_mut() {
            stream.set_nodelay(true).expect("an option");
        }
        let mut ahead = 0;
        move || {
            let message = || Message::binary(vec![7; 16]);
            if ahead == 0 {
                (0..deep).for_each(|_| socket.write(message()).expect("a message"));
                socket.flush().expect("room");
                ahead = deep;
            }
            let echo = socket.read().expect("an echo");
            assert_eq!(echo, message());
            ahead -= 1;
        }
    });
}
