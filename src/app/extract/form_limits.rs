//! Limits on queries and forms that are read as values.

use crate::app::serving::builder::App;
use crate::wire::setters;

/// Limits on queries and forms that are read as values.
///
/// ```
/// use barewire::app::{App, FormLimits};
///
/// App::new().form_limits(FormLimits::DEFAULT.with_pairs(50));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FormLimits {
    /// Names and values in a query or a form. Stops floods of tiny pairs, each of which
    /// costs more than its bytes. Default 1,000.
    pub pairs: usize,
}

impl FormLimits {
    /// Safe for a public server.
    pub const DEFAULT: Self = Self {
        // Ten times what a long form has.
        pairs: 1_000,
    };

    setters! {
        with_pairs pairs: usize,
    }
}

impl Default for FormLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl App {
    /// Sets the limits on queries and forms that are read as values
    /// ([`Request::query_as`](crate::app::Request::query_as),
    /// [`Request::form`](crate::app::Request::form)).
    ///
    /// ```
    /// use barewire::app::{App, FormLimits};
    ///
    /// App::new().form_limits(FormLimits::DEFAULT.with_pairs(5_000));
    /// ```
    #[must_use]
    pub fn form_limits(self, limits: FormLimits) -> Self {
        self.on_each_loop(move |_| Ok(limits))
    }
}
