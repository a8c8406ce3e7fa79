//! Setters of limits.

/// Setters by value: `with_frame frame: u32,`. The doc above one stands behind its
/// documentation.
macro_rules! setters {
    ($($(#[$more:meta])* $set:ident $field:ident: $type:ty,)*) => {$(
        #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
        $(#[$more])*
        #[must_use]
        pub const fn $set(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
    )*};
}

pub(crate) use setters;
