//! Lines on the log, through the `log` facade (feature `log`).
//!
//! A peer may cause the same fault a million times. Each place that reports has
//! a gate of its own, which lets a few lines pass in a while, and the first line
//! after that says how many were left out.

/// Writes a line on the log: `report!(Warn, "refused {}: {reason}", peer)`, with a level of
/// `log::Level`. A peer's bytes are written with `{:?}`, so that they cannot begin a line.
/// Without the feature `log` the arguments are checked only.
macro_rules! report {
    ($level:ident, $text:literal $(, $($argument:tt)*)?) => {{
        #[cfg(feature = "log")]
        {
            static GATE: $crate::net::report::Gate = $crate::net::report::Gate::new();
            if ::log::log_enabled!(target: "barewire", ::log::Level::$level)
                && let Some(left_out) = GATE.pass($crate::net::report::seconds())
            {
                ::log::log!(
                    target: "barewire",
                    ::log::Level::$level,
                    "{}{left_out}",
                    ::core::format_args!($text $(, $($argument)*)?)
                );
            }
        }
        #[cfg(not(feature = "log"))]
        if false {
            let _ = ::core::format_args!($text $(, $($argument)*)?);
        }
    }};
}

pub(crate) use report;

#[cfg(feature = "log")]
pub(crate) use super::gate::{Gate, seconds};
