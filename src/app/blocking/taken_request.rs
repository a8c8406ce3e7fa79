//! Routes whose closures block: they see a copy of the request.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::session::LaterAnswer;
use super::session::busy;
use crate::app::exchange::extensions::Extensions;
use crate::app::exchange::path::Path;
use crate::app::exchange::pattern::{Params, Taken};
use crate::app::exchange::request::Locals;
use crate::app::exchange::request::Request;
use crate::app::exchange::request::RequestTls;
#[cfg(feature = "forms")]
use crate::app::extract::form_limits::FormLimits;
use crate::app::routes::endpoint::erase;
use crate::app::routes::route::Route;
use crate::http::{FieldBuffer, Method, RequestHead, Target, Version};
use crate::link::{Charge, Full};
use crate::net::Peer;

/// A request that has been copied, so that another thread can look at it.
struct TakenRequest {
    method: Box<str>,
    origin: Option<(Box<str>, Box<str>)>, // scheme and authority of an absolute target
    target: Box<str>,
    query: Option<Box<str>>,
    version: Version,
    fields: FieldBuffer,
    path: Path,
    names: Box<[Box<str>]>,
    taken: Taken,
    body: Box<[u8]>,
    peer: Option<Peer>,
    tls: RequestTls,
    extensions: Option<Arc<Extensions>>,
    #[cfg(feature = "forms")]
    form_limits: FormLimits,
    _charge: Charge, // for the copies
}

impl TakenRequest {
    /// # Errors
    /// [`Full`] if there is no memory for a copy.
    fn of(request: &Request<'_>, mut charge: Charge) -> Result<Self, Full> {
        let head = request.head();
        let mut fields = FieldBuffer::new();
        // A parser has checked them.
        let _ = fields.extend(head.fields);
        let texts = 2 * request.path().len() + request.query().map_or(0, str::len);
        charge.try_grow(request.body.len() + fields.memory() + texts)?;
        let origin = match head.target {
            Target::Absolute {
                scheme, authority, ..
            } => Some((scheme.into(), authority.into())),
            _ => None,
        };
        Ok(Self {
            method: head.method.as_str().into(),
            origin,
            target: request.path().into(),
            query: request.query().map(Box::from),
            version: head.version,
            fields,
            path: request.path.clone(),
            names: request.params.names.into(),
            taken: request.params.taken,
            body: request.body.into(),
            peer: request.peer(),
            tls: request.tls.clone(),
            extensions: request.extensions.clone(),
            #[cfg(feature = "forms")]
            form_limits: request.form_limits(),
            _charge: charge,
        })
    }

    fn lend<R>(&self, call: impl FnOnce(&Request<'_>) -> R) -> R {
        let (path, query) = (&*self.target, self.query.as_deref());
        let target = match &self.origin {
            None => Target::Origin { path, query },
            Some((scheme, authority)) => Target::Absolute {
                scheme,
                authority,
                path,
                query,
            },
        };
        let method = Method::new(self.method.as_bytes());
        let head = RequestHead {
            method: method.unwrap_or(Method::Extension(&self.method)),
            target,
            version: self.version,
            protocol: None, // what asks for one is no request of such a route
            fields: self.fields.as_fields(),
        };
        let params = Params {
            names: &self.names,
            taken: self.taken,
        };
        #[cfg_attr(not(feature = "forms"), expect(unused_mut, reason = "none is known"))]
        let mut locals = Locals::new(); // they stay on their loop
        #[cfg(feature = "forms")]
        locals.insert(self.form_limits);
        call(&Request {
            head: &head,
            path: &self.path,
            params: &params,
            body: &self.body,
            follows: None,
            peer: &self.peer,
            tls: &self.tls,
            extensions: &self.extensions,
            locals: &locals,
        })
    }
}

impl Route {
    /// Calls `call` on a thread for blocking work, with a copy of the request and
    /// its complete body, which may be as long as the app's
    /// [`collect_limit`](crate::app::App::collect_limit). See
    /// [`Reply::blocking`](crate::app::Reply::blocking) for what happens where
    /// there is no room, the client goes, or it panics.
    ///
    /// ```
    /// use barewire::app::{App, Response, Route};
    ///
    /// App::new().route(Route::get("/lines/{name}").blocking(|request| {
    ///     match std::fs::read_to_string(request.param("name")) {
    ///         Ok(text) => Response::text(text.lines().count().to_string()),
    ///         Err(error) => Response::text(error.to_string()),
    ///     }
    /// }));
    /// ```
    #[must_use]
    pub fn blocking<A: LaterAnswer>(
        mut self,
        call: impl Fn(&Request<'_>) -> A + Send + Sync + 'static,
    ) -> Self {
        let call = Arc::new(call);
        self.endpoint.whole = Some(erase(move |request, mut reply| {
            let charge = reply.at().context.charge();
            let Ok(taken) = TakenRequest::of(request, charge) else {
                return reply.refuse(busy());
            };
            let call = call.clone();
            reply.blocking(move || taken.lend(|request| call(request)))
        }));
        self
    }
}
