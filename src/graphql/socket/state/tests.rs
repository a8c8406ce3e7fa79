use super::*;

use ClientState as C;
use FromClient as F;
use FromServer as S;
use ServerState as State;

const CLIENT_MESSAGES: [F; 9] = [
    F::Init,
    F::Subscribe { live: false },
    F::Subscribe { live: true },
    F::Complete { live: false },
    F::Complete { live: true },
    F::Ping,
    F::Pong,
    F::Terminate,
    F::Invalid,
];

/// The columns are those messages.
#[test]
fn every_message_of_a_client_in_every_state() {
    use ServerStep::{Close, Decide, Execute, Nothing, Pong, Replace, Stop};
    let bad = Close(CloseCode::BadRequest);
    let bye = Close(CloseCode::Normal);
    let early = Close(CloseCode::Unauthorized);
    let again = Close(CloseCode::TooManyInitialisationRequests);
    let exists = Close(CloseCode::SubscriberAlreadyExists);
    let over = Close(CloseCode::Forbidden);
    let (new, old) = (Protocol::TransportWs, Protocol::Legacy);
    let table = [
        (
            new,
            State::Opening,
            [
                Decide, early, early, Nothing, Nothing, Pong, Nothing, bye, bad,
            ],
        ),
        (
            old,
            State::Opening,
            [
                Decide, early, early, Nothing, Nothing, Pong, Nothing, bye, bad,
            ],
        ),
        (
            new,
            State::Deciding,
            [again, early, early, Nothing, Stop, Pong, Nothing, bye, bad],
        ),
        (
            old,
            State::Deciding,
            [
                again, Execute, Replace, Nothing, Stop, Pong, Nothing, bye, bad,
            ],
        ),
        (
            new,
            State::Ready,
            [
                again, Execute, exists, Nothing, Stop, Pong, Nothing, bye, bad,
            ],
        ),
        (
            old,
            State::Ready,
            [
                again, Execute, Replace, Nothing, Stop, Pong, Nothing, bye, bad,
            ],
        ),
        (new, State::Over(CloseCode::Forbidden), [over; 9]),
        (old, State::Over(CloseCode::Forbidden), [over; 9]),
    ];
    for (protocol, state, steps) in table {
        for (message, step) in CLIENT_MESSAGES.into_iter().zip(steps) {
            let found = server(protocol, state, message);
            assert_eq!(found, step, "{protocol:?} {state:?} {message:?}");
        }
    }
}

const SERVER_MESSAGES: [S; 12] = [
    S::Ack,
    S::Refusal,
    S::Next { live: false },
    S::Next { live: true },
    S::Error { live: false },
    S::Error { live: true },
    S::Complete { live: false },
    S::Complete { live: true },
    S::Ping,
    S::Pong,
    S::KeepAlive,
    S::Invalid,
];

#[test]
fn every_message_of_a_server_in_every_state() {
    use ClientStep::{Begin, Close, End, Fail, Next, Nothing, Pong, Refused};
    let bad = Close(CloseCode::BadResponse);
    let over = Close(CloseCode::ConnectionAcknowledgementTimeout);
    let table = [
        (
            C::Opening,
            [
                bad, bad, bad, bad, bad, bad, bad, bad, Pong, Nothing, Nothing, bad,
            ],
        ),
        (
            C::Waiting,
            [
                Begin, Refused, bad, bad, bad, bad, bad, bad, Pong, Nothing, Nothing, bad,
            ],
        ),
        (
            C::Ready,
            [
                bad, bad, Nothing, Next, Nothing, Fail, Nothing, End, Pong, Nothing, Nothing, bad,
            ],
        ),
        (
            C::Over(CloseCode::ConnectionAcknowledgementTimeout),
            [over; 12],
        ),
    ];
    for (state, steps) in table {
        for (message, step) in SERVER_MESSAGES.into_iter().zip(steps) {
            assert_eq!(client(state, message), step, "{state:?} {message:?}");
        }
    }
}
