//! A server that is a script, a clock that jumps, and dice that always fall alike.

use core::time::Duration;

use barewire::client::{EventSourceCore, EventSourceEnd, EventSourceOptions, NextStep, Resume};
use barewire::http::Method;
use barewire::sse::{Decoded, ProtocolError};
use barewire::wire::{Instant, Step};

/// What a server does with one request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// There is no response.
    None,
    /// The server is not reached.
    NotReached,
    /// A status and a type alone.
    Head(u16, Option<&'static str>),
    /// A status that asks to wait so many seconds.
    RetryAfter(u16, u64),
    /// A stream that ends.
    Stream(Vec<u8>),
    /// A stream whose connection is lost.
    Lost(Vec<u8>),
    /// A stream that becomes silent.
    Silent(Vec<u8>),
}

pub(crate) fn stream(text: &str) -> Answer {
    Answer::Stream(text.as_bytes().to_vec())
}

/// What a source did with a script.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Transcript {
    /// Type, data, and the last event ID then.
    pub(crate) messages: Vec<(String, String, String)>,
    /// The Last-Event-ID of each request.
    pub(crate) requests: Vec<Option<String>>,
    /// How the request was asked for.
    pub(crate) asks: Vec<Resume>,
    /// Milliseconds from each interruption to the next attempt.
    pub(crate) waits: Vec<u64>,
    /// What there was of events that the stream's end has cut.
    pub(crate) cut: Vec<String>,
    pub(crate) end: Option<EventSourceEnd>,
}

impl Transcript {
    pub(crate) fn data(&self) -> Vec<&str> {
        self.messages.iter().map(|it| it.1.as_str()).collect()
    }
}

/// Runs a source against a script, each body in pieces of this many bytes, until it is
/// over or the script is.
pub(crate) fn run(
    method: Method<'_>,
    options: EventSourceOptions,
    script: &[Answer],
    pieces: impl Fn(&[u8]) -> Vec<Vec<u8>>,
) -> Transcript {
    let mut source = EventSourceCore::new(method, options).unwrap();
    let mut transcript = Transcript::default();
    let mut script = script.iter();
    let mut now = Instant::START;
    let dice = 0;
    loop {
        match source.next(now) {
            NextStep::WaitUntil(at) => {
                transcript
                    .waits
                    .push(at.saturating_since(now).as_millis() as u64);
                now = at;
            }
            NextStep::Over => {
                transcript.end = source.end().cloned();
                return transcript;
            }
            NextStep::Connect => {
                let Some(answer) = script.next() else {
                    return transcript;
                };
                assert_eq!(source.next(now), NextStep::AwaitResponse);
                let id = source.fields().find(|field| field.is("last-event-id"));
                let id = id.map(|it| String::from_utf8(it.value.to_vec()).unwrap());
                transcript.requests.push(id);
                transcript.asks.push(source.asks().clone());
                now = answer_with(&mut source, answer, &pieces, &mut transcript, now, dice);
            }
            other => panic!("{other:?} in front of a request"),
        }
    }
}

fn answer_with(
    source: &mut EventSourceCore,
    answer: &Answer,
    pieces: &impl Fn(&[u8]) -> Vec<Vec<u8>>,
    transcript: &mut Transcript,
    mut now: Instant,
    dice: u32,
) -> Instant {
    let body = match answer {
        Answer::None => {
            source.lost(now, dice);
            return now;
        }
        Answer::NotReached => {
            source.not_reached(now, dice);
            return now;
        }
        Answer::Head(status, kind) => {
            source.response(*status, kind.map(str::as_bytes), None, now, dice);
            if !matches!(source.next(now), NextStep::ReadUntil(_)) {
                return now;
            }
            &Vec::new()
        }
        Answer::RetryAfter(status, seconds) => {
            let wait = Some(Duration::from_secs(*seconds));
            source.response(*status, None, wait, now, dice);
            return now;
        }
        Answer::Stream(body) | Answer::Lost(body) | Answer::Silent(body) => {
            source.response(200, Some(b"text/event-stream"), None, now, dice);
            body
        }
    };
    let mut buffer = Vec::new();
    for piece in pieces(body) {
        buffer.extend_from_slice(&piece);
        source.arrived(now);
        if !read(source, &mut buffer, transcript, |source, input| {
            source.receive(input)
        }) {
            return now;
        }
    }
    match answer {
        Answer::Lost(_) => source.lost(now, dice),
        Answer::Silent(_) => {
            let NextStep::ReadUntil(at) = source.next(now) else {
                panic!("the stream is open");
            };
            assert_ne!(at, Instant::NEVER, "no deadline");
            source.elapsed(Instant::from_nanos(at.as_nanos() - 1), dice);
            assert_eq!(source.next(now), NextStep::ReadUntil(at));
            now = at;
            source.elapsed(now, dice);
        }
        _ => {
            let over = read(source, &mut buffer, transcript, |source, input| {
                source.receive_end(input, now, dice)
            });
            assert!(!over);
        }
    }
    now
}

/// Takes what there is; whether the source still reads.
fn read(
    source: &mut EventSourceCore,
    buffer: &mut Vec<u8>,
    transcript: &mut Transcript,
    receive: impl for<'b> Fn(
        &mut EventSourceCore,
        &'b mut [u8],
    ) -> Result<barewire::wire::Received<Decoded<'b>>, ProtocolError>,
) -> bool {
    loop {
        let Ok(received) = receive(source, buffer) else {
            return false;
        };
        let used = received.used;
        let goes_on = match received.step {
            Step::Event(Decoded::Message(message)) => {
                transcript.messages.push((
                    message.event.to_string(),
                    message.data.to_string(),
                    source.last_event_id().to_owned(),
                ));
                true
            }
            Step::Event(Decoded::Cut { message, .. }) => {
                transcript.cut.push(message.data.to_string());
                true
            }
            Step::Event(_) => true,
            Step::Need(_) => false,
            Step::Done => return false,
            other => panic!("{other:?}"),
        };
        buffer.drain(..used);
        if !goes_on {
            return true;
        }
    }
}

/// Runs a script with each body in one piece, and at every cut, which must come to the
/// same.
pub(crate) fn run_split(
    method: Method<'_>,
    options: &EventSourceOptions,
    script: &[Answer],
) -> Transcript {
    let whole = run(method, options.clone(), script, |body| vec![body.to_vec()]);
    let longest = script.iter().map(|answer| match answer {
        Answer::Stream(body) | Answer::Lost(body) | Answer::Silent(body) => body.len(),
        _ => 0,
    });
    for at in 0..=longest.max().unwrap_or(0) {
        let cut = run(method, options.clone(), script, |body| {
            let (front, rest) = body.split_at(at.min(body.len()));
            vec![front.to_vec(), rest.to_vec()]
        });
        assert_eq!(cut, whole, "cut at {at}");
    }
    let bytes = run(method, options.clone(), script, |body| {
        body.iter().map(|&b| vec![b]).collect()
    });
    assert_eq!(bytes, whole, "byte by byte");
    whole
}
