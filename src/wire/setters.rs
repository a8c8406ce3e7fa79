//! Setters of limits, and of builders.

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

/// Setters of a builder: what is behind `=>` is done to the builder, `time = Some(time)` to
/// its field of that name, `proxies.set(proxy)` by a method of a field.
macro_rules! builder {
    () => {};
    ($(#[$doc:meta])* const fn $set:ident($($it:ident: $type:ty),*) => $($field:ident).+ = $value:expr; $($more:tt)*) => {
        $(#[$doc])*
        #[must_use]
        pub const fn $set(mut self, $($it: $type),*) -> Self {
            self.$($field).+ = $value;
            self
        }
        $crate::wire::builder! { $($more)* }
    };
    ($(#[$doc:meta])* fn $set:ident($($it:ident: $type:ty),*) => $($field:ident).+ = $value:expr; $($more:tt)*) => {
        $(#[$doc])*
        #[must_use]
        pub fn $set(mut self, $($it: $type),*) -> Self {
            self.$($field).+ = $value;
            self
        }
        $crate::wire::builder! { $($more)* }
    };
    ($(#[$doc:meta])* fn $set:ident($($it:ident: $type:ty),*) => $($part:ident).+($($value:expr),*); $($more:tt)*) => {
        $(#[$doc])*
        #[must_use]
        pub fn $set(mut self, $($it: $type),*) -> Self {
            self.$($part).+($($value),*);
            self
        }
        $crate::wire::builder! { $($more)* }
    };
}

pub(crate) use {builder, setters};
