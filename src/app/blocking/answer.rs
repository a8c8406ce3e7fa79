//! Answers that blocking work may give back.

use crate::app::exchange::refusal::Refusal;
use crate::app::exchange::response::Response;

/// What a closure for [`Reply::blocking`](crate::app::Reply::blocking) gives
/// back: a [`Response`], or a `Result` of it, so that `?` works inside.
#[diagnostic::on_unimplemented(
    message = "blocking work gives back `Response` or `Result<Response, E>`, not `{Self}`",
    label = "gives back `{Self}`",
    note = "make one: `Response::text(..)`, `Response::json(..)`, `Response::new(Status::NO_CONTENT)`",
    note = "in `Result<Response, E>`, `E` is `Refusal`, `Status` or anything with `impl From<E> for Refusal`"
)]
pub trait BlockingAnswer: sealed::Sealed {
    /// The answer, as the one kind that all become.
    #[doc(hidden)]
    fn into_result(self) -> Result<Response, Refusal>;
}

impl BlockingAnswer for Response {
    fn into_result(self) -> Result<Response, Refusal> {
        Ok(self)
    }
}

impl<E: Into<Refusal>> BlockingAnswer for Result<Response, E> {
    fn into_result(self) -> Result<Response, Refusal> {
        self.map_err(Into::into)
    }
}

mod sealed {
    use super::{Refusal, Response};

    pub trait Sealed {}
    impl Sealed for Response {}
    impl<E: Into<Refusal>> Sealed for Result<Response, E> {}
}
