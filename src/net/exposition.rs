//! Numbers as text, in Prometheus' exposition format 0.0.4. All names begin with
//! `barewire_`.

use alloc::string::String;
use core::fmt::{self, Display, Write as _};

use crate::wire::durations::Durations;

pub(crate) fn histogram(name: &str, help: &str, durations: &Durations, out: &mut String) {
    head(name, help, "histogram", out);
    let mut below = 0;
    for (bound, count) in durations.buckets() {
        below += count;
        // Writing to a String cannot fail.
        let _ = match bound.map(|it| it.as_secs_f64()) {
            Some(bound) => {
                writeln!(out, "barewire_{name}_bucket{{le=\"{bound}\"}} {below}")
            }
            None => writeln!(out, "barewire_{name}_bucket{{le=\"+Inf\"}} {below}"),
        };
    }
    let sum = durations.sum().as_secs_f64();
    let _ = writeln!(
        out,
        "barewire_{name}_sum {sum}\nbarewire_{name}_count {below}"
    );
}

/// The two lines before a metric's samples: a counter if its name ends with `_total`, else a
/// gauge.
pub(crate) fn family(name: &str, help: &str, out: &mut String) {
    let kind = match name.ends_with("_total") {
        true => "counter",
        false => "gauge",
    };
    head(name, help, kind, out);
}

fn head(name: &str, help: &str, kind: &str, out: &mut String) {
    let _ = writeln!(
        out,
        "# HELP barewire_{name} {help}\n# TYPE barewire_{name} {kind}"
    );
}

pub(crate) fn labelled(name: &str, labels: fmt::Arguments<'_>, value: u64, out: &mut String) {
    let _ = writeln!(out, "barewire_{name}{{{labels}}} {value}");
}

pub(crate) fn single(name: &str, help: &str, value: impl Display, out: &mut String) {
    family(name, help, out);
    let _ = writeln!(out, "barewire_{name} {value}");
}
