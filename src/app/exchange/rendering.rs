//! Refusals as an app wants them to look.

use alloc::string::String;

use bytes::Bytes;

use super::json::put_json_string;
use super::record::Record;
use super::refusal::Refusal;
use super::response::Response;
use super::session::SessionContext;
use crate::http::{Method, ResponseContent};

/// Makes the response of a refusal.
pub(crate) type Render = dyn Fn(&Refusal, &Record) -> Response + Send + Sync;

/// A refusal as problem details (RFC 9457), for
/// [`App::render_errors`](crate::app::App::render_errors).
///
/// `title` and `status` are those of the status; `detail` is the refusal's reason, where it
/// has one of its own, and the further member `field` the field at fault. There is no `type`,
/// which says that there is no more to know than the status tells (RFC 9457 §4.2.1).
///
/// ```
/// use barewire::app::{App, Refusal, Status, problem_json};
///
/// App::new()
///     .render_errors(problem_json)
///     .get("/seats/{seat}", |_request, reply| {
///         reply.refuse(Refusal::new(Status::CONFLICT).because("taken").at_field("seat"))
///     });
/// // {"title":"Conflict","status":409,"detail":"taken","field":"seat"}
/// ```
pub fn problem_json(refusal: &Refusal, _record: &Record) -> Response {
    let status = refusal.status();
    let mut body = String::from("{\"title\":");
    put_json_string(status.reason(), &mut body);
    body.push_str(",\"status\":");
    body.extend(status.digits().map(char::from));
    let detail = Some(refusal.reason()).filter(|it| *it != status.reason());
    for (name, value) in [("detail", detail), ("field", refusal.field())] {
        if let Some(value) = value {
            body.push(',');
            put_json_string(name, &mut body);
            body.push(':');
            put_json_string(value, &mut body);
        }
    }
    body.push('}');
    Response::body("application/problem+json", body)
}

impl SessionContext<'_, '_> {
    /// Has the app render a refusal, if it wants to: gives the fields to the reply and returns
    /// the body. Without one the refusal goes out as it usually does.
    pub(super) fn render(&mut self, refusal: &Refusal) -> Option<Bytes> {
        let record = self.record.as_deref()?;
        if !ResponseContent::of(Method::GET, refusal.status()).may_follow {
            return None;
        }
        let response = self.loop_state.watch.render(refusal, record)?;
        let body = response.give(self);
        let record = self.record.as_deref_mut()?;
        // The log says which field it was.
        let is_faulty = core::mem::take(&mut record.faulty);
        (!is_faulty).then_some(body)
    }
}
