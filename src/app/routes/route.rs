//! A route with options of its own.

use alloc::boxed::Box;
use alloc::string::String;
use core::any::type_name;
use core::time::Duration;

use super::endpoint::{Call, Endpoint, erase};
use super::router::Verb;
use super::table::{About, RouteKind};
use crate::app::exchange::refusal::Answer;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::http::Method;
use crate::wire::partly_shown;

/// A route that says how its request's body is to come: collected up to a
/// limit, in pieces, or in pieces only beyond the limit.
///
/// ```
/// use barewire::app::{App, Route, Stream, Streaming};
/// use barewire::http::Fields;
///
/// struct Echo;
///
/// impl Streaming for Echo {
///     fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
///         let _ = stream.write(data); // after `Wait`, no chunk comes until there is room
///     }
///
///     fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
///         stream.finish();
///     }
/// }
///
/// App::new().route(
///     Route::post("/echo")
///         .collect(16 << 20, |request, reply| reply.body(request.content_type(), request.body()))
///         .stream(|request, reply| reply.header("Content-Type", request.content_type()).stream(Echo)),
/// );
/// ```
pub struct Route {
    pub(crate) verb: Verb,
    pub(crate) pattern: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) about: About,
}

partly_shown!(it: Route { verb, pattern });

impl Route {
    /// A route for GET, and for HEAD where that has none of its own.
    pub fn get(pattern: &str) -> Self {
        Self::on(Method::GET, pattern)
    }

    /// A route for POST.
    pub fn post(pattern: &str) -> Self {
        Self::on(Method::POST, pattern)
    }

    /// A route for PUT.
    pub fn put(pattern: &str) -> Self {
        Self::on(Method::PUT, pattern)
    }

    /// A route for PATCH.
    pub fn patch(pattern: &str) -> Self {
        Self::on(Method::PATCH, pattern)
    }

    /// A route for DELETE.
    pub fn delete(pattern: &str) -> Self {
        Self::on(Method::DELETE, pattern)
    }

    /// A route for this method.
    pub fn on(method: Method<'_>, pattern: &str) -> Self {
        Self::new(Verb::One(method.as_str().into()), pattern)
    }

    /// A route for every method that has none of its own on the same pattern.
    pub fn any(pattern: &str) -> Self {
        Self::new(Verb::Any, pattern)
    }

    fn new(verb: Verb, pattern: &str) -> Self {
        Self {
            verb,
            pattern: String::from(pattern),
            endpoint: Endpoint::EMPTY,
            about: About::new(RouteKind::Handler),
        }
    }

    /// Names the route in the [table](crate::app::Routes) of all.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.about.name = Some(name.into());
        self
    }

    /// Says in the [table](crate::app::Routes) of all routes what a request's content stands
    /// for. Nothing is checked by it.
    ///
    /// ```
    /// use barewire::app::{App, Route};
    ///
    /// struct Note(String);
    ///
    /// let route = Route::post("/notes").request_type::<Note>();
    /// let app = App::new().route(route.collect(4096, |_request, reply| reply.text("")));
    /// let note = core::any::type_name::<Note>();
    /// assert_eq!(app.routes().iter().next().unwrap().request_type(), Some(note));
    /// ```
    #[must_use]
    pub fn request_type<T>(mut self) -> Self {
        self.about.request = Some(type_name::<T>());
        self
    }

    /// Says what a response's content stands for, as for the request.
    #[must_use]
    pub fn response_type<T>(mut self) -> Self {
        self.about.response = Some(type_name::<T>());
        self
    }

    /// Calls `call` with the complete body, if it is at most `limit` bytes long.
    /// A longer one is refused with 413, unless there is
    /// [`stream`](Self::stream).
    #[must_use]
    pub fn collect<A: Answer>(
        mut self,
        limit: usize,
        call: impl Fn(&Request<'_>, Reply<'_, '_>) -> A + Send + Sync + 'static,
    ) -> Self {
        self.endpoint.whole = Some(erase(call));
        self.endpoint.collect = Some(limit);
        self
    }

    /// Calls `call` before the body has come, which is then given in pieces to
    /// the object of [`Reply::stream`] or [`Reply::receive`]. Beside
    /// [`collect`](Self::collect), for what is announced as longer than the
    /// limit, and for what comes without a length; alone, for everything.
    #[must_use]
    pub fn stream<A: Answer>(
        mut self,
        call: impl Fn(&Request<'_>, Reply<'_, '_>) -> A + Send + Sync + 'static,
    ) -> Self {
        self.endpoint.streamed = Some(erase(call));
        self
    }

    /// Refuses bodies of more than so many bytes with 413, however they come: collected,
    /// streamed with a length, and streamed without one, where it takes effect with the first
    /// piece beyond. A reply that has begun by then is cut. Counts what
    /// [`Decompression`](crate::app::Decompression) has decoded.
    ///
    /// What is [collected](Self::collect) is bounded without it, what is
    /// [streamed](Self::stream) is not.
    ///
    /// ```
    /// use barewire::app::{App, Response, Route, Stream, Streaming};
    /// use barewire::http::Fields;
    ///
    /// #[derive(Default)]
    /// struct Count(usize);
    ///
    /// impl Streaming for Count {
    ///     fn chunk(&mut self, _stream: &mut Stream<'_, '_>, data: &mut [u8]) {
    ///         self.0 += data.len();
    ///     }
    ///
    ///     fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
    ///         stream.respond(Response::text(self.0.to_string()));
    ///     }
    /// }
    ///
    /// App::new().route(
    ///     Route::put("/backup")
    ///         .stream(|_request, reply| reply.receive(Count::default()))
    ///         .body_limit(1 << 30),
    /// );
    /// ```
    #[must_use]
    pub const fn body_limit(mut self, bytes: u64) -> Self {
        self.endpoint.most = Some(bytes);
        self
    }

    /// Bounds the time from a request's head to the head of its reply: 408 if the body is not
    /// complete by then, 503 if the reply is owed by the route itself, as by
    /// [`blocking`](Self::blocking), [`Reply::defer`] or [`Reply::future`]. What the route
    /// does then comes too late and is dropped. A body that is sent after the head has its
    /// time, and a closure that holds its loop up is not interrupted.
    ///
    /// ```
    /// use barewire::app::{App, Response, Route};
    /// use std::time::Duration;
    ///
    /// App::new().route(
    ///     Route::get("/report")
    ///         .blocking(|_request| Response::text("took a while"))
    ///         .timeout(Duration::from_secs(5)),
    /// );
    /// ```
    #[must_use]
    pub const fn timeout(mut self, time: Duration) -> Self {
        self.endpoint.time = Some(time);
        self
    }

    /// Sends its replies as they are, whatever [`Compression`](crate::app::Compression)
    /// says: for those that hold a secret beside something that others choose. To be
    /// called after what it applies to:
    ///
    /// ```
    /// use barewire::app::{App, Compression, Route};
    ///
    /// # #[cfg(feature = "gzip")]
    /// App::new()
    ///     .with(Compression::new())
    ///     .route(Route::get("/account").collect(0, |_request, reply| reply.text("...")).uncompressed());
    /// ```
    #[must_use]
    pub fn uncompressed(mut self) -> Self {
        let without = |call: Box<Call>| -> Box<Call> {
            Box::new(move |request, reply| call(request, reply.uncompressed()))
        };
        self.endpoint.whole = self.endpoint.whole.map(without);
        self.endpoint.streamed = self.endpoint.streamed.map(without);
        self
    }
}
