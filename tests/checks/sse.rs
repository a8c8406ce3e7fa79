//! Event streams: the law of splits, the specification read literally, and the
//! way from the encoder through the decoder.

use super::input::{Input, pieces};
use barewire::sse::{Decoded, Decoder, Event, Limits, ProtocolError, encode_comment};
use barewire::wire::Step;
use core::time::Duration;

/// Messages as type, data and the last event ID after them, all lossily text.
type Messages = Vec<(String, String, String)>;

#[derive(Debug, Default, PartialEq, Eq)]
struct Transcript {
    messages: Messages,
    id: String,
    retry: Option<Duration>,
    error: Option<ProtocolError>,
    /// The type, the data and whether a line was cut, of what the end cut.
    cut: Option<(String, String, bool)>,
}

fn read(all: &[&[u8]], limits: &Limits) -> Transcript {
    let (mut decoder, mut buffer) = (Decoder::new(), Vec::new());
    let mut seen = Transcript::default();
    for piece in all {
        buffer.extend_from_slice(piece);
        let mut calls = buffer.len() + 16;
        loop {
            let received = match decoder.receive(&mut buffer, limits) {
                Ok(received) => received,
                Err(violation) => {
                    seen.error = Some(violation);
                    return seen;
                }
            };
            let used = received.used;
            let text = |text: barewire::sse::Text<'_>| text.decode().into_owned();
            let more = match received.step {
                Step::Event(Decoded::Message(message)) => {
                    if let Some(id) = message.id {
                        seen.id = text(id);
                    }
                    let id = seen.id.clone();
                    seen.messages
                        .push((text(message.event), text(message.data), id));
                    true
                }
                Step::Event(Decoded::LastEventId(id)) => {
                    seen.id = text(id);
                    true
                }
                Step::Event(Decoded::ReconnectionTime(time)) => {
                    seen.retry = Some(time);
                    true
                }
                Step::Need(more) => {
                    assert!(more > 0);
                    false
                }
                other => panic!("{other:?}"),
            };
            calls = calls.checked_sub(1).expect("calls without progress");
            buffer.drain(..used);
            if !more {
                break;
            }
        }
        assert!(
            buffer.len() <= limits.event + 2,
            "{} bytes kept",
            buffer.len()
        );
    }
    seen.cut = end(&mut decoder, &mut buffer, limits);
    seen
}

/// Takes the end of a stream, of which everything else has been given.
fn end(
    decoder: &mut Decoder,
    buffer: &mut [u8],
    limits: &Limits,
) -> Option<(String, String, bool)> {
    let text = |text: barewire::sse::Text<'_>| text.decode().into_owned();
    let length = buffer.len();
    let received = decoder.receive_end(buffer, limits).ok()?;
    assert_eq!(received.used, length);
    match received.step {
        Step::Done => None,
        Step::Event(Decoded::Cut { message, mid_line }) => {
            let cut = (text(message.event), text(message.data), mid_line);
            let after = decoder.receive_end(&mut [], limits).map(|it| it.step);
            assert_eq!(after, Ok(Step::Done));
            Some(cut)
        }
        other => panic!("{other:?}"),
    }
}

/// WHATWG HTML §9.2.6, word for word, on a stream that is all there.
fn literally(stream: &[u8]) -> Transcript {
    let text = String::from_utf8_lossy(stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream));
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut seen = Transcript::default();
    let (mut data, mut event, mut id) = (String::new(), String::new(), String::new());
    let Some((complete, _)) = text.rsplit_once('\n') else {
        return seen;
    };
    for line in complete.split('\n') {
        if line.is_empty() {
            seen.id.clone_from(&id);
            if let Some(data) = data.strip_suffix('\n') {
                let event = if event.is_empty() { "message" } else { &event };
                seen.messages.push((event.into(), data.into(), id.clone()));
            }
            data.clear();
            event.clear();
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => event = value.into(),
            "data" => {
                data.push_str(value);
                data.push('\n');
            }
            "id" if !value.contains('\0') => id = value.into(),
            "retry" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => {
                let time = value.parse().unwrap_or(u64::MAX);
                seen.retry = Some(Duration::from_millis(time));
            }
            _ => {}
        }
    }
    seen
}

/// Any cut gives the same, and without limits it is what the specification
/// says.
pub fn decode(data: &[u8]) {
    let mut input = Input::new(data);
    let (flags, manner) = (input.byte(), input.byte());
    let stream = input.rest();
    let small = Limits::DEFAULT.with_event(128).with_id(16);
    let limits = if flags & 1 == 0 {
        Limits::DEFAULT
    } else {
        small
    };
    let whole = read(
        &[stream],
        &Limits {
            event: limits.event.max(stream.len()),
            ..limits
        },
    );
    let cut = read(&pieces(stream, manner), &limits);
    if flags & 1 == 0 {
        assert_eq!(cut, whole, "{}", stream.escape_ascii());
        if cut.error.is_none() {
            // The standard drops what the end cuts.
            let expected = Transcript {
                cut: cut.cut.clone(),
                ..literally(stream)
            };
            assert_eq!(cut, expected, "{}", stream.escape_ascii());
        }
    } else {
        assert_eq!(
            cut,
            read(&pieces(stream, 0), &limits),
            "{}",
            stream.escape_ascii()
        );
    }
}

/// Blocks and comments that the encoder agrees to write are what the decoder
/// reads.
pub fn roundtrip(data: &[u8]) {
    let mut input = Input::new(data);
    let manner = input.byte();
    let (mut wire, mut expected) = (Vec::new(), Transcript::default());
    let mut id = String::new();
    while !input.is_empty() {
        let (flags, before) = (input.byte(), wire.len());
        let (text, name, own) = (input.text(), input.text(), input.text());
        if flags & 0x80 != 0 {
            encode_comment(&text, &mut wire).expect("room");
            continue;
        }
        let mut event = Event::EMPTY;
        event.data = (flags & 1 != 0).then_some(&text[..]);
        event.event = (flags & 2 != 0).then_some(&name[..]);
        event.id = (flags & 4 != 0).then_some(&own[..]);
        event.retry =
            (flags & 8 != 0).then(|| Duration::from_millis(u64::from(flags) << (flags >> 2)));
        if event.encode(&mut wire).is_err() {
            assert_eq!(wire.len(), before, "refused, but written");
            continue;
        }
        assert_eq!(wire.len() - before, event.encoded_len());
        if let Some(own) = event.id {
            id = own.into();
            expected.id.clone_from(&id);
        }
        expected.retry = event.retry.or(expected.retry);
        if let Some(data) = event.data {
            let name = event
                .event
                .filter(|name| !name.is_empty())
                .unwrap_or("message");
            let data = data.replace("\r\n", "\n").replace('\r', "\n");
            expected.messages.push((name.into(), data, id.clone()));
        }
    }
    assert_eq!(
        read(&pieces(&wire, manner), &Limits::DEFAULT),
        expected,
        "{}",
        wire.escape_ascii()
    );
}
