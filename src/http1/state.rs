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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    RequestHead {
        body: bool,
    },
    RequestEnd,
    Interim,
    ResponseHead {
        body: bool,
    },
    ResponseEnd,
    /// The response that hands the connection to another protocol.
    Switch,
    /// The exchange is over and the connection serves another one.
    Reuse,
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Idle,
    Body,
    Done,
    Closed,
    Switched,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Response {
    Idle,
    Owed,
    Body,
    Done,
    Closed,
    Switched,
}

impl Request {
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    pub(crate) response: Response,
}

impl Exchange {
    pub(crate) const IDLE: Self = Self {
        request: Request::Idle,
        response: Response::Idle,
    };

    /// A request without a body was received.
    pub(crate) const ASKED: Self = Self {
        request: Request::Done,
        response: Response::Owed,
    };

    /// The request is complete, and the response is under way.
    pub(crate) const ANSWERING: Self = Self {
        request: Request::Done,
        response: Response::Body,
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
mod tests;
