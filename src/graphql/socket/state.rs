//! The conversation as one automaton for each role: every state, every message.
//!
//! ```text
//!   server   Opening ── init ──► Deciding ── accept ──► Ready
//!               │ time: 4408        │ or refuse: 4403     │ a fault
//!               └───────────────────┴──────► Over ◄───────┘
//!
//!   client   Opening ── init ──► Waiting ── ack ──► Ready
//!                                   │ time: 4504      │ a fault: 4004
//!                                   └──────► Over ◄───┘
//! ```

use super::{CloseCode, Protocol};

/// The state of a server's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerState {
    /// Nothing has come.
    Opening,
    /// `connection_init` has come, and is not answered.
    Deciding,
    /// It was acknowledged.
    Ready,
    Over(CloseCode),
}

/// A message of a client. `live` is whether an operation of its id runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FromClient {
    Init,
    Subscribe {
        live: bool,
    },
    Complete {
        live: bool,
    },
    Ping,
    Pong,
    Terminate,
    /// Of no type, or not of its form.
    Invalid,
}

/// What a server does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerStep {
    /// The application decides.
    Decide,
    Execute,
    /// Likewise, instead of the operation that runs.
    Replace,
    Stop,
    Pong,
    Nothing,
    Close(CloseCode),
}

/// The step that a message leads to.
pub(super) const fn server(
    protocol: Protocol,
    state: ServerState,
    message: FromClient,
) -> ServerStep {
    use FromClient as From;
    use ServerState as State;
    match (state, message) {
        (State::Over(code), _) => ServerStep::Close(code),
        (State::Opening | State::Deciding | State::Ready, From::Invalid) => {
            ServerStep::Close(CloseCode::BadRequest)
        }
        (State::Opening | State::Deciding | State::Ready, From::Terminate) => {
            ServerStep::Close(CloseCode::Normal)
        }
        (State::Opening | State::Deciding | State::Ready, From::Ping) => ServerStep::Pong,
        (State::Opening | State::Deciding | State::Ready, From::Pong) => ServerStep::Nothing,
        (State::Opening, From::Init) => ServerStep::Decide,
        (State::Deciding | State::Ready, From::Init) => {
            ServerStep::Close(CloseCode::TooManyInitialisationRequests)
        }
        (State::Opening, From::Subscribe { .. }) => ServerStep::Close(CloseCode::Unauthorized),
        (State::Deciding, From::Subscribe { live }) => match (protocol, live) {
            (Protocol::TransportWs, _) => ServerStep::Close(CloseCode::Unauthorized),
            // Its clients do not wait for the acknowledgement.
            (Protocol::Legacy, false) => ServerStep::Execute,
            (Protocol::Legacy, true) => ServerStep::Replace,
        },
        (State::Ready, From::Subscribe { live: false }) => ServerStep::Execute,
        (State::Ready, From::Subscribe { live: true }) => match protocol {
            Protocol::TransportWs => ServerStep::Close(CloseCode::SubscriberAlreadyExists),
            Protocol::Legacy => ServerStep::Replace,
        },
        // It may have crossed the last result.
        (State::Opening, From::Complete { .. })
        | (State::Deciding | State::Ready, From::Complete { live: false }) => ServerStep::Nothing,
        (State::Deciding | State::Ready, From::Complete { live: true }) => ServerStep::Stop,
    }
}

/// The state of a client's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientState {
    /// Nothing was said.
    Opening,
    /// `connection_init` was sent.
    Waiting,
    /// The server has acknowledged it.
    Ready,
    Over(CloseCode),
}

/// A message of a server. `live` is whether an operation of its id runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FromServer {
    Ack,
    /// The legacy protocol's refusal.
    Refusal,
    Next {
        live: bool,
    },
    Error {
        live: bool,
    },
    Complete {
        live: bool,
    },
    Ping,
    Pong,
    KeepAlive,
    /// Of no type, or not of its form.
    Invalid,
}

/// What a client does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientStep {
    Begin,
    Refused,
    Next,
    /// The operation is over, with errors.
    Fail,
    /// The operation is over.
    End,
    Pong,
    Nothing,
    Close(CloseCode),
}

/// The step that a message leads to.
pub(super) const fn client(state: ClientState, message: FromServer) -> ClientStep {
    use ClientState as State;
    use FromServer as From;
    match (state, message) {
        (State::Over(code), _) => ClientStep::Close(code),
        (State::Opening | State::Waiting | State::Ready, From::Invalid) => {
            ClientStep::Close(CloseCode::BadResponse)
        }
        (State::Opening | State::Waiting | State::Ready, From::Ping) => ClientStep::Pong,
        (State::Opening | State::Waiting | State::Ready, From::Pong | From::KeepAlive) => {
            ClientStep::Nothing
        }
        (State::Waiting, From::Ack) => ClientStep::Begin,
        (State::Waiting, From::Refusal) => ClientStep::Refused,
        (State::Opening | State::Ready, From::Ack | From::Refusal)
        | (
            State::Opening | State::Waiting,
            From::Next { .. } | From::Error { .. } | From::Complete { .. },
        ) => ClientStep::Close(CloseCode::BadResponse),
        (State::Ready, From::Next { live: true }) => ClientStep::Next,
        (State::Ready, From::Error { live: true }) => ClientStep::Fail,
        (State::Ready, From::Complete { live: true }) => ClientStep::End,
        // It has crossed this side's `complete`.
        (
            State::Ready,
            From::Next { live: false }
            | From::Error { live: false }
            | From::Complete { live: false },
        ) => ClientStep::Nothing,
    }
}

#[cfg(test)]
mod tests;
