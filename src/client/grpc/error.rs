//! Errors of an application's own use of a call.

/// A call does not take what was asked of it. Nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The call is over, or there is none: [`Calls::ending`](super::Calls::ending)
    /// says how it ended.
    #[error("the call is over")]
    Over,
    /// It was said that no message follows.
    #[error("no message follows, as was said before")]
    SendingClosed,
    /// The call's limit of bytes that wait to be sent is reached.
    #[error("too much waits to be sent")]
    NoRoom,
    /// A compressed message of a call whose head does not announce any.
    #[error("no grpc-encoding was announced (gRPC compression)")]
    EncodingNotSent,
    /// A message is longer than its prefix can say.
    #[error("message is longer than 4 GiB (gRPC over HTTP2, Length-Prefixed-Message)")]
    MessageTooLong,
}
