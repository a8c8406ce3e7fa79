//! Bodies in JSON (RFC 8259).

use alloc::string::{String, ToString};

use serde::Deserialize;
use serde_json::error::Category;

use super::extract_error::{ExtractError, shown};
use super::media_type::{check, has_json_suffix};
use super::wording::take_apart;
use crate::app::exchange::request::Request;

impl<'b> Request<'b> {
    /// The body as a value, from JSON. The value may borrow from the body.
    ///
    /// ```
    /// use barewire::app::App;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct User {
    ///     name: String,
    ///     age: u8,
    /// }
    ///
    /// App::new().post("/users", |request, reply| {
    ///     let user: User = request.json()?;
    ///     reply.text(format!("{} is {}", user.name, user.age)).ok()
    /// });
    /// ```
    ///
    /// To `{"name":"Ann","age":300}` the client gets 422 with
    /// `{"error":"age: expected u8","field":"age"}`.
    ///
    /// # Errors
    /// [`ExtractError`]: 415 unless the Content-Type is `application/json`, or ends with
    /// `+json`, without a charset other than UTF-8; 400 for what is no JSON, with line and
    /// column, also for what is nested more than 127 deep; 422 for JSON that is no `T`, with
    /// the path of the field; 413 where the body comes in pieces, being longer than the route
    /// collects.
    pub fn json<T: Deserialize<'b>>(&self) -> Result<T, ExtractError> {
        if self.is_streamed() {
            return Err(ExtractError::Streamed);
        }
        let content_type = self.header("content-type");
        check(content_type, "application/json", has_json_suffix)?;
        serde_json::from_slice(self.body).map_err(|error| explain::<T>(self.body, &error))
    }
}

/// Where an error lies. The path costs a second look, which only those pay who err.
#[cold]
fn explain<'b, T: Deserialize<'b>>(body: &'b [u8], error: &serde_json::Error) -> ExtractError {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let place = alloc::format!(" at line {line} column {column}");
    let problem = message.strip_suffix(&*place).unwrap_or(&message);
    if error.classify() != Category::Data {
        return ExtractError::Json {
            line,
            column,
            problem: shown(problem),
        };
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let (field, problem) = match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Err(error) => take_apart(error.path(), problem),
        Ok(_) => (String::new(), shown(problem)),
    };
    ExtractError::Body { field, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_by_type_or_suffix() {
        let check = |text: &str| check(Some(text), "application/json", has_json_suffix);
        for good in [
            "application/json",
            "Application/JSON ; charset=\"UTF-8\"",
            "application/merge-patch+json",
            "application/problem+json;charset=utf-8;profile=a",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "json", "text/json", "application/jsonp", "text/plain"] {
            let expected = "application/json";
            assert_eq!(
                check(bad),
                Err(ExtractError::MediaType { expected }),
                "{bad}"
            );
        }
        for bad in ["latin1", "utf-16", "utf8", "\"utf-16\"", ""] {
            let text = alloc::format!("application/json; charset={bad}");
            assert_eq!(check(&text), Err(ExtractError::Charset), "{bad}");
        }
    }
}
