//! The values that a route's closure may return.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use crate::http::{FieldBuffer, InvalidField, Status};

/// Proof that a reply was given: only the ends of a
/// [`Reply`](crate::app::Reply) make one.
#[derive(Debug)]
#[must_use = "a route's closure gives it back"]
pub struct Done(pub(crate) ());

impl Done {
    /// The end of a closure with `?` in it, whose errors become a [`Refusal`].
    /// With a plain `Ok(..)` the compiler would ask of which kind they are.
    ///
    /// ```
    /// use barewire::app::App;
    /// use barewire::http::Status;
    ///
    /// App::new().get("/items/{id}", |request, reply| {
    ///     let id: u32 = request.param("id").parse().map_err(|_| Status::BAD_REQUEST)?;
    ///     reply.text(format!("item {id}")).ok()
    /// });
    /// ```
    ///
    /// # Errors
    /// Nothing: it completes the type.
    pub const fn ok(self) -> Result<Self, Refusal> {
        Ok(self)
    }
}

/// A reply that says no: a status, and a JSON body that says why.
///
/// ```
/// use barewire::app::Refusal;
/// use barewire::http::Status;
///
/// let refusal = Refusal::new(Status::FORBIDDEN).because("not your document");
/// assert_eq!(refusal.status(), Status::FORBIDDEN);
/// ```
#[derive(Debug, Clone)]
pub struct Refusal {
    status: Status,
    reason: Option<Cow<'static, str>>,
    field: Option<Box<str>>,
    fields: FieldBuffer,
}

impl Refusal {
    /// A refusal with this status, and its reason phrase as the reason.
    pub const fn new(status: Status) -> Self {
        Self {
            status,
            reason: None,
            field: None,
            fields: FieldBuffer::new(),
        }
    }

    /// Replaces the reason: the body is then `{"error":"..."}` with
    /// this text.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Names the field of the request that is at fault: the body has it as `"field"` beside
    /// its reason.
    ///
    /// ```
    /// use barewire::app::{Refusal, Status};
    ///
    /// let refusal = Refusal::new(Status::CONFLICT).because("taken already").at_field("email");
    /// assert_eq!(refusal.field(), Some("email"));
    /// ```
    #[must_use]
    pub fn at_field(mut self, field: impl Into<Box<str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Adds a header.
    ///
    /// # Errors
    /// [`InvalidField`] if it cannot stand on the wire.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, InvalidField> {
        self.fields.push(name, value)?;
        Ok(self)
    }

    /// The status.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The text of the body's `error` member.
    pub fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or(self.status.reason())
    }

    /// The field of the request that is at fault, if one was
    /// [named](Self::at_field).
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    pub(super) const fn fields_mut(&mut self) -> &mut FieldBuffer {
        &mut self.fields
    }

    pub(super) const fn fields(&self) -> &FieldBuffer {
        &self.fields
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::new(status)
    }
}

/// The result of a route's closure: [`Done`], or a `Result` of it, so that `?` works
/// inside; such a closure ends with [`Done::ok`].
#[diagnostic::on_unimplemented(
    message = "a route's closure gives back `Done` or `Result<Done, E>`, not `{Self}`",
    label = "gives back `{Self}`",
    note = "an end of the reply gives `Done`: `reply.text(..)`, `reply.json_text(..)`, `reply.empty()`",
    note = "is the last expression followed by a semicolon?",
    note = "in `Result<Done, E>`, `E` is `Refusal`, `Status` or anything with `impl From<E> for Refusal`"
)]
pub trait Answer: sealed::Sealed {
    /// The answer, as the one kind that all become.
    #[doc(hidden)]
    fn into_result(self) -> Result<Done, Refusal>;
}

impl Answer for Done {
    fn into_result(self) -> Result<Done, Refusal> {
        Ok(self)
    }
}

impl<E: Into<Refusal>> Answer for Result<Done, E> {
    fn into_result(self) -> Result<Done, Refusal> {
        self.map_err(Into::into)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Done {}
    impl<E: Into<super::Refusal>> Sealed for Result<super::Done, E> {}
}
