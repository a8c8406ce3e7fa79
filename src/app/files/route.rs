//! Directories as routes of an app.

use alloc::format;
use alloc::sync::Arc;

use super::files::Files;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::routes::endpoint::Endpoint;
use crate::app::routes::router::Verb;
use crate::app::routes::table::RouteKind;
use crate::app::serving::builder::App;
use crate::http::Method;

impl App {
    /// Serves the files of a directory below `prefix`: `/static`, or `/` for
    /// all paths that have no route of their own. A path will do for `files`;
    /// see [`Files`] for what is served and how.
    ///
    /// ```no_run
    /// use barewire::app::App;
    ///
    /// # fn main() -> Result<(), barewire::net::Error> {
    /// App::new().files("/static", "/srv/www").listen("127.0.0.1:8080")?.run()
    /// # }
    /// ```
    ///
    /// A directory that cannot be opened is an error of [`spawn`](Self::spawn).
    #[must_use]
    pub fn files(mut self, prefix: &str, files: impl Into<Files>) -> Self {
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let depth = prefix.matches('/').count();
        match files.into().open(depth) {
            Ok(served) => {
                let served = Arc::new(served);
                let folder = served.clone();
                // Where the prefix itself is asked for, its slash is missing.
                let get = || Verb::One(Method::GET.as_str().into());
                if !prefix.is_empty() {
                    let bare = move |request: &Request<'_>, reply: Reply<'_, '_>| {
                        folder.answer_bare(request, reply)
                    };
                    self = self.serve(RouteKind::Files, get(), prefix, Endpoint::new(bare));
                }
                let pattern = format!("{prefix}/{{*file}}");
                let file = move |request: &Request<'_>, reply: Reply<'_, '_>| {
                    served.answer(request, reply)
                };
                self.serve(RouteKind::Files, get(), &pattern, Endpoint::new(file))
            }
            Err(error) => {
                self.fail(Some(error));
                self
            }
        }
    }
}
