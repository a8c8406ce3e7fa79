//! The report as text for a terminal.

use std::fmt::Write as _;

use super::Report;
use crate::cells::Task;
use crate::measure::Figures;

/// A table for each task.
pub(super) fn table(report: &Report) -> String {
    let mut text = String::new();
    let pinned = if report.pinned {
        "a processor each"
    } else {
        "not pinned"
    };
    let load = report
        .load_before
        .map_or(String::new(), |it| format!(", load {it:.2} before"));
    put(
        &mut text,
        &format!("{}; client and server: {pinned}{load}", report.machine),
    );
    for task in Task::ALL {
        let rows: Vec<_> = report
            .cells
            .iter()
            .filter(|it| it.task == task.name())
            .collect();
        if rows.is_empty() {
            continue;
        }
        put(&mut text, &format!("\n{}", task.name()));
        put(&mut text, HEAD);
        for row in rows {
            put(&mut text, &line(row));
        }
    }
    if !report.network.is_empty() {
        put(
            &mut text,
            "\na bad network: a round trip of 40 ms at 20 Mbit/s",
        );
        for row in &report.network {
            put(
                &mut text,
                &format!("  {:44} {:>4} %  {}", row.what, row.loss, row.text()),
            );
        }
    }
    if !report.claims.is_empty() {
        put(&mut text, "\nthe usual claims: the page has the reasons");
        for verdict in ["true", "false", "it depends", "not measured"] {
            let count = report
                .claims
                .iter()
                .filter(|it| it.verdict == verdict)
                .count();
            put(&mut text, &format!("  {verdict:14} {count}"));
        }
    }
    text.push('\n');
    text
}

fn put(text: &mut String, line: &str) {
    let _ = writeln!(text, "{line}"); // a string takes everything
}

const HEAD: &str = "                                         sent  received  messages/s  ±%  client  server      p50      p99    p99.9
                                            B         B              us CPU  us CPU       us       us       us";

fn line(row: &Figures) -> String {
    let tls = if row.tls { " TLS" } else { "" };
    let name = format!("{} {}{tls}", row.transport, row.payload);
    if let Some(error) = &row.error {
        return format!("  {name:36} failed: {error}");
    }
    let number = |value: Option<f64>, width: usize, digits: usize| match value {
        Some(value) => format!("{value:width$.digits$}"),
        None => format!("{:>width$}", "-"),
    };
    let latency = row.latency;
    let mut line = format!(
        "  {name:36} {} {} {} {} {} {} {} {} {}",
        number(row.sent.map(|it| it.wire), 7, 0),
        number(row.received.map(|it| it.wire), 9, 0),
        number(row.throughput, 11, 0),
        number(row.spread.map(|it| it * 100.0), 3, 0),
        number(row.client_cpu, 7, 1),
        number(row.server_cpu, 7, 1),
        number(latency.map(|it| it.p50), 8, 0),
        number(latency.map(|it| it.p99), 8, 0),
        number(latency.map(|it| it.p999), 8, 0),
    );
    if let Some(trips) = row.round_trips {
        let _ = write!(line, "  {trips:.0} round trips");
    }
    if let Some(bytes) = row.memory_idle {
        let count = row.connections.unwrap_or(0);
        let active = row.memory_active.unwrap_or(0.0);
        let _ = write!(line, "  {count}: {bytes:.0} B each, used {active:.0} B");
    }
    line
}
