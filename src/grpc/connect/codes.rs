//! The codes of errors, as Connect names them and as statuses of HTTP.

use crate::grpc::Code;
use crate::http;

const NAMES: [(&str, u16); 17] = [
    ("ok", 200),
    ("canceled", 499),
    ("unknown", 500),
    ("invalid_argument", 400),
    ("deadline_exceeded", 504),
    ("not_found", 404),
    ("already_exists", 409),
    ("permission_denied", 403),
    ("resource_exhausted", 429),
    ("failed_precondition", 400),
    ("aborted", 409),
    ("out_of_range", 400),
    ("unimplemented", 501),
    ("internal", 500),
    ("unavailable", 503),
    ("data_loss", 500),
    ("unauthenticated", 401),
];

/// The name of a code in the JSON of an error (Connect, Error Codes). OK is no error, and
/// has no name there.
///
/// ```
/// use barewire::grpc::{Code, connect::code_name};
///
/// assert_eq!(code_name(Code::Cancelled), "canceled");
/// ```
pub const fn code_name(code: Code) -> &'static str {
    NAMES[code as usize].0 // 0 to 16
}

/// The code with this name; `None` for a name that is none of the 16.
pub fn code_from_name(name: &str) -> Option<Code> {
    let mut codes = Code::ALL.into_iter().skip(1);
    codes.find(|&code| code_name(code) == name)
}

/// The HTTP status of a unary call that has ended so (Connect, Error Codes).
///
/// The way back, for answers without a code, is [`Code::from_http`].
///
/// ```
/// use barewire::grpc::{Code, connect::http_status};
///
/// assert_eq!(http_status(Code::Cancelled).code(), 499);
/// ```
pub const fn http_status(code: Code) -> http::Status {
    match http::Status::new(NAMES[code as usize].1) {
        Some(status) => status,
        None => http::Status::INTERNAL_SERVER_ERROR, // all of them are from 100 to 599
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_name_and_status() {
        for code in Code::ALL {
            let found = code_from_name(code_name(code));
            assert_eq!(found, (code != Code::Ok).then_some(code));
            assert_eq!(http_status(code).code(), NAMES[code as usize].1);
            let spelled = code.name().to_lowercase().replace("cancelled", "canceled");
            assert_eq!(code_name(code), spelled);
        }
        assert_eq!(code_from_name("NOT_FOUND"), None);
    }
}
