//! Short ways, and how a test does without them.

/// Whether a short way is taken: one that handles usual input, and does what the
/// general way beside it would do.
///
/// `--cfg barewire_plain` turns all of them off, `--cfg 'barewire_plain="router"'`
/// the one of that name, so that the suites show that nothing depends on one
/// having been taken. Cargo.toml has the names (`check-cfg`), and `tests/run
/// plain` runs the suites.
macro_rules! shortcut {
    ($name:tt) => {
        !cfg!(any(barewire_plain, barewire_plain = $name))
    };
}

pub(crate) use shortcut;
