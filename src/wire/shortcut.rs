//! Short ways, and how a test does without them.

/// Whether a short way is taken: one that handles usual input as the general way beside it
/// would.
///
/// `--cfg barewire_plain` turns all off, `--cfg 'barewire_plain="router"'` one, so that suites
/// prove them equivalent (`tests/run plain`; names in Cargo.toml).
macro_rules! shortcut {
    ($name:tt) => {
        !cfg!(any(barewire_plain, barewire_plain = $name))
    };
}

pub(crate) use shortcut;
