//! The client of gRPC's public interop tests, on barewire's blocking channel.
//!
//! ```text
//! cargo run -p interop-clients --bin grpc_interop_client -- \
//!     [--fail-fast] [--connect | --grpc-web] [--http1] [--ca FILE] \
//!     http://127.0.0.1:50051 [CASE... | -CASE...]
//! ```
//!
//! `--connect` and `--grpc-web` make the calls in that protocol, `--http1` over HTTP/1.1:
//! cases with streams that flow both ways have to be left out then.
//!
//! An `https` URL is called over TLS; the server's certificate must lead to one in FILE
//! (PEM), or without `--ca` to a root of the system. A server that cannot be reached is
//! waited for, unless `--fail-fast` says otherwise.
//!
//! Prints `ok CASE` or `FAIL CASE: why`; ends with 1 if any failed. All cases
//! that need no cloud run by default; `-CASE` leaves one out, and `soak` runs when named.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, process, thread};

use barewire::client::{
    CallListener, CallOptions, CallResponse, Channel, Duplex, Ending, GrpcChannelOptions, Outgoing,
    Requests, Responses,
};
use barewire::grpc::{Code, Protocol};
use barewire::tls::{Client, ClientOptions, Roots};
use showcase::test_messages::BoolValue;
use showcase::test_messages::{
    Body, EchoStatus, Empty, ResponseParameters, SimpleRequest, SimpleResponse,
    StreamingInputCallRequest, StreamingInputCallResponse, StreamingOutputCallRequest,
    StreamingOutputCallResponse,
};

type Outcome = Result<(), Box<dyn std::error::Error>>;
type Case = fn(&Channel) -> Outcome;
type Chat = Duplex<StreamingOutputCallRequest, StreamingOutputCallResponse>;

const CASES: &[(&str, Case)] = &[
    ("empty_unary", empty_unary),
    ("large_unary", large_unary),
    ("client_streaming", client_streaming),
    ("server_streaming", server_streaming),
    ("ping_pong", ping_pong),
    ("empty_stream", empty_stream),
    ("custom_metadata", custom_metadata),
    ("status_code_and_message", status_code_and_message),
    ("special_status_message", special_status_message),
    ("unimplemented_method", unimplemented_method),
    ("unimplemented_service", unimplemented_service),
    ("cancel_after_begin", cancel_after_begin),
    ("cancel_after_first_response", cancel_after_first_response),
    ("timeout_on_sleeping_server", timeout_on_sleeping_server),
    ("concurrent_large_unary", concurrent_large_unary),
    ("two_threads_on_one_call", two_threads_on_one_call),
    ("unary_with_a_callback", unary_with_a_callback),
    ("ping_pong_with_a_listener", ping_pong_with_a_listener),
    ("client_compressed_unary", client_compressed_unary),
    ("server_compressed_unary", server_compressed_unary),
    ("client_compressed_streaming", client_compressed_streaming),
    ("server_compressed_streaming", server_compressed_streaming),
    ("compressed_ping_pong", compressed_ping_pong),
];

/// Sizes of the interop description.
const LARGE: (usize, i32) = (271_828, 314_159);
const REQUESTS: [usize; 4] = [27_182, 8, 1_828, 45_904];
const RESPONSES: [i32; 4] = [31_415, 9, 2_653, 58_979];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (mut rest, mut ca) = (&arguments[..], None);
    let mut options = GrpcChannelOptions::new();
    loop {
        rest = match rest {
            [flag, more @ ..] if flag == "--fail-fast" => {
                WAITS.store(false, Ordering::Relaxed);
                more
            }
            [flag, more @ ..] if flag == "--connect" => {
                options = options.protocol(Protocol::Connect);
                more
            }
            [flag, more @ ..] if flag == "--grpc-web" => {
                options = options.protocol(Protocol::GrpcWeb);
                more
            }
            [flag, more @ ..] if flag == "--http1" => {
                options = options.http1();
                more
            }
            [flag, file, more @ ..] if flag == "--ca" => {
                ca = Some(file);
                more
            }
            _ => break,
        }
    }
    let Some((target, wanted)) = rest.split_first() else {
        eprintln!(
            "usage: grpc_interop_client [--fail-fast] [--connect | --grpc-web] [--http1] [--ca FILE] http[s]://HOST:PORT [CASE... | -CASE...]"
        );
        process::exit(2);
    };
    let channel = match connect(target, options, ca.map(String::as_str)) {
        Ok(channel) => channel,
        Err(error) => {
            eprintln!("{target}: {error}");
            process::exit(2);
        }
    };
    let soak: (&str, Case) = ("soak", soak);
    let known = CASES.iter().chain([&soak]);
    let (left_out, named): (Vec<_>, Vec<_>) = wanted
        .iter()
        .map(String::as_str)
        .partition(|it| it.starts_with('-'));
    let left_out: Vec<_> = left_out
        .iter()
        .map(|it| it.trim_start_matches('-'))
        .collect();
    let is_known = |it: &&str| known.clone().any(|(name, _)| name == it);
    if let Some(name) = left_out.iter().chain(&named).find(|it| !is_known(it)) {
        eprintln!("unknown case: {name}");
        process::exit(2);
    }
    let chosen = known.clone().filter(|(name, _)| match named.as_slice() {
        [] => *name != "soak" && !left_out.contains(name),
        _ => named.contains(name),
    });
    let mut failed = false;
    for (name, case) in chosen {
        match case(&channel) {
            Ok(()) => println!("ok {name}"),
            Err(error) => {
                println!("FAIL {name}: {error}");
                failed = true;
            }
        }
    }
    process::exit(i32::from(failed));
}

/// A channel that trusts the certificates in this file, if there is one.
fn connect(
    target: &str,
    mut options: GrpcChannelOptions,
    ca: Option<&str>,
) -> Result<Channel, Box<dyn std::error::Error>> {
    if let Some(file) = ca {
        let tls = ClientOptions::new().root_certs(Roots::read(file)?);
        options = options.tls(Client::new(tls)?);
    }
    Ok(Channel::connect_with(target, options)?)
}

fn path(method: &str) -> String {
    format!("/grpc.testing.TestService/{method}")
}

/// Whether calls wait for a server that cannot be reached.
static WAITS: AtomicBool = AtomicBool::new(true);

/// Waits for the server, so that the order of starting does not matter; no
/// call of these takes longer.
fn options() -> CallOptions {
    CallOptions::new()
        .wait_for_ready(WAITS.load(Ordering::Relaxed))
        .timeout(Duration::from_secs(60))
}

/// A payload of this many zeros.
fn zeros(size: usize) -> Option<Body> {
    Some(Body {
        r#type: 0,
        body: vec![0; size],
    })
}

fn check(is: bool, what: impl Into<String>) -> Outcome {
    is.then_some(()).ok_or_else(|| what.into().into())
}

fn simple(request: SimpleRequest, channel: &Channel) -> Result<SimpleResponse, Ending> {
    let response = channel.unary(&path("UnaryCall"), &request, options())?;
    Ok(response.into_message())
}

fn large() -> SimpleRequest {
    SimpleRequest {
        response_size: LARGE.1,
        payload: zeros(LARGE.0),
        ..SimpleRequest::default()
    }
}

fn check_size(got: Option<Body>, size: i32) -> Outcome {
    let body = got.unwrap_or_default().body;
    let whole = body.len() == size as usize && body.iter().all(|&b| b == 0);
    check(
        whole,
        format!("payload of {} bytes, not {size}", body.len()),
    )
}

fn check_code(ending: &Ending, code: Code) -> Outcome {
    check(ending.code() == code, format!("{ending}, not {code}"))
}

fn failure<T>(result: Result<T, Ending>) -> Result<Ending, Box<dyn std::error::Error>> {
    match result {
        Ok(_) => Err("it succeeded".into()),
        Err(ending) => Ok(ending),
    }
}

fn empty_unary(channel: &Channel) -> Outcome {
    let response: CallResponse<Empty> = channel.unary(&path("EmptyCall"), &Empty {}, options())?;
    check(response.message == Empty {}, "not empty")
}

fn large_unary(channel: &Channel) -> Outcome {
    check_size(simple(large(), channel)?.payload, LARGE.1)
}

fn client_streaming(channel: &Channel) -> Outcome {
    let mut requests: Requests<_, StreamingInputCallResponse> =
        channel.client_streaming(&path("StreamingInputCall"), options())?;
    for size in REQUESTS {
        requests.send(&StreamingInputCallRequest {
            payload: zeros(size),
            expect_compressed: None,
        })?;
    }
    let response = requests.finish()?.message;
    let sum = response.aggregated_payload_size;
    check(sum == 74_922, format!("sum {sum}"))
}

fn parameters(sizes: &[i32]) -> Vec<ResponseParameters> {
    let one = |&size| ResponseParameters {
        size,
        interval_us: 0,
        compressed: None,
    };
    sizes.iter().map(one).collect()
}

fn server_streaming(channel: &Channel) -> Outcome {
    let request = StreamingOutputCallRequest {
        response_parameters: parameters(&RESPONSES),
        ..StreamingOutputCallRequest::default()
    };
    let mut responses: Responses<StreamingOutputCallResponse> =
        channel.server_streaming(&path("StreamingOutputCall"), &request, options())?;
    for size in RESPONSES {
        let Some(response) = responses.receive()? else {
            return Err("too few responses".into());
        };
        check_size(response.payload, size)?;
    }
    check(responses.next().is_none(), "too many responses")
}

fn ask(sent: usize, wanted: i32) -> StreamingOutputCallRequest {
    StreamingOutputCallRequest {
        response_parameters: parameters(&[wanted]),
        payload: zeros(sent),
        ..StreamingOutputCallRequest::default()
    }
}

fn chat(channel: &Channel, options: CallOptions) -> Result<Chat, Ending> {
    channel.bidirectional(&path("FullDuplexCall"), options)
}

fn ping_pong(channel: &Channel) -> Outcome {
    let mut chat = chat(channel, options())?;
    for (sent, wanted) in REQUESTS.into_iter().zip(RESPONSES) {
        chat.send(&ask(sent, wanted))?;
        let Some(response) = chat.receive()? else {
            return Err("too few responses".into());
        };
        check_size(response.payload, wanted)?;
    }
    check(chat.close_sending().next().is_none(), "a response too many")
}

fn empty_stream(channel: &Channel) -> Outcome {
    let mut responses = chat(channel, options())?.close_sending();
    check(responses.receive()?.is_none(), "a response")
}

fn custom_metadata(channel: &Channel) -> Outcome {
    let value = "test_initial_metadata_value";
    let octets = [0xab; 3];
    let options = || {
        options()
            .metadata("x-grpc-test-echo-initial", value)
            .binary_metadata("x-grpc-test-echo-trailing-bin", &octets)
    };
    let of = |fields: barewire::http::Fields<'_>, name: &str| {
        let value = fields.get_str(name).unwrap_or("missing");
        value.trim_end_matches('=').to_owned()
    };
    let response = channel.unary::<_, SimpleResponse>(&path("UnaryCall"), &large(), options())?;
    let initial = of(response.metadata(), "x-grpc-test-echo-initial");
    let trailing = of(response.trailers(), "x-grpc-test-echo-trailing-bin");
    check(initial == value, initial)?;
    check(trailing == "q6ur", trailing)?;

    let mut chat = chat(channel, options())?;
    chat.send(&ask(LARGE.0, LARGE.1))?;
    let initial = of(chat.metadata()?.as_fields(), "x-grpc-test-echo-initial");
    check(initial == value, initial)?;
    let mut responses = chat.close_sending();
    check(responses.receive()?.is_some(), "no response")?;
    check(responses.receive()?.is_none(), "a response too many")?;
    let ending = responses.ending().ok_or("no ending")?;
    let trailing = of(ending.trailers(), "x-grpc-test-echo-trailing-bin");
    check(trailing == "q6ur", trailing)
}

fn echo_status(channel: &Channel, code: Code, message: &str) -> Outcome {
    let response_status = Some(EchoStatus {
        code: code.number().into(),
        message: message.into(),
    });
    let request = SimpleRequest {
        response_status: response_status.clone(),
        ..SimpleRequest::default()
    };
    let mut chat = chat(channel, options())?;
    chat.send(&StreamingOutputCallRequest {
        response_status,
        ..StreamingOutputCallRequest::default()
    })?;
    let streamed = failure(chat.close_sending().receive())?;
    for ending in [failure(simple(request, channel))?, streamed] {
        check_code(&ending, code)?;
        check(ending.status.message == message, ending.to_string())?;
    }
    Ok(())
}

fn status_code_and_message(channel: &Channel) -> Outcome {
    echo_status(channel, Code::Unknown, "test status message")
}

fn special_status_message(channel: &Channel) -> Outcome {
    let message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    echo_status(channel, Code::Unknown, message)
}

fn unimplemented(channel: &Channel, path: &str) -> Outcome {
    let called = channel.unary::<_, Empty>(path, &Empty {}, options());
    check_code(&failure(called)?, Code::Unimplemented)
}

fn unimplemented_method(channel: &Channel) -> Outcome {
    unimplemented(channel, &path("UnimplementedCall"))
}

fn unimplemented_service(channel: &Channel) -> Outcome {
    let path = "/grpc.testing.UnimplementedService/UnimplementedCall";
    unimplemented(channel, path)
}

fn cancel_after_begin(channel: &Channel) -> Outcome {
    let requests: Requests<StreamingInputCallRequest, StreamingInputCallResponse> =
        channel.client_streaming(&path("StreamingInputCall"), options())?;
    check_code(&requests.cancel(), Code::Cancelled)
}

fn cancel_after_first_response(channel: &Channel) -> Outcome {
    let mut chat = chat(channel, options())?;
    chat.send(&ask(REQUESTS[0], RESPONSES[0]))?;
    check(chat.receive()?.is_some(), "no response")?;
    chat.cancel();
    check_code(&failure(chat.receive())?, Code::Cancelled)
}

fn timeout_on_sleeping_server(channel: &Channel) -> Outcome {
    let options = options().timeout(Duration::from_millis(1));
    let mut chat = chat(channel, options)?;
    // The deadline may be over by now.
    let _ = chat.send(&ask(27_182, 31_415));
    let ending = loop {
        match chat.receive() {
            Ok(Some(_)) => {}
            Ok(None) => return Err("it succeeded".into()),
            Err(ending) => break ending,
        }
    };
    check_code(&ending, Code::DeadlineExceeded)
}

fn concurrent_large_unary(channel: &Channel) -> Outcome {
    let threads: Vec<_> = (0..100)
        .map(|_| {
            let channel = channel.clone();
            thread::spawn(move || simple(large(), &channel))
        })
        .collect();
    for thread in threads {
        let response = thread.join().map_err(|_| "a thread panicked")?;
        check_size(response?.payload, LARGE.1)?;
    }
    Ok(())
}

/// One thread sends, another receives, in their own time.
fn two_threads_on_one_call(channel: &Channel) -> Outcome {
    let (mut sender, responses) = chat(channel, options())?.split();
    let sending = thread::spawn(move || {
        for _ in 0..200 {
            sender.send(&ask(10_000, 10_000))?;
        }
        sender.close();
        Ok::<_, Ending>(())
    });
    let mut count = 0;
    for response in responses {
        let response = response?;
        check_size(response.payload, 10_000)?;
        count += 1;
    }
    sending.join().map_err(|_| "the sender panicked")??;
    check(count == 200, format!("{count} responses"))
}

fn unary_with_a_callback(channel: &Channel) -> Outcome {
    let (send, receive) = mpsc::channel();
    for _ in 0..50 {
        let send = send.clone();
        channel.unary_then::<_, SimpleResponse>(
            &path("UnaryCall"),
            &large(),
            options(),
            move |result| drop(send.send(result)),
        )?;
    }
    for _ in 0..50 {
        let response = receive.recv()??.message;
        check_size(response.payload, LARGE.1)?;
    }
    Ok(())
}

/// Asks again for every response, as often as there are sizes.
struct Asking {
    round: usize,
    done: mpsc::Sender<Result<usize, Ending>>,
}

impl CallListener for Asking {
    type Request = StreamingOutputCallRequest;
    type Response = StreamingOutputCallResponse;

    fn message(&mut self, message: Self::Response, call: &Outgoing<Self::Request>) {
        if check_size(message.payload, RESPONSES[self.round]).is_err() {
            return call.cancel();
        }
        self.round += 1;
        match REQUESTS.get(self.round) {
            Some(&size) => drop(call.send(&ask(size, RESPONSES[self.round]))),
            None => call.close_sending(),
        }
    }

    fn end(self, ending: Ending) {
        let result = match ending.code() {
            Code::Ok => Ok(self.round),
            _ => Err(ending),
        };
        drop(self.done.send(result));
    }
}

fn ping_pong_with_a_listener(channel: &Channel) -> Outcome {
    let (done, receive) = mpsc::channel();
    let asking = Asking { round: 0, done };
    let call = channel.open(&path("FullDuplexCall"), options(), asking)?;
    call.send(&ask(REQUESTS[0], RESPONSES[0]))?;
    let rounds = receive.recv()??;
    check(rounds == RESPONSES.len(), format!("{rounds} rounds"))
}

const fn flag(value: bool) -> Option<BoolValue> {
    Some(BoolValue { value })
}

/// A request that says whether it is compressed, first one that lies.
fn client_compressed_unary(channel: &Channel) -> Outcome {
    let call = |says, options| {
        let request = SimpleRequest {
            expect_compressed: flag(says),
            ..large()
        };
        let response = channel.unary(&path("UnaryCall"), &request, options)?;
        Ok(response.into_message())
    };
    let refused = failure::<SimpleResponse>(call(true, options()))?;
    check_code(&refused, Code::InvalidArgument)?;
    check_size(call(true, options().compression())?.payload, LARGE.1)?;
    check_size(call(false, options())?.payload, LARGE.1)
}

fn server_compressed_unary(channel: &Channel) -> Outcome {
    for compressed in [true, false] {
        let request = SimpleRequest {
            response_compressed: flag(compressed),
            ..large()
        };
        let response: CallResponse<SimpleResponse> =
            channel.unary(&path("UnaryCall"), &request, options())?;
        let is = response.is_compressed();
        check(is == compressed, format!("compressed: {is}"))?;
        check_size(response.message.payload, LARGE.1)?;
    }
    Ok(())
}

fn client_compressed_streaming(channel: &Channel) -> Outcome {
    let path = path("StreamingInputCall");
    let request = |size, says| StreamingInputCallRequest {
        payload: zeros(size),
        expect_compressed: flag(says),
    };
    type Sum = Requests<StreamingInputCallRequest, StreamingInputCallResponse>;
    let mut lies: Sum = channel.client_streaming(&path, options())?;
    // It may have been refused by the time that its end is said.
    let _ = lies.send(&request(REQUESTS[0], true));
    check_code(&failure(lies.finish())?, Code::InvalidArgument)?;

    let mut requests: Sum = channel.client_streaming(&path, options().compression())?;
    requests.send(&request(27_182, true))?;
    requests.send_uncompressed(&request(45_904, false))?;
    let sum = requests.finish()?.message.aggregated_payload_size;
    check(sum == 73_086, format!("sum {sum}"))
}

fn server_compressed_streaming(channel: &Channel) -> Outcome {
    const WANTED: [(bool, i32); 2] = [(true, 31_415), (false, 92_653)];
    let one = |(compressed, size)| ResponseParameters {
        size,
        interval_us: 0,
        compressed: flag(compressed),
    };
    let request = StreamingOutputCallRequest {
        response_parameters: WANTED.map(one).into(),
        ..StreamingOutputCallRequest::default()
    };
    let mut responses: Responses<StreamingOutputCallResponse> =
        channel.server_streaming(&path("StreamingOutputCall"), &request, options())?;
    for (compressed, size) in WANTED {
        let response = responses.receive()?.ok_or("too few responses")?;
        let is = responses.is_compressed();
        check(is == compressed, format!("compressed: {is}"))?;
        check_size(response.payload, size)?;
    }
    check(responses.next().is_none(), "too many responses")
}

/// Both sides compress some messages and not others.
fn compressed_ping_pong(channel: &Channel) -> Outcome {
    let mut chat = chat(channel, options().compression())?;
    for (round, (sent, wanted)) in REQUESTS.into_iter().zip(RESPONSES).enumerate() {
        let compressed = round % 2 == 0;
        let mut request = ask(sent, wanted);
        for response in &mut request.response_parameters {
            response.compressed = flag(compressed);
        }
        match compressed {
            true => chat.send(&request)?,
            false => chat.send_uncompressed(&request)?,
        }
        let response = chat.receive()?.ok_or("too few responses")?;
        check_size(response.payload, wanted)?;
        let is = chat.is_compressed();
        check(is == compressed, format!("compressed: {is}"))?;
    }
    check(chat.close_sending().next().is_none(), "a response too many")
}

/// Large calls for ten seconds, a new channel for every tenth.
fn soak(channel: &Channel) -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (target, ca) = match arguments.as_slice() {
        [flag, file, target, ..] if flag == "--ca" => (target, Some(file.as_str())),
        [target, ..] => (target, None),
        [] => return Err("no target".into()),
    };
    let begun = Instant::now();
    let mut own = channel.clone();
    for round in 1.. {
        check_size(simple(large(), &own)?.payload, LARGE.1)?;
        if begun.elapsed() > Duration::from_secs(10) {
            break;
        }
        if round % 10 == 0 {
            own = connect(target, GrpcChannelOptions::new(), ca)?;
        }
    }
    Ok(())
}
