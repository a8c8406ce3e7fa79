//! A channel that speaks Connect or gRPC-Web, over HTTP/1.1 and HTTP/2: with our own
//! server, and with one that answers as it is told to.
#![cfg(all(feature = "net", feature = "client"))]

#[path = "../../grpc/connect/scene.rs"]
#[allow(dead_code)]
mod scene;

mod answers;
mod calls;
mod connections;

use crate::app_support::Running;
use barewire::client::{Channel, GrpcChannelOptions};
use barewire::grpc::Protocol;

/// The protocol, and whether HTTP/1.1 carries it.
type Way = (Protocol, bool);

const WAYS: [Way; 5] = [
    (Protocol::Connect, true),
    (Protocol::Connect, false),
    (Protocol::GrpcWeb, true),
    (Protocol::GrpcWeb, false),
    (Protocol::Grpc, false),
];

fn options((protocol, is_http1): Way) -> GrpcChannelOptions {
    let options = GrpcChannelOptions::new().protocol(protocol);
    match is_http1 {
        true => options.http1(),
        false => options,
    }
}

fn channel(running: &Running, way: Way) -> Channel {
    let address = running.connect().peer_addr().unwrap();
    Channel::connect_with(&format!("http://{address}"), options(way)).unwrap()
}
