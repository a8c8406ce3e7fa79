//! Parameters of paths as values.

use alloc::string::ToString;
use core::fmt::Display;
use core::str::FromStr;

use super::extract_error::{ExtractError, shown};
use crate::app::exchange::request::Request;

impl Request<'_> {
    /// The parameter `{name}` of the route's pattern as a value, by its [`FromStr`].
    ///
    /// ```
    /// use barewire::app::{App, Status};
    ///
    /// App::new()
    ///     .get("/users/{id}", |request, reply| {
    ///         let id: u64 = request.param_as("id")?; // 400 for /users/ann
    ///         reply.text(format!("user {id}")).ok()
    ///     })
    ///     .get("/posts/{id}", |request, reply| {
    ///         let id: u64 = request.param_as("id").map_err(|_| Status::NOT_FOUND)?;
    ///         reply.text(format!("post {id}")).ok()
    ///     });
    /// ```
    ///
    /// # Errors
    /// [`ExtractError`]: 400 for a value that does not parse, with the parameter's name; 500
    /// if the pattern has no such parameter, which is a mistake in the program.
    pub fn param_as<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, ExtractError> {
        if !self.params.names.iter().any(|other| **other == *name) {
            let name = name.into();
            return Err(ExtractError::NoParam { name });
        }
        self.param(name).parse().map_err(|error: T::Err| {
            let problem = shown(&error.to_string());
            let name = name.into();
            ExtractError::Param { name, problem }
        })
    }
}
