//! Chapter 6: a service that gRPC, gRPC-Web and Connect carry.

use barewire::app::{App, Error, Service};
use barewire::grpc::{Code, Json, Proto, Status};
use serde::{Deserialize, Serialize};

/// `message HelloRequest { string name = 1; uint32 times = 2; }`
#[derive(Clone, PartialEq, prost::Message)]
struct HelloRequest {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint32, tag = "2")]
    times: u32,
}

/// `message HelloReply { string message = 1; }`
#[derive(Clone, PartialEq, prost::Message)]
struct HelloReply {
    #[prost(string, tag = "1")]
    message: String,
}

fn hello(name: &str) -> Proto<HelloReply> {
    let message = format!("Hello, {name}!");
    Proto(HelloReply { message })
}

fn greeter() -> Service {
    Service::new("guide.Greeter")
        .unary("SayHello", |Proto(it): Proto<HelloRequest>, _call| {
            if it.name.is_empty() {
                return Err(Status::new(Code::InvalidArgument, "whom?").into());
            }
            Ok(hello(&it.name))
        })
        .server_streaming("SayHellos", |Proto(it): Proto<HelloRequest>, _call| {
            let times = it.times.min(10);
            Ok((0..times).map(move |_| Ok(hello(&it.name))))
        })
}

/// A message that is JSON, and needs no schema.
#[derive(Serialize, Deserialize)]
struct Numbers {
    numbers: Vec<f64>,
}

fn sums() -> Service {
    Service::new("guide.Sums").unary("Add", |Json(it): Json<Numbers>, _call| {
        Ok(Json(it.numbers.iter().sum::<f64>()))
    })
}

fn main() -> Result<(), Error> {
    guide::serve(App::new().grpc(greeter()).grpc(sums()))
}
