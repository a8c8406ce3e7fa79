//! One request and its reply: whole, streamed or deferred, and the session that owes it.

pub(super) mod accept;
pub(super) mod client;
mod coded;
pub(super) mod coded_files;
pub(super) mod coded_request;
#[cfg(feature = "signed-cookies")]
pub(super) mod cookie_key;
mod cookies;
pub(super) mod decoded;
pub(super) mod defer;
pub(super) mod entity_tag;
pub(super) mod extensions;
pub(super) mod file_body;
#[cfg(feature = "http")]
mod http_types;
pub(super) mod json;
pub(super) mod loop_state;
pub(super) mod path;
pub(super) mod pattern;
mod peer;
pub(super) mod provenance;
pub(super) mod record;
mod redirect;
pub(super) mod refusal;
pub(super) mod rendering;
pub(super) mod reply;
pub(super) mod reply_end;
pub(super) mod reply_head;
pub(super) mod request;
pub(super) mod request_id;
#[cfg(feature = "tracing")]
pub(super) mod request_span;
pub(super) mod respond;
pub(super) mod response;
mod response_from;
pub(super) mod retry_after;
pub(super) mod session;
pub(super) mod stream;
pub(super) mod stream_handle;
pub(super) mod subject;
pub(super) mod timer_token;
pub(super) mod validators;
