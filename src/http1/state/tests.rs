use super::*;
use std::vec::Vec;

const INPUTS: [Input; 10] = [
    Input::RequestHead { body: false },
    Input::RequestHead { body: true },
    Input::RequestEnd,
    Input::Interim,
    Input::ResponseHead { body: false },
    Input::ResponseHead { body: true },
    Input::ResponseEnd,
    Input::Switch,
    Input::Reuse,
    Input::Close,
];

#[test]
fn every_pair_of_request_state_and_input() {
    use Request::{Body, Closed, Done, Idle, Switched};
    let no = None;
    #[rustfmt::skip]
        let table = [
            (Idle,     [Some(Done), Some(Body), no, no, no, no, no, no, no, Some(Closed)]),
            (Body,     [no, no, Some(Done), Some(Body), Some(Body), Some(Body), Some(Body), no, no, Some(Closed)]),
            (Done,     [no, no, no, Some(Done), Some(Done), Some(Done), Some(Done), Some(Switched), Some(Idle), Some(Closed)]),
            (Closed,   [no, no, no, no, no, no, no, no, no, Some(Closed)]),
            (Switched, [no, no, no, no, no, no, no, no, no, Some(Closed)]),
        ];
    for (state, row) in table {
        for (input, next) in INPUTS.into_iter().zip(row) {
            assert_eq!(state.after(input), next, "{state:?} {input:?}");
        }
    }
}

#[test]
fn every_pair_of_response_state_and_input() {
    use Response::{Body, Closed, Done, Idle, Owed, Switched};
    let no = None;
    #[rustfmt::skip]
        let table = [
            (Idle,     [Some(Owed), Some(Owed), no, no, no, no, no, no, no, Some(Closed)]),
            (Owed,     [no, no, Some(Owed), Some(Owed), Some(Done), Some(Body), no, Some(Switched), no, Some(Closed)]),
            (Body,     [no, no, Some(Body), no, no, no, Some(Done), no, no, Some(Closed)]),
            (Done,     [no, no, Some(Done), no, no, no, no, no, Some(Idle), Some(Closed)]),
            (Closed,   [no, no, no, no, no, no, no, no, no, Some(Closed)]),
            (Switched, [no, no, no, no, no, no, no, no, no, Some(Closed)]),
        ];
    for (state, row) in table {
        for (input, next) in INPUTS.into_iter().zip(row) {
            assert_eq!(state.after(input), next, "{state:?} {input:?}");
        }
    }
}

#[test]
fn the_two_automata_reach_only_states_that_fit_together() {
    let mut reached = Vec::from([Exchange::IDLE]);
    let mut next = 0;
    while let Some(&exchange) = reached.get(next) {
        next += 1;
        for input in INPUTS {
            if let Some(after) = exchange.after(input)
                && !reached.contains(&after)
            {
                reached.push(after);
            }
        }
    }
    for Exchange { request, response } in &reached {
        let both = |a: bool, b: bool| assert_eq!(a, b, "{request:?} {response:?}");
        both(*request == Request::Idle, *response == Response::Idle);
        both(*request == Request::Closed, *response == Response::Closed);
        both(
            *request == Request::Switched,
            *response == Response::Switched,
        );
    }
    assert_eq!(reached.len(), 9);
}

#[test]
fn a_request_without_a_body_is_asked() {
    let input = Input::RequestHead { body: false };
    assert_eq!(Exchange::IDLE.after(input), Some(Exchange::ASKED));
}

#[test]
fn a_refused_input_moves_neither_automaton() {
    let mut exchange = Exchange::IDLE;
    assert!(exchange.take(Input::RequestHead { body: true }));
    let before = exchange;
    assert!(!exchange.take(Input::Switch)); // the response could, the request not
    assert_eq!(exchange, before);
}
