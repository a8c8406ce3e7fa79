//! The table of an app's routes, to be printed or read.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::{self, Vec};
use core::{fmt, slice};

/// What an app serves by a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RouteKind {
    /// Requests, by a closure.
    Handler,
    /// Files of a directory.
    Files,
    /// WebSockets.
    WebSocket,
    /// Event streams.
    Events,
    /// GraphQL.
    GraphQl,
    /// A method of one message each way, to clients of gRPC, gRPC-Web and Connect.
    Unary,
    /// Such a method that answers with a stream.
    ServerStreaming,
    /// Such a method that takes a stream.
    ClientStreaming,
    /// Such a method of streams both ways.
    Bidirectional,
}

impl RouteKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Files => "files",
            Self::WebSocket => "websocket",
            Self::Events => "events",
            Self::GraphQl => "graphql",
            Self::Unary => "unary",
            Self::ServerStreaming => "server streaming",
            Self::ClientStreaming => "client streaming",
            Self::Bidirectional => "bidirectional",
        }
    }
}

impl fmt::Display for RouteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is said of a route apart from what finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) kind: RouteKind,
    pub(crate) name: Option<Box<str>>,
    pub(crate) request: Option<&'static str>,
    pub(crate) response: Option<&'static str>,
}

impl About {
    pub(crate) const fn new(kind: RouteKind) -> Self {
        Self {
            kind,
            name: None,
            request: None,
            response: None,
        }
    }
}

/// One route of an app, in its [table](Routes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    method: Option<Box<str>>,
    pattern: Box<str>,
    about: About,
}

impl RouteInfo {
    pub(super) fn new(method: Option<&str>, pattern: &str, about: About) -> Self {
        Self {
            method: method.map(Box::from),
            pattern: pattern.into(),
            about,
        }
    }

    /// The method; `None` for every one that has no route of its own on this pattern.
    pub fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// The pattern, as it was given: `/users/{id}`.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// What is served.
    pub const fn kind(&self) -> RouteKind {
        self.about.kind
    }

    /// The name that [`Route::name`](crate::app::Route::name) gave it; of a method of a
    /// service that is `users.Users.Get`.
    pub fn name(&self) -> Option<&str> {
        self.about.name.as_deref()
    }

    /// The type of a request's message, by [`core::any::type_name`]: for methods of services,
    /// and where [`Route::request_type`](crate::app::Route::request_type) says it.
    pub const fn request_type(&self) -> Option<&'static str> {
        self.about.request
    }

    /// The type of a response's message, as for the request.
    pub const fn response_type(&self) -> Option<&'static str> {
        self.about.response
    }
}

/// All routes of an app, in the order in which they were added.
///
/// ```
/// use barewire::app::{App, Route, RouteKind};
///
/// let app = App::new()
///     .get("/hello", |_request, reply| reply.text("Hello, World!"))
///     .route(Route::post("/notes").name("add_note").collect(4096, |_request, reply| reply.text("")));
/// let routes = app.routes();
/// println!("{routes}"); // when the server starts
///
/// let named = routes.iter().find(|route| route.name() == Some("add_note")).unwrap();
/// assert_eq!((named.method(), named.pattern()), (Some("POST"), "/notes"));
/// assert_eq!(named.kind(), RouteKind::Handler);
/// ```
///
/// What answers calls of methods that no service has is no route here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes(pub(super) Vec<RouteInfo>);

impl Routes {
    /// Each route.
    pub fn iter(&self) -> slice::Iter<'_, RouteInfo> {
        self.0.iter()
    }
}

impl IntoIterator for Routes {
    type Item = RouteInfo;
    type IntoIter = vec::IntoIter<RouteInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Routes {
    type Item = &'a RouteInfo;
    type IntoIter = slice::Iter<'a, RouteInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A line for each route: method, pattern, kind, and its name if it has one.
impl fmt::Display for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.iter().map(|it| {
            let kind = it.kind().to_string();
            [it.method().unwrap_or("*").into(), it.pattern().into(), kind]
        });
        let lines: Vec<[String; 3]> = lines.collect();
        let widest = |column: usize| lines.iter().map(|it| it[column].chars().count()).max();
        let [methods, patterns, kinds] = [0, 1, 2].map(|it| widest(it).unwrap_or(0));
        for (at, ([method, pattern, kind], route)) in lines.iter().zip(self).enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "{method:methods$}  {pattern:patterns$}  ")?;
            match route.name() {
                Some(name) => write!(f, "{kind:kinds$}  {name}")?,
                None => write!(f, "{kind}")?,
            }
        }
        Ok(())
    }
}
