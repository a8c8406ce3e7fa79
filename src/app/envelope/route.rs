//! The route of a hub.

use alloc::string::String;
use alloc::sync::Arc;

use super::envelope_hub::EnvelopeHub;
use super::session::EnvelopeSession;
use crate::app::exchange::refusal::Refusal;
use crate::app::exchange::request::Request;
use crate::app::sockets::upgrade::WebSocketRoute;

impl EnvelopeHub {
    /// The route that speaks it, with the handlers so far.
    pub fn route(&self) -> WebSocketRoute<EnvelopeSession> {
        self.route_as(|_request| Ok(String::new()))
    }

    /// The route for known users: `user` names the user of a request, or refuses it. Channels know
    /// their members by it ([`Join::user`](crate::app::Join::user)).
    ///
    /// ```
    /// use barewire::app::{App, EnvelopeHub, Refusal};
    /// use barewire::http::Status;
    ///
    /// let app = App::new();
    /// let route = EnvelopeHub::new(app.hub()).route_as(|request| {
    ///     match request.query_value("token").as_deref() {
    ///         Some("secret") => Ok("ann".into()),
    ///         _ => Err(Refusal::new(Status::FORBIDDEN)),
    ///     }
    /// });
    /// app.websocket_route("/ws/hub", route);
    /// ```
    pub fn route_as(
        &self,
        user: impl Fn(&Request<'_>) -> Result<String, Refusal> + Send + Sync + 'static,
    ) -> WebSocketRoute<EnvelopeSession> {
        let own = Arc::new(self.clone());
        let open = move |request: &Request<'_>| {
            let user = user(request)?;
            Ok(EnvelopeSession::new(own.clone(), user.into()))
        };
        WebSocketRoute::new(open)
    }
}
