//! Layer 0: the parts that every protocol is made of.
//!
//! Reading ([`Cursor`], [`ascii`], [`Utf8`]), writing ([`Sink`]), time as a
//! parameter ([`Instant`]), flood accounting ([`Budget`]), the vector kernels
//! behind a safe face ([`simd`]), and the shape that all machines share
//! ([`Received`], [`Step`], [`Role`]).

pub mod ascii;
mod budget;
mod character;
#[cfg(feature = "alloc")]
pub mod codec;
mod cursor;
#[cfg(feature = "net")]
pub(crate) mod durations;
mod instant;
#[cfg(any(feature = "envelope", feature = "graphql"))]
pub(crate) mod json;
mod machine;
mod setters;
mod shortcut;
#[cfg(feature = "alloc")]
mod shown;
pub mod simd;
mod sink;
mod utf8;

pub use budget::{Budget, Rate};
pub use cursor::Cursor;
pub use instant::Instant;
pub use machine::{Received, Role, Step};
pub use sink::{Sink, Slice};
pub use utf8::{InvalidUtf8, Utf8};

pub(crate) use setters::{builder, setters};
pub(crate) use shortcut::shortcut;
#[cfg(feature = "alloc")]
pub(crate) use shown::partly_shown;

/// Whether code may be long where that makes it fast: without `std` it is to be
/// small.
pub(crate) const FAST: bool = cfg!(feature = "std") && shortcut!("long_code");
