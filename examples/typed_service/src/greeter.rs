//! The greeter.

use std::thread;

use barewire::app::{
    BoxConversation, Call, CallStatus, Conversation, Proto, ResponseStream, StreamingResponse,
    UnaryResponse,
};
use barewire::grpc::{Code, Status};
use prost_types::Timestamp;

use crate::protos::common::Text;
use crate::protos::greet::v1::greeter_server::Greeter;
use crate::protos::greet::v1::hello_request::Options;
use crate::protos::greet::v1::{Greeting, HelloRequest, RepeatRequest};

/// Greets in English.
pub struct English;

fn greet(request: HelloRequest) -> Result<Greeting, CallStatus> {
    let HelloRequest { name, options } = request;
    if name.is_empty() {
        return Err(Status::new(Code::InvalidArgument, "a greeting needs a name").into());
    }
    let text = format!("Hello, {name}!");
    Ok(Greeting {
        text: match options {
            Some(Options { loud: true }) => text.to_uppercase(),
            _ => text,
        },
    })
}

impl Greeter for English {
    fn say_hello(
        &self,
        request: HelloRequest,
        call: &mut Call<'_>,
    ) -> Result<UnaryResponse<Greeting>, CallStatus> {
        if call.is_get() {
            // Its own headers are for caches.
            let _ = call.send_metadata("cache-control", "max-age=60");
        }
        Ok(greet(request)?.into())
    }

    fn repeat(
        &self,
        request: RepeatRequest,
        _call: &mut Call<'_>,
    ) -> Result<StreamingResponse<Greeting>, CallStatus> {
        let RepeatRequest { name, times } = request;
        Ok(StreamingResponse::new((1..=times).map(move |day| {
            let text = format!("Day {day}: hello, {name}!");
            Ok(Greeting { text })
        })))
    }

    fn greet_all(
        &self,
        _call: &mut Call<'_>,
    ) -> Result<BoxConversation<HelloRequest, Greeting>, CallStatus> {
        Ok(Everybody::default().into())
    }

    fn chat(&self, _call: &mut Call<'_>) -> Result<BoxConversation<Text, Text>, CallStatus> {
        Ok(Parrot.into())
    }

    fn say_later(
        &self,
        request: HelloRequest,
        call: &mut Call<'_>,
    ) -> Result<UnaryResponse<Greeting>, CallStatus> {
        Ok(UnaryResponse::later(call, |response| {
            thread::spawn(move || response.send(greet(request)));
        }))
    }

    fn say_async(
        &self,
        request: HelloRequest,
        _call: &mut Call<'_>,
    ) -> Result<UnaryResponse<Greeting>, CallStatus> {
        Ok(UnaryResponse::future(async { greet(request) }))
    }

    fn r#type(&self, (): (), _call: &mut Call<'_>) -> Result<UnaryResponse<()>, CallStatus> {
        Ok(().into())
    }

    fn new(
        &self,
        request: Timestamp,
        _call: &mut Call<'_>,
    ) -> Result<UnaryResponse<Proto<Timestamp>>, CallStatus> {
        Ok(Proto(request).into())
    }
}

/// Those who have come.
#[derive(Default)]
struct Everybody(Vec<String>);

impl Conversation for Everybody {
    type Request = HelloRequest;
    type Response = Greeting;

    fn message(&mut self, message: HelloRequest, _stream: &mut ResponseStream<'_, '_, Greeting>) {
        self.0.push(message.name);
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Greeting>) {
        let text = format!("Hello, {}!", self.0.join(" and "));
        stream.respond(&Greeting { text });
    }
}

/// Says everything again.
struct Parrot;

impl Conversation for Parrot {
    type Request = Text;
    type Response = Text;

    fn message(&mut self, message: Text, stream: &mut ResponseStream<'_, '_, Text>) {
        stream.send(&message);
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Text>) {
        stream.finish(Status::OK);
    }
}
