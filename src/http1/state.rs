//! The two automata of an exchange: the request's and the response's.
//!
//! Everything that happens on a connection is an [`Input`] to both, whichever
//! role we play; what one of them refuses does not happen.
//!
//! There are two because neither message waits for the other: a response may be
//! complete while its request is still arriving. And they do not know our role, so that
//! client and server cannot come to different conclusions about one exchange.
//!
//! ```text
//!  request   Idle ──head──▶ Body ──end──▶ Done ──switch──▶ Switched
//!             ▲   └───head without body──▶ │ │
//!             └────────────reuse───────────┘ └─close─▶ Closed (from anywhere)
//!
//!  response  Idle ──request──▶ Owed ──head──▶ Body ──end──▶ Done
//!             ▲                 │ └──head without body──────▶ │
//!             │                 └──switch──▶ Switched         │
//!             └────────────────────reuse──────────────────────┘
//! ```

/// What happens to an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// A request's head, with whether a body follows it.
    RequestHead { body: bool },
    /// The end of the request's body.
    RequestEnd,
    /// An interim response.
    Interim,
    /// The head of the final response, with whether a body follows it.
    ResponseHead { body: bool },
    /// The end of the response's body.
    ResponseEnd,
    /// The response that hands the connection to another protocol.
    Switch,
    /// The exchange is over and the connection serves another one.
    Reuse,
    /// The connection ends.
    Close,
}

/// Where the request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// Its head is to come.
    Idle,
    /// Its body is under way.
    Body,
    /// It is complete.
    Done,
    /// There will be none.
    Closed,
    /// The connection speaks another protocol.
    Switched,
}

/// Where the response stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Response {
    /// Nothing was asked.
    Idle,
    /// The final response is owed.
    Owed,
    /// Its body is under way.
    Body,
    /// It is complete.
    Done,
    /// There will be none.
    Closed,
    /// The connection speaks another protocol.
    Switched,
}

impl Request {
    /// The state after `input`; `None` if it cannot happen here.
    #[inline]
    pub(crate) const fn after(self, input: Input) -> Option<Self> {
        use Input as I;
        match (self, input) {
            (Self::Idle, I::RequestHead { body: true }) => Some(Self::Body),
            (Self::Idle, I::RequestHead { body: false }) => Some(Self::Done),
            (Self::Body, I::RequestEnd) => Some(Self::Done),
            // A response may come before the request has ended.
            (Self::Body | Self::Done, I::Interim | I::ResponseHead { .. } | I::ResponseEnd) => {
                Some(self)
            }
            (Self::Done, I::Switch) => Some(Self::Switched),
            (Self::Done, I::Reuse) => Some(Self::Idle),
            (Self::Idle | Self::Body | Self::Done | Self::Closed | Self::Switched, I::Close) => {
                Some(Self::Closed)
            }
            (
                Self::Idle,
                I::RequestEnd
                | I::Interim
                | I::ResponseHead { .. }
                | I::ResponseEnd
                | I::Switch
                | I::Reuse,
            )
            | (Self::Body, I::RequestHead { .. } | I::Switch | I::Reuse)
            | (Self::Done, I::RequestHead { .. } | I::RequestEnd)
            | (
                Self::Closed | Self::Switched,
                I::RequestHead { .. }
                | I::RequestEnd
                | I::Interim
                | I::ResponseHead { .. }
                | I::ResponseEnd
                | I::Switch
                | I::Reuse,
            ) => None,
        }
    }
}

impl Response {
    /// The state after `input`; `None` if it cannot happen here.
    #[inline]
    pub(crate) const fn after(self, input: Input) -> Option<Self> {
        use Input as I;
        match (self, input) {
            (Self::Idle, I::RequestHead { .. }) => Some(Self::Owed),
            (Self::Owed, I::Interim) => Some(Self::Owed),
            (Self::Owed, I::ResponseHead { body: true }) => Some(Self::Body),
            (Self::Owed, I::ResponseHead { body: false }) => Some(Self::Done),
            (Self::Owed, I::Switch) => Some(Self::Switched),
            (Self::Body, I::ResponseEnd) => Some(Self::Done),
            (Self::Owed | Self::Body | Self::Done, I::RequestEnd) => Some(self),
            (Self::Done, I::Reuse) => Some(Self::Idle),
            (
                Self::Idle | Self::Owed | Self::Body | Self::Done | Self::Closed | Self::Switched,
                I::Close,
            ) => Some(Self::Closed),
            (
                Self::Idle,
                I::RequestEnd
                | I::Interim
                | I::ResponseHead { .. }
                | I::ResponseEnd
                | I::Switch
                | I::Reuse,
            )
            | (Self::Owed, I::RequestHead { .. } | I::ResponseEnd | I::Reuse)
            | (
                Self::Body,
                I::RequestHead { .. } | I::Interim | I::ResponseHead { .. } | I::Switch | I::Reuse,
            )
            | (
                Self::Done,
                I::RequestHead { .. }
                | I::Interim
                | I::ResponseHead { .. }
                | I::ResponseEnd
                | I::Switch,
            )
            | (
                Self::Closed | Self::Switched,
                I::RequestHead { .. }
                | I::RequestEnd
                | I::Interim
                | I::ResponseHead { .. }
                | I::ResponseEnd
                | I::Switch
                | I::Reuse,
            ) => None,
        }
    }
}

/// Both automata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    pub(crate) response: Response,
}

impl Exchange {
    /// Nothing has been asked.
    pub(crate) const IDLE: Self = Self {
        request: Request::Idle,
        response: Response::Idle,
    };

    /// A request without a body was received.
    pub(crate) const ASKED: Self = Self {
        request: Request::Done,
        response: Response::Owed,
    };

    /// The exchange after `input`; `None` if either automaton refuses it.
    #[inline]
    pub(crate) const fn after(self, input: Input) -> Option<Self> {
        match (self.request.after(input), self.response.after(input)) {
            (Some(request), Some(response)) => Some(Self { request, response }),
            _ => None,
        }
    }

    /// Takes `input` if both automata do, and says whether they did.
    #[inline(always)]
    pub(crate) const fn take(&mut self, input: Input) -> bool {
        match self.after(input) {
            Some(next) => {
                *self = next;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
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
}
