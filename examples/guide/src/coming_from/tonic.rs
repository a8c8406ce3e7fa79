//! A service with a stream, and a call, as with tonic.

use barewire::app::{App, Error, Service};
use barewire::client::{CallOptions, Channel};
use barewire::grpc::{Code, Proto, Status};

#[derive(Clone, PartialEq, prost::Message)]
pub struct HelloRequest {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(uint32, tag = "2")]
    pub times: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct HelloReply {
    #[prost(string, tag = "1")]
    pub message: String,
}

fn hello(name: &str) -> Proto<HelloReply> {
    let message = format!("Hello, {name}!");
    Proto(HelloReply { message })
}

pub fn app() -> App {
    let greeter = Service::new("guide.Greeter")
        .unary("SayHello", |Proto(it): Proto<HelloRequest>, _call| {
            if it.name.is_empty() {
                return Err(Status::new(Code::InvalidArgument, "whom?").into());
            }
            Ok(hello(&it.name))
        })
        .server_streaming("SayHellos", |Proto(it): Proto<HelloRequest>, _call| {
            Ok((0..it.times.min(10)).map(move |_| Ok(hello(&it.name))))
        });
    App::new().grpc(greeter)
}

pub fn server() -> Result<(), Error> {
    app().listen("127.0.0.1:8080")?.run()
}

pub fn call(url: &str) -> Result<String, Box<dyn std::error::Error>> {
    let channel = Channel::connect(url)?;
    let name = "Ann".into();
    let request = Proto(HelloRequest { name, times: 1 });
    let reply = channel.unary("/guide.Greeter/SayHello", &request, CallOptions::new())?;
    let Proto(HelloReply { message }) = reply.into_message();
    Ok(message)
}
