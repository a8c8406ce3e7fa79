//! Compressed messages: the law of splits, and what another library of DEFLATE makes of the
//! same bytes.

use flate2::{Compress, Compression as Level, Decompress, FlushCompress, FlushDecompress};

use super::input::{Input, pieces};
use super::websocket_support::{Driver, Seen, frame};
use barewire::websocket::deflate::{Agreement, Session};
use barewire::websocket::{Connection, Kind, Limits, ProtocolError};
use barewire::wire::codec::{Compression, Deflater};
use barewire::wire::{Instant, Role};

const MESSAGE: u64 = 70_000;

/// What every message ends with before that is cut off.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

fn agreement(flags: u8) -> Agreement {
    Agreement {
        server_no_context_takeover: flags & 8 != 0,
        client_no_context_takeover: flags & 8 != 0,
        ..Agreement::default()
    }
}

fn driver(flags: u8) -> Driver {
    let role = match flags & 1 {
        0 => Role::Server,
        _ => Role::Client,
    };
    let limits = Limits::DEFAULT.with_message(MESSAGE).with_final_blocks(8);
    let streaming = flags & 2 != 0;
    let mut driver = Driver::with_limits(role, streaming, limits);
    let session = Session::new(&agreement(flags), role);
    driver.machine = Connection::new(role, Instant::START)
        .streaming(streaming)
        .compressed(session);
    driver
}

fn transcript(flags: u8, all: &[&[u8]]) -> (Vec<Seen>, Vec<u8>) {
    let mut driver = driver(flags);
    for piece in all {
        driver.feed(piece);
        // A window, a state, and their record.
        assert!(driver.machine.compression_memory() < 100 << 10);
    }
    for seen in &driver.seen {
        if let Seen::Message(_, bytes) | Seen::Chunk(_, bytes, _) = seen {
            assert!(bytes.len() as u64 <= MESSAGE);
        }
    }
    (driver.seen, driver.out)
}

/// Any cut of frames that are compressed, more or less, gives the same transcript.
pub fn receive(data: &[u8]) {
    let mut input = Input::new(data);
    let (flags, manner) = (input.byte(), input.byte());
    let role = driver(flags).machine.role();
    let mut bytes = Vec::new();
    while !input.is_empty() {
        let first = match input.byte() {
            byte if byte & 0x80 == 0 => {
                [0xc1, 0xc2, 0x41, 0x42, 0x00, 0x80, 0x81, 0x89][usize::from(byte & 7)]
            }
            byte => byte,
        };
        bytes.extend(frame(role, first, input.run()));
    }
    let cut = transcript(flags, &pieces(&bytes, manner));
    let whole = transcript(flags, &[&bytes]);
    assert_eq!(cut, whole, "{bytes:x?}");
}

/// What another library inflates this to, if it is valid as far as it goes and has no final
/// block.
fn inflate(
    state: &mut Decompress,
    payload: &[u8],
) -> Result<Option<Vec<u8>>, flate2::DecompressError> {
    let input = [payload, &TAIL].concat();
    let mut out = Vec::with_capacity(MESSAGE as usize + 1);
    let status = state.decompress_vec(&input, &mut out, FlushDecompress::Sync)?;
    let is_plain = status != flate2::Status::StreamEnd && out.len() as u64 <= MESSAGE;
    Ok(is_plain.then_some(out))
}

/// What is compressed on one side is inflated by the other library, and the other way
/// round; of any bytes both make the same, or nothing.
pub fn versus_flate2(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte() & !2;
    let level = 1 + input.byte() % 9;
    let role = driver(flags).machine.role();
    let mut raw = driver(flags);
    let mut theirs = Decompress::new(false);
    // Any bytes.
    let payload = input.run().to_vec();
    raw.feed(&frame(role, 0xc2, &payload));
    let judged = inflate(&mut theirs, &payload);
    match (&raw.seen[..], judged) {
        ([Seen::Message(_, ours)], Ok(Some(theirs))) => assert_eq!(*ours, theirs),
        ([Seen::Message(..)], Err(_)) => panic!("only we can inflate {payload:x?}"),
        ([Seen::Message(..)], Ok(None)) | ([Seen::Failed(_)], _) => {}
        (seen, _) => panic!("{seen:?}"),
    }
    // What they compress.
    let mut driver = driver(flags);
    let mut packer = Compress::new(Level::new(u32::from(level)), false);
    let compression = Compression {
        level,
        threshold: 0,
        dedicated: flags & 4 != 0,
    };
    let mut deflater = Deflater::new();
    let number = deflater.add(compression);
    let peer = match role {
        Role::Server => Role::Client,
        Role::Client => Role::Server,
    };
    let mut sender = Connection::new(peer, Instant::START)
        .compressed(Session::new(&agreement(flags), peer).compressing(number));
    let mut theirs = Decompress::new(false);
    let mut expected = Vec::new();
    for _ in 0..8 {
        if input.is_empty() {
            break;
        }
        let message = input.run().repeat(1 + usize::from(level));
        let mut packed = Vec::with_capacity(message.len() + 1024);
        if flags & 8 != 0 {
            packer.reset();
            theirs.reset(false);
        }
        packer
            .compress_vec(&message, &mut packed, FlushCompress::Sync)
            .unwrap();
        if packed.ends_with(&TAIL) {
            packed.truncate(packed.len() - 4);
            driver.feed(&frame(role, 0xc2, &packed));
            expected.push(Seen::Message(Kind::Binary, message.clone()));
        }
        let mut out = Vec::new();
        let now = Instant::START;
        sender
            .send_message_deflated(Kind::Binary, &message, [0; 4], now, &mut deflater, &mut out)
            .unwrap();
        if out[0] & 0x40 != 0 {
            let head = match out[1] & 0x7f {
                126 => 4,
                127 => 10,
                _ => 2,
            };
            let mask = if out[1] & 0x80 != 0 { 4 } else { 0 };
            let got = inflate(&mut theirs, &out[head + mask..]).unwrap();
            assert_eq!(got.as_ref(), Some(&message));
        }
    }
    assert_eq!(driver.seen, expected);
    assert!(
        !driver
            .seen
            .contains(&Seen::Failed(ProtocolError::InvalidCompression))
    );
}
