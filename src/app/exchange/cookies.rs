//! Cookies of requests and replies.

use alloc::format;

use super::reply::Reply;
use super::request::Request;
use super::response::Response;
use crate::http::{Cookie, cookie_pairs};

/// Cookies of a request that are looked at: more than browsers send.
const MOST: usize = 256;

impl<'b> Request<'b> {
    /// The names and values of the cookies that came with the request, the first 256.
    pub fn cookies(&self) -> impl Iterator<Item = (&'b str, &'b str)> + use<'b> {
        let fields = self.headers().get_all("cookie");
        fields.flat_map(cookie_pairs).take(MOST)
    }

    /// The value of the first cookie of this name: the one for the longest path, where there
    /// are several.
    ///
    /// ```
    /// use barewire::app::{App, Cookie, Status};
    ///
    /// App::new()
    ///     .get("/", |request, reply| match request.cookie("__Host-name") {
    ///         Some(name) => reply.text(format!("Hello again, {name}.")),
    ///         None => reply.cookie(Cookie::new("__Host-name", "Ann")).text("Hello."),
    ///     })
    ///     .post("/logout", |_request, reply| {
    ///         reply.cookie(Cookie::removal("__Host-name")).redirect("/")
    ///     });
    /// ```
    pub fn cookie(&self, name: &str) -> Option<&'b str> {
        self.cookies()
            .find(|(other, _)| *other == name)
            .map(|(_, value)| value)
    }
}

impl Reply<'_, '_> {
    /// Sets a cookie. One that browsers would not take has 500 sent in place of the reply;
    /// the log says why.
    #[must_use]
    pub fn cookie(mut self, cookie: Cookie) -> Self {
        match cookie.set_cookie() {
            Ok(text) => self.header("Set-Cookie", text),
            Err(why) => {
                let why = format!("{:?}: {why}", cookie.name());
                self.at().spoil("Set-Cookie", b"", &why);
                self
            }
        }
    }
}

impl Response {
    /// Sets a cookie, as [`Reply::cookie`] does.
    #[must_use]
    pub fn cookie(self, cookie: Cookie) -> Self {
        match cookie.set_cookie() {
            Ok(text) => self.header("Set-Cookie", text),
            Err(why) => {
                let why = format!("{:?}: {why}", cookie.name());
                self.faulty("Set-Cookie", b"", &why)
            }
        }
    }
}
