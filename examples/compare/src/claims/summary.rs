//! Overhead, latency and throughput of the four, which figures decide.

use super::basis::{Basis, DEFAULT, Verdict};
use crate::cells::{Task, Transport};
use crate::measure::Figures;
use crate::report::Report;
use Basis::Figure;

const FOUR: [Transport; 4] = [
    Transport::Http1,
    Transport::Http2,
    Transport::WebSocket,
    Transport::Grpc,
];

pub(super) fn summary(row: &str, column: &str) -> Option<Basis> {
    let transport = FOUR.into_iter().find(|it| it.name() == row)?;
    Some(match (column, transport) {
        ("overhead", Transport::Http1) => overhead(transport, "high"),
        ("overhead", Transport::Http2) => overhead(transport, "medium"),
        ("overhead", _) => overhead(transport, "low"),
        ("latency", Transport::Http1) => {
            Figure(|it| latency(it, Transport::Http1, "high"), DEFAULT)
        }
        ("latency", Transport::Http2) => {
            Figure(|it| latency(it, Transport::Http2, "medium"), DEFAULT)
        }
        ("latency", Transport::WebSocket) => {
            Figure(|it| latency(it, Transport::WebSocket, "low"), DEFAULT)
        }
        ("latency", _) => Figure(|it| latency(it, Transport::Grpc, "low"), DEFAULT),
        ("throughput", Transport::Http1) => {
            Figure(|it| throughput(it, Transport::Http1, "low"), DEFAULT)
        }
        ("throughput", Transport::Http2) => {
            Figure(|it| throughput(it, Transport::Http2, "medium"), DEFAULT)
        }
        ("throughput", Transport::WebSocket) => {
            Figure(|it| throughput(it, Transport::WebSocket, "high"), DEFAULT)
        }
        ("throughput", _) => Figure(|it| throughput(it, Transport::Grpc, "very high"), DEFAULT),
        _ => return None,
    })
}

/// Bytes around a request and its response, on a warm connection, and what they are beside a
/// payload of 1 KiB.
pub(super) fn overhead(transport: Transport, said: &'static str) -> Basis {
    match (transport, said) {
        (Transport::Http1, _) => Figure(|it| bytes(it, Transport::Http1, "high"), DEFAULT),
        (Transport::Http2, _) => Figure(|it| bytes(it, Transport::Http2, "medium"), DEFAULT),
        (Transport::WebSocket, _) => Figure(|it| bytes(it, Transport::WebSocket, "low"), DEFAULT),
        _ => Figure(|it| bytes(it, Transport::Grpc, "low"), DEFAULT),
    }
}

fn exchange(report: &Report, transport: Transport) -> Option<&Figures> {
    report.find(transport, Task::Request, "1KiB", false)
}

/// The value of each of the four.
fn four(report: &Report, value: impl Fn(&Figures) -> Option<f64>) -> Option<[f64; 4]> {
    let mut all = [0.0; 4];
    for (to, transport) in all.iter_mut().zip(FOUR) {
        *to = value(exchange(report, transport)?)?;
    }
    Some(all)
}

fn own(all: [f64; 4], transport: Transport) -> f64 {
    let at = FOUR.iter().position(|it| *it == transport);
    at.map_or(0.0, |at| all[at])
}

fn listed(all: [f64; 4], unit: &str) -> String {
    let all = FOUR.iter().zip(all);
    let all: Vec<_> = all
        .map(|(it, value)| format!("{} {value:.0}", it.name()))
        .collect();
    format!("{}{unit}", all.join(", "))
}

/// Rounds that lie further apart than this, as a part of their median, say more of the machine.
const NOISE: f64 = 0.4;

/// That the machine was too busy to judge by times, if it was.
fn noise(report: &Report) -> Option<(Verdict, String)> {
    let spread = four(report, |row| row.spread)?
        .into_iter()
        .fold(0.0, f64::max);
    let why = format!(
        "Rounds of this run lay {:.0} % apart: the machine did too much else to judge by.",
        spread * 100.0
    );
    (spread > NOISE).then_some((Verdict::NotMeasured, why))
}

/// Three classes by a factor: less than 1.5 times the least is low, more than two thirds of the
/// most is high, and what is both is called by neither word.
fn class(all: [f64; 4], value: f64) -> &'static str {
    let least = all.into_iter().fold(f64::MAX, f64::min);
    let most = all.into_iter().fold(0.0, f64::max);
    match (value <= least * 1.5, value >= most / 1.5) {
        (true, true) => "like the others",
        (true, false) => "low",
        (false, true) => "high",
        (false, false) => "medium",
    }
}

fn bytes(report: &Report, transport: Transport, said: &str) -> Option<(Verdict, String)> {
    let all = four(report, |row| {
        Some(row.sent?.overhead() + row.received?.overhead())
    })?;
    let (value, found) = (own(all, transport), class(all, own(all, transport)));
    let part = value / 20.48;
    let verdict = match found == said {
        true => Verdict::True,
        // Beside a payload of 64 KiB nobody sees the difference.
        false => Verdict::Depends,
    };
    let why = format!(
        "Bytes around 1 KiB each way: {}. That is {part:.0} % of these payloads, and 1/64 of that at 64 KiB: {found}. A browser's own fields add some 500 to each head of HTTP/1.1.",
        listed(all, "")
    );
    Some((verdict, why))
}

fn latency(report: &Report, transport: Transport, said: &str) -> Option<(Verdict, String)> {
    if let Some(noise) = noise(report) {
        return Some(noise);
    }
    let all = four(report, |row| row.latency.map(|it| it.p50))?;
    let found = class(all, own(all, transport));
    let why = format!(
        "p50 of 1 KiB on a warm connection at half of the throughput: {}. Between two places 20 ms apart all four need the same round trip: {found}.",
        listed(all, " us")
    );
    Some((Verdict::of(found == said), why))
}

fn throughput(report: &Report, transport: Transport, said: &str) -> Option<(Verdict, String)> {
    if let Some(noise) = noise(report) {
        return Some(noise);
    }
    let all = four(report, |row| row.throughput)?;
    let most = all.into_iter().fold(0.0, f64::max);
    let found = match (class(all, own(all, transport)), own(all, transport) >= most) {
        ("high", true) => "very high",
        (other, _) => other,
    };
    let verdict = match (found, said) {
        _ if found == said => Verdict::True,
        // The fastest of them is high as well.
        ("very high", "high") => Verdict::True,
        _ => Verdict::False,
    };
    let why = format!(
        "Exchanges of 1 KiB a second on eight connections: {}: {found}.",
        listed(all, "")
    );
    Some((verdict, why))
}
