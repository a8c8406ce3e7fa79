//! Media types, and which of them a client takes.

use crate::graphql::RequestError;
use crate::http::{Fields, quality};
use crate::wire::ascii;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `application/graphql-response+json`: GraphQL's own, with statuses that tell.
    Response,
    /// `application/json`: for clients from before that one, and those that name none.
    Json,
    /// `text/event-stream`: one event for each result (GraphQL over SSE).
    EventStream,
}

impl MediaType {
    /// The value of Content-Type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::EventStream => "text/event-stream; charset=utf-8",
        }
    }
}

/// How gladly a client takes each form, by its Accept (RFC 9110 §12.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Accept {
    // In thousandths.
    response: u16,
    json: u16,
    event_stream: u16,
}

impl Accept {
    /// Reads the Accept of a request. Where there is none, and where a wildcard stands for
    /// it, `application/json` is taken.
    pub fn of(fields: Fields<'_>) -> Self {
        let (mut response, mut json, mut events) = (None, None, None);
        let (mut any, mut application, mut text) = (None, None, None);
        for element in fields.list("accept") {
            let (name, parameters) = split(element);
            let name = name.to_ascii_lowercase();
            let place = match name.as_slice() {
                b"application/graphql-response+json" => &mut response,
                b"application/json" => &mut json,
                b"text/event-stream" => &mut events,
                b"application/*" => &mut application,
                b"text/*" => &mut text,
                b"*/*" => &mut any,
                _ => continue,
            };
            place.get_or_insert(weight(parameters));
        }
        let is_silent = !fields.contains("accept");
        Self {
            response: response.unwrap_or(0),
            json: match is_silent {
                true => 1000,
                false => json.or(application).or(any).unwrap_or(0),
            },
            event_stream: events.or(text).unwrap_or(0),
        }
    }

    /// Whether an event stream would do.
    pub const fn takes_events(self) -> bool {
        self.event_stream > 0
    }

    /// The form that is taken most gladly; of two that are taken equally, GraphQL's own.
    pub(super) fn best(self, is_one: bool) -> Result<MediaType, RequestError> {
        let event_stream = if is_one { self.event_stream } else { 0 };
        let most = self.response.max(self.json).max(event_stream);
        match most {
            0 => Err(RequestError::NotAcceptable),
            _ if most == self.response => Ok(MediaType::Response),
            _ if most == self.json => Ok(MediaType::Json),
            _ => Ok(MediaType::EventStream),
        }
    }
}

/// The weight among the parameters of a media range, in thousandths.
fn weight(parameters: &[u8]) -> u16 {
    let is_weight = |at: &usize| {
        let rest = parameters.get(at + 1..).unwrap_or_default();
        parameters.get(*at) == Some(&b';')
            && matches!(ascii::trim_ows(rest), [b'q' | b'Q', b'=', ..])
    };
    match (0..parameters.len()).rfind(is_weight) {
        Some(at) => quality(parameters.get(at..).unwrap_or_default()),
        None => 1000,
    }
}

/// A media type and its parameters: `;a=b;c=d`.
pub(super) fn split(value: &[u8]) -> (&[u8], &[u8]) {
    let end = value.iter().position(|&byte| byte == b';');
    let (name, parameters) = value.split_at(end.unwrap_or(value.len()));
    (ascii::trim_ows(name), parameters)
}

/// The value of a parameter, without its quotes. Values with escapes are none.
pub(super) fn parameter<'a>(mut parameters: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    while let [b';', rest @ ..] = parameters {
        let rest = ascii::trim_ows(rest);
        let at = rest.iter().position(|&byte| matches!(byte, b'=' | b';'))?;
        let (key, rest) = rest.split_at(at);
        let [b'=', rest @ ..] = rest else {
            parameters = rest; // it has no value
            continue;
        };
        let (value, rest) = match rest {
            [b'"', quoted @ ..] => {
                let end = quoted
                    .iter()
                    .position(|&byte| matches!(byte, b'"' | b'\\'))?;
                let (value, rest) = quoted.split_at(end);
                (value, rest.strip_prefix(b"\"")?)
            }
            _ => split(rest),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        parameters = ascii::trim_ows(rest);
    }
    None
}
