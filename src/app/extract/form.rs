//! Queries and bodies of forms (`application/x-www-form-urlencoded`, WHATWG URL §5.1).

use alloc::string::{String, ToString};

use form_urlencoded::Serializer;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::extract_error::{ExtractError, shown};
use super::form_limits::FormLimits;
use super::media_type::check;
use super::wording::{REPEATED, take_apart};
use crate::app::exchange::request::Request;
use crate::http::target::{Plus, percent_decode, query_pairs};

const FORM: &str = "application/x-www-form-urlencoded";

impl<'b> Request<'b> {
    /// The query as a value: a struct of its names, or a map. A name that comes several times
    /// fills a `Vec`; an `Option` is `None` where its name does not come.
    ///
    /// ```
    /// use barewire::app::App;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Search {
    ///     q: String,
    ///     page: Option<u32>,
    ///     #[serde(default)]
    ///     tag: Vec<String>,
    /// }
    ///
    /// // /search?q=red+shoes&tag=sale&tag=new
    /// App::new().get("/search", |request, reply| {
    ///     let Search { q, page, tag } = request.query_as()?;
    ///     let page = page.unwrap_or(1);
    ///     reply.text(format!("{q}, page {page}, {} tags", tag.len())).ok()
    /// });
    /// ```
    ///
    /// # Errors
    /// [`ExtractError`], always 400: with the name of the field where a value is missing,
    /// unknown or of another type, for malformed percent-encoding, and for more pairs than
    /// [`FormLimits::pairs`].
    pub fn query_as<T: Deserialize<'b>>(&self) -> Result<T, ExtractError> {
        let query = self.query().unwrap_or_default();
        read(query, self.form_limits(), |field, problem| {
            ExtractError::Query { field, problem }
        })
    }

    /// The body as a value, from a form as browsers send it. Names are taken as by
    /// [`query_as`](Self::query_as), which is for forms that are sent by GET.
    ///
    /// ```
    /// use barewire::app::App;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Login {
    ///     user: String,
    ///     password: String,
    /// }
    ///
    /// App::new().post("/login", |request, reply| {
    ///     let login: Login = request.form()?;
    ///     reply.text(format!("welcome, {}, with your {} letters", login.user, login.password.len())).ok()
    /// });
    /// ```
    ///
    /// # Errors
    /// [`ExtractError`]: 415 unless the Content-Type is `application/x-www-form-urlencoded`,
    /// without a charset other than UTF-8; 400 for malformed percent-encoding and for more
    /// pairs than [`FormLimits::pairs`]; 422 where a value is missing, unknown or of another
    /// type, with its name; 413 where the body comes in pieces, being longer than the route
    /// collects.
    pub fn form<T: Deserialize<'b>>(&self) -> Result<T, ExtractError> {
        if self.is_streamed() {
            return Err(ExtractError::Streamed);
        }
        check(self.header("content-type"), FORM, |_| false)?;
        let text = core::str::from_utf8(self.body).map_err(|_| ExtractError::Encoding)?;
        read(text, self.form_limits(), |field, problem| {
            ExtractError::Body { field, problem }
        })
    }

    /// The parameters of the route's pattern as a value: a struct of their names.
    ///
    /// ```
    /// use barewire::app::App;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Place {
    ///     user: u64,
    ///     album: String,
    /// }
    ///
    /// App::new().get("/users/{user}/albums/{album}", |request, reply| {
    ///     let Place { user, album } = request.params_as()?;
    ///     reply.text(format!("album {album} of user {user}")).ok()
    /// });
    /// ```
    ///
    /// # Errors
    /// [`ExtractError::Param`], 400 with the parameter's name.
    pub fn params_as<T: DeserializeOwned>(&self) -> Result<T, ExtractError> {
        let mut pairs = Serializer::new(String::new());
        for name in self.params.names {
            pairs.append_pair(name, self.param(name));
        }
        let pairs = pairs.finish();
        let limits = FormLimits::DEFAULT; // a pattern has few
        read(&pairs, limits, |name, problem| ExtractError::Param {
            name,
            problem,
        })
    }

    pub(crate) fn form_limits(&self) -> FormLimits {
        self.local().copied().unwrap_or_default()
    }
}

/// Reads a value from pairs. A fault is worded after a second look, which finds its field.
fn read<'b, T: Deserialize<'b>>(
    text: &'b str,
    limits: FormLimits,
    fault: fn(String, String) -> ExtractError,
) -> Result<T, ExtractError> {
    let limit = limits.pairs;
    let mut count = 0;
    for (name, value) in query_pairs(text) {
        count += 1;
        if count > limit {
            return Err(ExtractError::Pairs { limit });
        }
        for part in [name, value] {
            // The library would put other characters in the place of malformed ones.
            if part.contains('%') && percent_decode(part, Plus::Kept).is_none() {
                return Err(ExtractError::Encoding);
            }
        }
    }
    serde_html_form::from_str(text).map_err(|error| {
        let again = serde_html_form::Deserializer::from_bytes(text.as_bytes());
        let (field, problem) = match serde_path_to_error::deserialize::<_, T>(again) {
            Err(error) => match take_apart(error.path(), &error.inner().to_string()) {
                // What the library says of a list where there may be one value.
                (field, problem) if problem == "unsupported value" => (field, REPEATED.into()),
                found => found,
            },
            Ok(_) => (String::new(), shown(&error.to_string())),
        };
        fault(field, problem)
    })
}
