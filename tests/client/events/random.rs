//! Any order of calls, any bytes, any dice.

use core::time::Duration;

use barewire::client::{
    EventSourceCore, EventSourceEnd, EventSourceFault, EventSourceLimits, EventSourceOptions,
    NextStep, ReadyState,
};
use barewire::http::Method;
use barewire::wire::{Instant, Step};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Call {
    Next,
    Response(u16, bool, Option<u64>),
    Bytes(Vec<u8>),
    End,
    Lost,
    NotReached,
    Refuse,
    Elapsed,
    TryNow,
    Wait(u64),
}

fn call() -> impl Strategy<Value = Call> {
    let line = prop_oneof![
        Just("data: [DONE]\n\n".to_owned()),
        "(data|id|event|retry|): ?[0-9a-z\u{0}\u{1}…]{0,9}(\n|\r|\r\n|\n\n)",
        "[a-z:\n\r]{0,9}",
    ];
    prop_oneof![
        4 => Just(Call::Next),
        4 => (prop_oneof![6 => Just(200), 1 => Just(204), 1 => Just(503), 1 => Just(500)], prop::bool::weighted(0.9), any::<Option<u64>>())
            .prop_map(|(status, is_stream, wait)| Call::Response(status, is_stream, wait)),
        8 => vec(line, 0..4).prop_map(|lines| Call::Bytes(lines.concat().into_bytes())),
        1 => vec(any::<u8>(), 0..40).prop_map(Call::Bytes),
        1 => Just(Call::End),
        1 => Just(Call::Lost),
        1 => Just(Call::NotReached),
        1 => Just(Call::Refuse),
        1 => Just(Call::Elapsed),
        1 => Just(Call::TryNow),
        3 => (0_u64..200_000).prop_map(Call::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_is_called_a_source_keeps_its_word(
        calls in vec(call(), 0..60),
        dice in any::<u32>(),
        is_get in any::<bool>(),
    ) {
        let limits = EventSourceLimits::DEFAULT
            .with_event(64)
            .with_id(8)
            .with_attempts(4)
            .with_silence(Duration::from_secs(60));
        let options = EventSourceOptions::new()
            .limits(limits)
            .end_data("[DONE]")
            .retry_on(503);
        let method = if is_get { Method::GET } else { Method::POST };
        let mut source = EventSourceCore::new(method, options).unwrap();
        let mut now = Instant::START;
        let (mut input, mut connects) = (Vec::new(), 0);
        for call in calls {
            let ended = source.end().cloned();
            match call {
                Call::Next => {
                    let step = source.next(now);
                    connects += u32::from(step == NextStep::Connect);
                    if let NextStep::WaitUntil(at) = step {
                        prop_assert!(at > now);
                        // The longest that a server can ask for, and half of it.
                        prop_assert!(at <= now + Duration::from_secs(5400));
                    }
                }
                Call::Response(status, is_stream, wait) => {
                    let kind: &[u8] = if is_stream { b"text/event-stream" } else { b"text/html" };
                    source.response(status, Some(kind), wait.map(Duration::from_secs), now, dice);
                }
                Call::Bytes(bytes) => {
                    input.extend_from_slice(&bytes);
                    source.arrived(now);
                    while let Ok(received) = source.receive(&mut input) {
                        let goes_on = matches!(received.step, Step::Event(_));
                        let used = received.used;
                        prop_assert!(used <= input.len());
                        input.drain(..used);
                        if !goes_on {
                            break;
                        }
                    }
                }
                Call::End => {
                    while let Ok(received) = source.receive_end(&mut input, now, dice) {
                        let goes_on = matches!(received.step, Step::Event(_));
                        let used = received.used;
                        input.drain(..used);
                        if !goes_on {
                            break;
                        }
                    }
                }
                Call::Lost => source.lost(now, dice),
                Call::NotReached => source.not_reached(now, dice),
                Call::Refuse => source.refuse(),
                Call::Elapsed => source.elapsed(now, dice),
                Call::TryNow => source.try_now(),
                Call::Wait(millis) => now += Duration::from_millis(millis),
            }
            if source.ready_state() != ReadyState::Open {
                input.clear();
            }
            prop_assert!(input.len() <= 70, "a stream holds no more than an event");
            prop_assert!(source.attempts_in_vain() <= 4);
            prop_assert!(source.last_event_id().len() <= 3 * 8);
            let sent = source.fields().all(|field| field.check().is_ok());
            prop_assert!(sent, "{:?}", source.last_event_id());
            if ended.is_some() {
                prop_assert_eq!(source.end().cloned(), ended, "an end is for good");
            }
            if matches!(source.end(), Some(EventSourceEnd::Failed(EventSourceFault::GaveUp { .. }))) {
                prop_assert!(is_get);
            }
            prop_assert!(is_get || connects <= 1, "a POST is sent once");
        }
    }
}
