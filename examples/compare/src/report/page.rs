//! The report as one page of HTML, which needs nothing from elsewhere.

use std::fmt::Write as _;

use super::Report;
use super::plots::{Bar, Range, bars, escape, ranges, time};
use crate::cells::Task;
use crate::measure::{Bytes, Figures};

/// The page.
pub fn page(report: &Report) -> String {
    let mut html = String::from(HEAD);
    head(report, &mut html);
    for task in Task::ALL {
        let all = report.cells.iter();
        let rows: Vec<_> = all.filter(|it| it.task == task.name()).collect();
        if !rows.is_empty() {
            let _ = write!(html, "<section><h2>{}</h2>", capital(task.name()));
            plots(task, &rows, &mut html);
            figures(&rows, &mut html);
            html.push_str("</section>");
        }
    }
    network(report, &mut html);
    claims(report, &mut html);
    reasons(report, &mut html);
    html.push_str("</main></body></html>\n");
    html
}

fn capital(text: &str) -> String {
    let mut text = escape(text);
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

fn head(report: &Report, html: &mut String) {
    let pinned = match report.pinned {
        true => "client and server had a processor each",
        false => "client and server shared the processors",
    };
    let load = report.load_before.map_or_else(String::new, |it| {
        format!(" Before the run its load average was {it:.2}: what else it did is noise.")
    });
    let _ = write!(
        html,
        "<h1>Which protocol, measured</h1><p>{}; {pinned}.{load} Mode: {}, {:.0} s. Client and \
         server are barewire in two processes on loopback, {} connections with one message under \
         way on each. Throughput is the median of several rounds, with how far they lie apart; \
         latency was taken at half of that rate, from when each message was due. What another \
         implementation would need is not in these figures; bytes and round trips are the \
         protocols' own.</p>",
        escape(&report.machine),
        report.mode,
        report.seconds,
        report.connections,
    );
    let failed = report
        .cells
        .iter()
        .filter_map(|it| Some((it, it.error.as_ref()?)));
    for (row, error) in failed {
        let name = name(row);
        let _ = write!(
            html,
            "<p class=\"failed\">{} ({}) failed: {}</p>",
            escape(&name),
            row.task,
            escape(error)
        );
    }
}

fn name(row: &Figures) -> String {
    let tls = if row.tls { ", TLS" } else { "" };
    format!("{} {}{tls}", row.transport, row.payload)
}

fn plots(task: Task, rows: &[&Figures], html: &mut String) {
    let bytes: Vec<_> = rows.iter().filter_map(|row| bytes_bar(row)).collect();
    if !bytes.is_empty() {
        let note = "<span class=\"key payload\"></span>payload <span class=\"key heads\"></span>heads and frames <span class=\"key tls\"></span>TLS";
        figure(
            "Bytes at the socket for a message, both ways",
            note,
            &bars("bytes", &bytes),
            html,
        );
    }
    let spent: Vec<_> = rows.iter().filter_map(|row| cpu_bar(row)).collect();
    if !spent.is_empty() {
        let note =
            "<span class=\"key client\"></span>client <span class=\"key server\"></span>server";
        figure(
            "Processor time for a message",
            note,
            &bars("processor time", &spent),
            html,
        );
    }
    let rates: Vec<_> = rows.iter().filter_map(|row| rate_bar(row)).collect();
    if !rates.is_empty() {
        figure(
            "Messages a second",
            "",
            &bars("messages a second", &rates),
            html,
        );
    }
    let times: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let of = row.latency?;
            Some(Range {
                name: name(row),
                times: [of.p50, of.p90, of.p99, of.p999],
            })
        })
        .collect();
    if !times.is_empty() {
        let title = match task {
            Task::Request => "Latency at half of that rate",
            Task::Connect => "Time to the first answer",
            Task::Reconnect => "Time to the next answer after a cut",
            _ => "Time until all have it",
        };
        figure(
            title,
            "p50, p90, p99, p99.9; beside it p50 / p99",
            &ranges(title, &times),
            html,
        );
    }
    let memory: Vec<_> = rows.iter().filter_map(|row| memory_bar(row)).collect();
    if !memory.is_empty() {
        figure(
            "Memory of the server for a connection",
            "",
            &bars("memory", &memory),
            html,
        );
    }
}

fn figure(title: &str, note: &str, svg: &str, html: &mut String) {
    let _ = write!(
        html,
        "<figure><figcaption>{title} <small>{note}</small></figcaption>{svg}</figure>"
    );
}

fn bytes_bar(row: &Figures) -> Option<Bar> {
    let (sent, received) = (row.sent?, row.received?);
    let sum = |part: fn(&Bytes) -> f64| part(&sent) + part(&received);
    let (all, tls) = (sum(|it| it.wire), sum(|it| it.tls));
    // Compressed content is less than its payload.
    let payload = sum(|it| it.payload).min(all - tls);
    Some(Bar {
        name: name(row),
        parts: vec![
            ("payload", payload),
            ("heads", (all - tls - payload).max(0.0)),
            ("tls", tls),
        ],
        text: format!("{:.0} + {:.0}", sent.wire, received.wire),
    })
}

fn cpu_bar(row: &Figures) -> Option<Bar> {
    let (client, server) = (row.client_cpu.unwrap_or(0.0), row.server_cpu?);
    Some(Bar {
        name: name(row),
        parts: vec![("client", client), ("server", server)],
        text: format!("{client:.1} + {server:.1} µs"),
    })
}

fn rate_bar(row: &Figures) -> Option<Bar> {
    let rate = row.throughput?;
    let spread = row
        .spread
        .map_or_else(String::new, |it| format!(" ±{:.0} %", it * 50.0));
    Some(Bar {
        name: name(row),
        parts: vec![("rate", rate)],
        text: format!("{rate:.0}{spread}"),
    })
}

fn memory_bar(row: &Figures) -> Option<Bar> {
    let bytes = row.memory_idle?;
    Some(Bar {
        name: name(row),
        parts: vec![("rate", bytes)],
        text: format!("{bytes:.0} B"),
    })
}

const COLUMNS: [&str; 12] = [
    "transport",
    "sent B",
    "received B",
    "of it TLS B",
    "messages/s",
    "client µs",
    "server µs",
    "p50",
    "p90",
    "p99",
    "p99.9",
    "more",
];

fn figures(rows: &[&Figures], html: &mut String) {
    html.push_str("<details><summary>The figures</summary><div class=\"wide\"><table><tr>");
    for column in COLUMNS {
        let _ = write!(html, "<th>{column}</th>");
    }
    html.push_str("</tr>");
    for row in rows {
        let number = |value: Option<f64>, digits: usize| {
            value.map_or_else(String::new, |it| format!("{it:.digits$}"))
        };
        let part = |part: fn(&Bytes) -> f64| match (&row.sent, &row.received) {
            (Some(sent), Some(received)) => Some(part(sent) + part(received)),
            _ => None,
        };
        let of = row.latency;
        let cells = [
            name(row),
            number(row.sent.map(|it| it.wire), 1),
            number(row.received.map(|it| it.wire), 1),
            number(part(|it| it.tls), 1),
            number(row.throughput, 0),
            number(row.client_cpu, 2),
            number(row.server_cpu, 2),
            of.map_or_else(String::new, |it| time(it.p50)),
            of.map_or_else(String::new, |it| time(it.p90)),
            of.map_or_else(String::new, |it| time(it.p99)),
            of.map_or_else(String::new, |it| time(it.p999)),
            more(row),
        ];
        html.push_str("<tr>");
        for cell in cells {
            let _ = write!(html, "<td>{}</td>", escape(&cell));
        }
        html.push_str("</tr>");
    }
    html.push_str("</table></div></details>");
}

fn more(row: &Figures) -> String {
    let mut parts = Vec::new();
    if let Some(error) = &row.error {
        parts.push(format!("failed: {error}"));
    }
    if let Some(trips) = row.round_trips {
        parts.push(format!("{trips:.0} round trips"));
    }
    if let Some((sent, received)) = row.sent.zip(row.received)
        && sent.frame_heads > 0.0
    {
        parts.push(format!(
            "frame heads {:.0}, fields {:.0}, windows and the like {:.0} B",
            sent.frame_heads + received.frame_heads,
            sent.header_blocks + received.header_blocks,
            sent.control + received.control
        ));
    }
    if let (Some(idle), Some(active)) = (row.memory_idle, row.memory_active) {
        let count = row.connections.unwrap_or(0);
        parts.push(format!(
            "{count} connections: {idle:.0} B at rest, {active:.0} B used"
        ));
    }
    parts.join("; ")
}

fn network(report: &Report, html: &mut String) {
    if report.network.is_empty() {
        return;
    }
    html.push_str(
        "<section><h2>A bad network</h2><p>A relay in user space: a round trip of 40 ms, 20 Mbit/s, \
         and loss as TCP makes it felt: what is lost comes a round trip later, or after 200 ms at \
         the end of a burst, and all behind it on its connection waits. The congestion window is \
         not modelled: under loss real connections are slower still.</p>",
    );
    let rows: Vec<_> = report
        .network
        .iter()
        .filter_map(|row| {
            let of = row.times?;
            Some(Range {
                name: format!("{} {} %", row.what, row.loss),
                times: [of.p50, of.p90, of.p99, of.p999],
            })
        })
        .collect();
    figure(
        "Times",
        "p50, p90, p99, p99.9; beside it p50 / p99",
        &ranges("times", &rows),
        html,
    );
    html.push_str("<div class=\"wide\"><table><tr><th>what</th><th>loss</th><th>result</th></tr>");
    for row in &report.network {
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{} %</td><td>{}</td></tr>",
            escape(row.what),
            row.loss,
            escape(&row.text())
        );
    }
    html.push_str("</table></div></section>");
}

fn claims(report: &Report, html: &mut String) {
    html.push_str(
        "<section><h2>The usual claims</h2><div class=\"wide\"><table><tr><th>claim</th><th>of</th>\
         <th>it is said</th><th>judged</th><th>why</th><th>how to repeat it</th></tr>",
    );
    for claim in &report.claims {
        let class = claim.verdict.replace(' ', "-");
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{}</td><td>{}</td><td>{}</td></tr>",
            escape(&claim.row),
            escape(&claim.column),
            escape(&claim.text),
            claim.verdict,
            escape(&claim.why),
            escape(claim.repeat)
        );
    }
    html.push_str("</table></div></section>");
}

fn reasons(report: &Report, html: &mut String) {
    html.push_str("<section><h2>What is not measured, and what is not comparable</h2><div class=\"wide\"><table>");
    for (transport, remark) in &report.remarks {
        let (transport, remark) = (escape(transport), escape(remark));
        let _ = write!(
            html,
            "<tr><td>{transport}</td><td></td><td>{remark}</td></tr>"
        );
    }
    for row in &report.left_out {
        let task = match row.payload {
            Some(payload) => format!("{}, {payload}", row.task),
            None => row.task.to_owned(),
        };
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(row.transport),
            escape(&task),
            escape(row.why)
        );
    }
    html.push_str("</table></div></section>");
}

const HEAD: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>Which protocol, measured</title><style>
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--faint:#d5dae0;--a:#2563a8;--b:#d08a1d;--c:#5d8f3c;--d:#8a4fa0}
@media (prefers-color-scheme:dark){:root{--paper:#14171b;--ink:#e4e8ec;--faint:#3a424b;--a:#6aa7e8;--b:#e5ad55;--c:#8fc26b;--d:#c08ad4}}
@media print{:root{--paper:#fff;--ink:#000;--faint:#bbb;--a:#2563a8;--b:#d08a1d;--c:#5d8f3c;--d:#8a4fa0}figure,tr{break-inside:avoid}details>*{display:block}}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1rem}
h2{margin-top:2.5rem;border-bottom:1px solid var(--faint)}
figure{margin:1.5rem 0}figcaption{font-weight:600}small{font-weight:400}
svg{width:100%;height:auto;fill:var(--ink);font:13px system-ui,sans-serif}
.grid{stroke:var(--faint)}.tick,.value{font-size:12px}.span{stroke:var(--a);stroke-width:2}
.payload,.client,.rate,.p50{fill:var(--a);background:var(--a)}.heads,.server,.p90{fill:var(--b);background:var(--b)}
.tls,.p99{fill:var(--c);background:var(--c)}.p999{fill:var(--d)}
.key{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 .8em;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:14px}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--faint)}
.true{color:var(--c)}.false,.failed{color:#c0392b}.it-depends{color:var(--b)}
</style></head><body><main>"#;
