//! A call with much in both directions, with the channel and the server of this crate.
#![cfg(feature = "net")]

use core::time::Duration;
use std::thread;

use barewire::app::{App, Conversation, ResponseStream, Service};
use barewire::client::{CallOptions, Channel};
use barewire::grpc::Status;
use barewire::net::Address;

struct Echo;

impl Conversation for Echo {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, message: Vec<u8>, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.send(&message);
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.finish(Status::OK);
    }
}

// The server takes no message while its client does not take what it sends.
#[test]
fn neither_side_waits_for_the_other_to_read() {
    let service = Service::new("t.T").bidirectional("Echo", |_call| Ok(Echo));
    let app = App::new().grpc(service).threads(1).listen("127.0.0.1:0");
    let server = app.unwrap().spawn().unwrap();
    let [Address::Tcp(address)] = server.local_addresses() else {
        panic!("one TCP address was listened on");
    };
    let channel = Channel::connect(&format!("http://{address}")).unwrap();
    let options = CallOptions::new().timeout(Duration::from_secs(60));
    let chat = channel.bidirectional::<Vec<u8>, Vec<u8>>("/t.T/Echo", options);
    let (mut sender, responses) = chat.unwrap().split();
    let sending = thread::spawn(move || {
        for n in 0..400_u32 {
            sender.send(&vec![n as u8; 10_000]).unwrap();
        }
        sender.close();
    });
    let mut count = 0_u32;
    for response in responses {
        assert_eq!(response.unwrap(), [count as u8; 10_000]);
        count += 1;
    }
    sending.join().unwrap();
    assert_eq!(count, 400);
}
