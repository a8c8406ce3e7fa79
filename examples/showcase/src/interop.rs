//! `grpc.testing.TestService`, the public interop service of gRPC, which other
//! implementations test their clients against.

use std::collections::VecDeque;
use std::time::Duration;

use barewire::app::{
    App, Call, CallStatus, Charge, Conversation, Reflection, ResponseStream, ServerStream, Service,
};
use barewire::grpc::{Code, Status};

use super::test_messages::{
    Body, BoolValue, EchoStatus, Empty, ResponseParameters, SimpleRequest, SimpleResponse,
    StreamingInputCallRequest, StreamingInputCallResponse, StreamingOutputCallRequest,
    StreamingOutputCallResponse,
};

/// Metadata that comes back ahead of the response, and with its status.
const ECHO_INITIAL: &str = "x-grpc-test-echo-initial";
const ECHO_TRAILING: &str = "x-grpc-test-echo-trailing-bin";

/// The most that a response is asked for at a time, in bytes: what clients of
/// gRPC take by default, and some milliseconds to make.
const MOST: usize = 4 << 20;

/// Responses that a call may owe: a few bytes of a request ask for one.
const DUE: usize = 32_768;

/// The service's name.
pub const NAME: &str = "grpc.testing.TestService";

pub(crate) fn routes(app: App, descriptors: &Reflection) -> App {
    app.grpc(
        Service::new(NAME)
            .unary("EmptyCall", |_request: Empty, call| {
                echo_metadata(call)?;
                Ok(Empty {})
            })
            .unary("UnaryCall", unary)
            .unary("CacheableUnaryCall", unary)
            .server_streaming_object("StreamingOutputCall", |request, call| {
                echo_metadata(call)?;
                let mut output = Output::new(call);
                output.ask(request)?;
                Ok(output)
            })
            .client_streaming("StreamingInputCall", |call| {
                echo_metadata(call)?;
                Ok(Input(0))
            })
            .bidirectional("FullDuplexCall", |call| {
                echo_metadata(call)?;
                Ok(Duplex {
                    output: Output::new(call),
                    at_once: true,
                })
            })
            .bidirectional("HalfDuplexCall", |call| {
                echo_metadata(call)?;
                Ok(Duplex {
                    output: Output::new(call),
                    at_once: false,
                })
            })
            .described_by(descriptors)
            .expect("they have it"),
    )
}

fn unary(request: SimpleRequest, call: &mut Call<'_>) -> Result<SimpleResponse, CallStatus> {
    echo_metadata(call)?;
    check_compressed(request.expect_compressed.as_ref(), call.is_compressed())?;
    echo_status(request.response_status)?;
    call.set_compressed(is_set(request.response_compressed.as_ref()));
    Ok(SimpleResponse {
        payload: Some(zeros(request.response_size)?),
    })
}

fn is_set(value: Option<&BoolValue>) -> bool {
    value.is_some_and(|value| value.value)
}

fn invalid(why: &'static str) -> CallStatus {
    Status::new(Code::InvalidArgument, why).into()
}

/// So many zeros.
fn zeros(size: i32) -> Result<Body, CallStatus> {
    let size = usize::try_from(size).ok().filter(|&size| size <= MOST);
    let size = size.ok_or_else(|| invalid("no such size"))?;
    Ok(Body {
        r#type: 0,
        body: vec![0; size],
    })
}

/// Sends back the metadata that is meant to come back.
fn echo_metadata(call: &mut Call<'_>) -> Result<(), CallStatus> {
    let refused = |_| invalid("metadata that cannot be sent");
    if let Some(value) = call.metadata(ECHO_INITIAL) {
        call.send_metadata(ECHO_INITIAL, value).map_err(refused)?;
    }
    let octets: Vec<Vec<u8>> = call.binary_metadata(ECHO_TRAILING).collect();
    for octets in octets {
        call.send_binary_trailer(ECHO_TRAILING, &octets)
            .map_err(refused)?;
    }
    Ok(())
}

/// Ends the call with the status that is asked for, unless that is OK.
fn echo_status(status: Option<EchoStatus>) -> Result<(), CallStatus> {
    match status {
        Some(EchoStatus { code, message }) if code != 0 => {
            let code = Code::from_number(u64::try_from(code).unwrap_or(u64::MAX));
            Err(Status::new(code, message).into())
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses a message that should have been compressed, or should not.
fn check_compressed(expected: Option<&BoolValue>, is: bool) -> Result<(), CallStatus> {
    match expected {
        Some(BoolValue { value }) if *value != is => {
            Err(invalid("the message is not compressed as it says"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Adds up what comes.
struct Input(usize);

impl Conversation for Input {
    type Request = StreamingInputCallRequest;
    type Response = StreamingInputCallResponse;

    fn message(
        &mut self,
        message: StreamingInputCallRequest,
        stream: &mut ResponseStream<'_, '_, StreamingInputCallResponse>,
    ) {
        let expected = message.expect_compressed.as_ref();
        if let Err(status) = check_compressed(expected, stream.is_compressed()) {
            return stream.finish(status);
        }
        self.0 += message.payload.map_or(0, |payload| payload.body.len());
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, StreamingInputCallResponse>) {
        stream.respond(&StreamingInputCallResponse {
            aggregated_payload_size: i32::try_from(self.0).unwrap_or(i32::MAX),
        });
    }
}

type Stream<'s, 'a, 'c> = &'s mut ResponseStream<'a, 'c, StreamingOutputCallResponse>;

/// Responses that are still to be sent, one after the other.
struct Output {
    due: VecDeque<Due>,
    sleeping: bool, // a timer runs for the first
    blocked: bool,  // the client takes nothing now
    closing: bool,  // nothing more is asked for
    charge: Charge, // for `due`
}

enum Due {
    Response(ResponseParameters),
    End(EchoStatus),
}

impl Output {
    fn new(call: &mut Call<'_>) -> Self {
        // Each response says whether it is.
        call.set_compressed(true);
        Self {
            due: VecDeque::new(),
            sleeping: false,
            blocked: false,
            closing: false,
            charge: Charge::NONE,
        }
    }

    /// Notes what a request asks for. Nothing is sent behind a status.
    fn ask(&mut self, request: StreamingOutputCallRequest) -> Result<(), CallStatus> {
        if matches!(self.due.back(), Some(Due::End(_))) {
            return Ok(());
        }
        if self.due.len() + request.response_parameters.len() >= DUE {
            let status = Status::new(Code::ResourceExhausted, "too many responses are due");
            return Err(status.into());
        }
        let responses = request.response_parameters.into_iter();
        self.due.extend(responses.map(Due::Response));
        self.due.extend(request.response_status.map(Due::End));
        Ok(())
    }

    /// Charges what is due to the client that has asked for it.
    fn charge(&mut self, stream: Stream<'_, '_, '_>) -> bool {
        let text = match self.due.back() {
            Some(Due::End(status)) => status.message.len(),
            Some(Due::Response(_)) | None => 0,
        };
        let bytes = self.due.capacity() * size_of::<Due>() + text;
        if self.charge.account().is_none() {
            self.charge = stream.charge();
        }
        let more = bytes.saturating_sub(self.charge.bytes());
        if self.charge.try_grow(more).is_err() {
            let status = Status::new(Code::ResourceExhausted, "too much is due to all");
            stream.finish(status);
            return false;
        }
        true
    }

    /// Sends what may be sent now.
    fn go_on(&mut self, stream: Stream<'_, '_, '_>) {
        if self.charge.bytes() == 0 && !self.due.is_empty() && !self.charge(stream) {
            return;
        }
        while !self.sleeping && !self.blocked {
            match self.due.front_mut() {
                Some(Due::Response(response)) if response.interval_us > 0 => {
                    let time = Duration::from_micros(response.interval_us.unsigned_abs().into());
                    response.interval_us = 0;
                    self.sleeping = true;
                    stream.after(time, 0);
                }
                Some(Due::Response(response)) => {
                    stream.set_compressed(is_set(response.compressed.as_ref()));
                    match zeros(response.size) {
                        Ok(payload) => {
                            let payload = Some(payload);
                            let flow = stream.send(&StreamingOutputCallResponse { payload });
                            self.blocked = flow != barewire::app::Flow::Go;
                        }
                        Err(status) => return stream.finish(status),
                    }
                    self.due.pop_front();
                }
                Some(Due::End(status)) => {
                    let ended = echo_status(Some(status.clone()));
                    return stream.finish(ended.err().unwrap_or(Status::OK.into()));
                }
                None if self.closing => return stream.finish(Status::OK),
                None => return,
            }
        }
    }
}

impl ServerStream for Output {
    type Message = StreamingOutputCallResponse;

    fn open(&mut self, stream: Stream<'_, '_, '_>) {
        self.closing = true;
        self.go_on(stream);
    }

    fn timer(&mut self, stream: Stream<'_, '_, '_>, _token: u32) {
        self.sleeping = false;
        self.go_on(stream);
    }

    fn writable(&mut self, stream: Stream<'_, '_, '_>) {
        self.blocked = false;
        self.go_on(stream);
    }
}

/// Answers each request with what it asks for: immediately, or once they have all
/// come.
struct Duplex {
    output: Output,
    at_once: bool,
}

impl Conversation for Duplex {
    type Request = StreamingOutputCallRequest;
    type Response = StreamingOutputCallResponse;

    fn open(&mut self, stream: Stream<'_, '_, '_>) {
        stream.send_head();
    }

    fn message(&mut self, message: StreamingOutputCallRequest, stream: Stream<'_, '_, '_>) {
        if let Err(status) = self.output.ask(message) {
            return stream.finish(status);
        }
        if self.output.charge(stream) && self.at_once {
            self.output.go_on(stream);
        }
    }

    fn half_closed(&mut self, stream: Stream<'_, '_, '_>) {
        self.output.closing = true;
        self.output.go_on(stream);
    }

    fn writable(&mut self, stream: Stream<'_, '_, '_>) {
        self.output.blocked = false;
        self.output.go_on(stream);
    }

    fn timer(&mut self, stream: Stream<'_, '_, '_>, _token: u32) {
        self.output.sleeping = false;
        self.output.go_on(stream);
    }
}
