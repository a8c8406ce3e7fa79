//! The machines and codecs.

use std::hint::black_box;
use std::mem::MaybeUninit;

use barewire::client::{EventSourceCore, EventSourceOptions};
use barewire::grpc::Compression;
use barewire::grpc::frame::{Decoder as MessageDecoder, encode_message};
use barewire::hpack::{Decoder, Encoder, Growing, Indexing, Room};
use barewire::http::{
    CallContext, Field, FieldRange, Fields, Method, OwnedScratch, RequestHead, ResponseHead,
    Status, Target, Version, date::Date,
};
use barewire::websocket::frame::{Head, Opcode};
use barewire::websocket::{Kind, deflate, extension::Reserved};
use barewire::wire::{Instant, Role, Step, codec, simd};
use barewire::{grpc, http1, sse, websocket};

use crate::inputs::{RESPONSE, requests};
use crate::path;

/// What a machine is lent.
fn lent<'b, L>(limits: &'b L, scratch: &'b mut OwnedScratch) -> CallContext<'b, L> {
    CallContext {
        now: Instant::START,
        date: None,
        mask_key: [0; 4],
        limits,
        scratch: scratch.lend(),
    }
}

/// The same heads by httparse, which decides no framing.
pub fn httparse() {
    for (name, text) in requests() {
        path(&format!("httparse request head, {name}"), || {
            let mut rest = black_box(text.as_bytes());
            while !rest.is_empty() {
                let mut fields = [const { MaybeUninit::uninit() }; 100];
                let mut request = httparse::Request::new(&mut []);
                let parsed = request.parse_with_uninit_headers(rest, &mut fields);
                let used = parsed.expect("the request is well-formed").unwrap();
                black_box(&request);
                rest = &rest[used..];
            }
        });
    }
    path("httparse response head", || {
        let mut fields = [const { MaybeUninit::uninit() }; 100];
        let mut response = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            black_box(RESPONSE.as_bytes()),
            &mut fields,
        );
        black_box(parsed.expect("the response is well-formed").unwrap());
    });
}

/// Heads, a whole exchange, and the size lines of chunks.
pub fn http1() {
    let limits = http1::Limits::DEFAULT;
    let (mut scratch, mut out) = (OwnedScratch::new(100), Vec::with_capacity(4096));
    for (name, text) in requests() {
        let mut input = text.into_bytes();
        path(&format!("http1 request head, {name}"), || {
            let mut at = 0;
            while at < input.len() {
                let mut machine = http1::Connection::new(Role::Server, Instant::START);
                let received = machine
                    .receive(&mut input[at..], lent(&limits, &mut scratch), &mut out)
                    .expect("the request is well-formed");
                assert!(matches!(black_box(&received).step, Step::Event(_)));
                at += received.used;
            }
        });
    }

    let fields = [Field::new("Host", "example.com")];
    let head = RequestHead {
        method: Method::GET,
        target: Target::parse(b"/", Method::GET).expect("a path"),
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(&fields),
    };
    let mut asked = http1::Connection::new(Role::Client, Instant::START);
    asked
        .send_request(&head, None, Instant::START, &mut out)
        .expect("nothing is under way");
    let mut input = RESPONSE.as_bytes().to_vec();
    path("http1 response head", || {
        let received = asked
            .clone()
            .receive(&mut input, lent(&limits, &mut scratch), &mut out)
            .expect("the response is well-formed");
        assert!(matches!(black_box(&received).step, Step::Event(_)));
    });

    let (_, text) = requests().swap_remove(2);
    let mut input = text.into_bytes();
    let mut machine = http1::Connection::new(Role::Server, Instant::START);
    let date = Date::from_unix(784_111_777);
    let fields = [Field::new("Content-Type", "text/plain; charset=utf-8")];
    path("http1 GET and its response", || {
        out.clear();
        let received = machine
            .receive(&mut input, lent(&limits, &mut scratch), &mut out)
            .expect("the request is well-formed");
        assert!(matches!(black_box(&received).step, Step::Event(_)));
        let head = ResponseHead::new(Status::OK, Fields::new(black_box(&fields)));
        machine
            .send_whole(
                &head,
                b"Hello, World!",
                Some(&date),
                Instant::START,
                &mut out,
            )
            .expect("a response is owed");
        black_box(&out);
    });

    const CHUNKS: usize = 64;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = "10\r\n0123456789abcdef\r\n".repeat(CHUNKS) + "0\r\n\r\n";
    let mut input = (head.to_owned() + &body).into_bytes();
    let mut open = http1::Connection::new(Role::Server, Instant::START);
    let received = open
        .receive(&mut input, lent(&limits, &mut scratch), &mut out)
        .expect("well-formed");
    let from = received.used;
    open.accept_body(Instant::START, &mut out)
        .expect("a body is offered");
    path("http1 body of 64 chunks", || {
        let (mut machine, mut at) = (open.clone(), from);
        while at < input.len() {
            let received = machine
                .receive(&mut input[at..], lent(&limits, &mut scratch), &mut out)
                .expect("the body is well-formed");
            black_box(&received.step);
            at += received.used;
        }
    });
}

/// Frames through the machine and back.
pub fn websocket() {
    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let limits = websocket::Limits::DEFAULT;
    let (mut scratch, mut out) = (OwnedScratch::new(0), Vec::with_capacity(70 << 10));
    let mut machine = websocket::Connection::new(Role::Server, Instant::START);
    for (name, kind, size) in [
        ("websocket echo, 16 B binary", Kind::Binary, 16),
        ("websocket echo, 16 B text", Kind::Text, 16),
        ("websocket echo, 128 B text", Kind::Text, 128),
        ("websocket echo, 1 KiB text", Kind::Text, 1 << 10),
        ("websocket echo, 64 KiB text", Kind::Text, 64 << 10),
    ] {
        let opcode = match kind {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        };
        let head = Head {
            fin: true,
            reserved: Reserved::NONE,
            opcode,
            mask: Some(KEY),
            length: size as u64,
        };
        let mut frame = head.encode().as_bytes().to_vec();
        let start = frame.len();
        frame.resize(start + size, b'a');
        simd::mask(&mut frame[start..], KEY);
        let mut input = frame.clone();
        path(name, || {
            // It is unmasked where it lies.
            input.copy_from_slice(&frame);
            out.clear();
            let received = machine
                .receive(&mut input, lent(&limits, &mut scratch), &mut out)
                .expect("a valid frame");
            let Step::Event(websocket::Event::Message { kind, payload }) = received.step else {
                panic!("no message");
            };
            machine
                .send_message(kind, payload, [0; 4], Instant::START, &mut out)
                .expect("the connection is open");
            black_box(&out);
        });
    }
}

/// A JSON text of this size, another one for each number.
fn json(number: u32, size: usize) -> String {
    let mut text = format!("{{\"seq\":{number},\"items\":[");
    let mut seed = number;
    while text.len() + 90 < size {
        seed = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let (id, price) = (seed >> 12, seed % 9973);
        text += &format!("{{\"id\":{id},\"state\":\"paid\",\"price\":{price}.50}},");
    }
    text += "{\"note\":\"";
    let room = size.saturating_sub(text.len() + 4);
    text.extend(
        "the order was shipped and will arrive before friday "
            .chars()
            .cycle()
            .take(room),
    );
    text + "\"}]}"
}

/// Compressed frames through the machine and back (RFC 7692), 64 different ones in turn.
pub fn websocket_deflate() {
    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let limits = websocket::Limits::DEFAULT;
    let (mut scratch, mut out) = (OwnedScratch::new(0), Vec::with_capacity(70 << 10));
    let dedicated = codec::Compression {
        dedicated: true,
        ..codec::Compression::DEFAULT
    };
    for (name, takeover, size) in [
        ("websocket compressed echo, 128 B", false, 128),
        ("websocket compressed echo, 1 KiB", false, 1 << 10),
        ("websocket compressed echo, 16 KiB", false, 16 << 10),
        ("websocket compressed echo, 128 B, takeover", true, 128),
        ("websocket compressed echo, 1 KiB, takeover", true, 1 << 10),
    ] {
        let mut deflater = codec::Deflater::new();
        let number = deflater.add(dedicated);
        let bits = deflate::WindowBits::new(12);
        let agreement = deflate::Agreement {
            server_no_context_takeover: !takeover,
            client_no_context_takeover: true, // so that frames can come again
            server_max_window_bits: bits,
            client_max_window_bits: bits,
        };
        let machine = |role| {
            let session = deflate::Session::new(&agreement, role).compressing(number);
            websocket::Connection::new(role, Instant::START).compressed(session)
        };
        let (mut client, mut server) = (machine(Role::Client), machine(Role::Server));
        let frames: Vec<Vec<u8>> = (0..64)
            .map(|number| {
                let (text, mut frame) = (json(number, size), Vec::new());
                let (kind, now) = (Kind::Text, Instant::START);
                client
                    .send_message_deflated(
                        kind,
                        text.as_bytes(),
                        KEY,
                        now,
                        &mut deflater,
                        &mut frame,
                    )
                    .expect("the connection is open");
                frame
            })
            .collect();
        let (mut input, mut at) = (Vec::new(), 0);
        path(name, || {
            // It is unmasked where it lies.
            input.clear();
            input.extend_from_slice(&frames[at % frames.len()]);
            at += 1;
            out.clear();
            let received = server
                .receive(&mut input, lent(&limits, &mut scratch), &mut out)
                .expect("a valid frame");
            let Step::Event(websocket::Event::Message { kind, payload }) = received.step else {
                panic!("no message");
            };
            server
                .send_message_deflated(
                    kind,
                    payload,
                    [0; 4],
                    Instant::START,
                    &mut deflater,
                    &mut out,
                )
                .expect("the connection is open");
            black_box(&out);
        });
    }
}

/// An event source whose stream is open.
fn open_source() -> EventSourceCore {
    let options = EventSourceOptions::new().end_data("[DONE]");
    let mut source = EventSourceCore::new(Method::GET, options).expect("no ID is sent");
    source.next(Instant::START);
    source.response(200, Some(b"text/event-stream"), None, Instant::START, 0);
    source
}

/// Events, both ways, and as an event source has them.
pub fn sse() {
    let limits = sse::Limits::DEFAULT;
    let events = [
        ("tick", "data: 1720000000\n\n".to_owned()),
        ("full", "id: 1720000000-17\nevent: temperature\ndata: {\"sensor\":\"roof\",\"celsius\":21.5}\n\n".to_owned()),
        ("4 KiB", format!("data: {}\n\n", "0123456789abcdef".repeat(256))),
    ];
    for (name, event) in events {
        let mut input = event.into_bytes();
        let mut source = open_source();
        path(&format!("event source, {name}"), || {
            let mut at = 0;
            while at < input.len() {
                let received = source.receive(&mut input[at..]).expect("within the limits");
                at += received.used;
                black_box(&received.step);
            }
        });
        let mut decoder = sse::Decoder::new();
        path(&format!("sse decode, {name}"), || {
            let mut at = 0;
            while at < input.len() {
                let received = decoder
                    .receive(&mut input[at..], &limits)
                    .expect("within the limits");
                at += received.used;
                black_box(&received.step);
            }
        });
    }
    let mut out = Vec::with_capacity(4096);
    let event = sse::Event::new("{\"sensor\":\"roof\"}")
        .event("temperature")
        .id("1720000000-17");
    path("sse encode, full", || {
        out.clear();
        black_box(&event).encode(&mut out).expect("a valid event");
        black_box(&out);
    });
}

/// Length-prefixed messages.
pub fn grpc() {
    let limits = grpc::Limits::DEFAULT;
    let (message, mut out) = ([0x2a; 100], Vec::with_capacity(256));
    path("grpc encode, 100 B", || {
        out.clear();
        encode_message(black_box(&message), &mut out).expect("the message is short");
        black_box(&out);
    });
    let mut input = Vec::new();
    encode_message(&message, &mut input).expect("the message is short");
    let mut decoder = MessageDecoder::native(Compression::Absent);
    path("grpc decode, 100 B", || {
        let received = decoder.receive(&mut input, &limits).expect("a valid body");
        assert!(matches!(black_box(&received).step, Step::Event(_)));
    });
}

/// A request's fields, with and without a dynamic table that knows them.
pub fn hpack() {
    let fields: [(&str, &str); 10] = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "www.example.com"),
        (":path", "/search/results?q=event+loop&page=2"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101",
        ),
        (
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        ("accept-language", "en-GB,en-US;q=0.9,en;q=0.8"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        (
            "cookie",
            "session=0123456789abcdef0123456789abcdef; theme=dark",
        ),
        ("cache-control", "max-age=0"),
    ];
    for (name, indexing) in [
        ("indexed", Indexing::ByName),
        ("literals", Indexing::Without),
    ] {
        let mut encoder = Encoder::new(Growing::default(), 4096);
        let mut block = Vec::with_capacity(4096);
        let mut encode = |block: &mut Vec<u8>| {
            block.clear();
            encoder.begin(block);
            for (name, value) in black_box(fields) {
                encoder.encode(Field::new(name, value), indexing, block);
            }
        };
        path(&format!("hpack encode, 10 fields, {name}"), || {
            encode(&mut block);
            black_box(&block);
        });
        // A decoder's table follows its encoder's, so that both are fresh here.
        let (mut text, mut ranges) = (vec![0; 64 << 10], vec![FieldRange::EMPTY; 64]);
        let mut decoder = Decoder::new(Growing::default());
        let mut encoder = Encoder::new(Growing::default(), 4096);
        for again in [false, true] {
            block.clear();
            encoder.begin(&mut block);
            for (name, value) in fields {
                encoder.encode(Field::new(name, value), indexing, &mut block);
            }
            if !again {
                let room = Room {
                    text: &mut text,
                    fields: &mut ranges,
                    list_limit: 64 << 10,
                };
                decoder.decode(&block, room).expect("the block is ours");
            }
        }
        path(&format!("hpack decode, 10 fields, {name}"), || {
            let room = Room {
                text: &mut text,
                fields: &mut ranges,
                list_limit: 64 << 10,
            };
            let decoded = decoder.decode(&block, room).expect("the block is ours");
            black_box(decoded.fields().len());
        });
    }
}
