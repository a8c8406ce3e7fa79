//! A run, and what comes of it: a table while it runs, JSON and a page at its end.

mod page;
mod plots;
mod table;

use std::fs;
use std::io::IsTerminal;
use std::time::Instant;

use serde::Serialize;

use crate::arguments::Run;
use crate::cells::{Cell, Task, Transport};
use crate::claims::{self, Judgement};
use crate::measure::{self, CONNECTIONS, Figures};
use crate::network::{self, BadNetwork};
use crate::plan::{Mode, plan};
use crate::process::Server;
use crate::{Result, machine};

pub use page::page;

/// All that a run has found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    pub mode: &'static str,
    pub machine: String,
    /// Whether client and server had a processor of their own each.
    pub pinned: bool,
    /// The load average before the run, which is what else the machine did.
    pub load_before: Option<f64>,
    pub unix_seconds: u64,
    pub seconds: f64,
    pub connections: usize,
    pub cells: Vec<Figures>,
    pub network: Vec<BadNetwork>,
    pub claims: Vec<Judgement>,
    pub left_out: Vec<LeftOut>,
    pub remarks: Vec<(&'static str, &'static str)>,
}

/// A transport that is not measured on a task, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    pub transport: &'static str,
    pub task: &'static str,
    pub payload: Option<&'static str>,
    pub why: &'static str,
}

impl Report {
    /// The figures of a transport on a task, without TLS unless that is said.
    pub fn find(
        &self,
        transport: Transport,
        task: Task,
        payload: &str,
        tls: bool,
    ) -> Option<&Figures> {
        self.cells.iter().find(|it| {
            (it.transport, it.task) == (transport.name(), task.name())
                && (it.payload, it.tls) == (payload, tls)
                && it.error.is_none()
        })
    }

    /// How many cells failed.
    pub fn failures(&self) -> usize {
        let cells = self.cells.iter().filter(|it| it.error.is_some()).count();
        cells + self.network.iter().filter(|it| it.error.is_some()).count()
    }
}

/// Runs, and writes the report; says how many cells failed.
///
/// # Errors
/// If there is no server, or the report cannot be written.
pub fn run(run: &Run) -> Result<usize> {
    let start = Instant::now();
    let program = std::env::current_exe()?;
    machine::raise_descriptors();
    let mut report = Report {
        mode: run.mode.name(),
        machine: machine::description(),
        load_before: machine::load(),
        unix_seconds: machine::now() / 1_000_000_000,
        connections: CONNECTIONS,
        ..Report::default()
    };
    let (cells, left_out) = plan(run.mode, run.only.as_deref());
    if cells.is_empty() {
        return Err(format!(
            "no transport or task of this mode is named {:?}",
            run.only.as_deref().unwrap_or("")
        )
        .into());
    }
    report.left_out = reasons(&left_out);
    let mut server = Server::start(&program, &run.listen.to_string())?;
    report.pinned = machine::pin(machine::Side::Client);
    measure_all(&cells, run, &program, &mut server, &mut report)?;
    if run.mode != Mode::Quick && run.only.is_none() {
        progress("a bad network");
        report.network = network::measure(&server.place, run.mode);
    }
    report.seconds = start.elapsed().as_secs_f64();
    report.claims = claims::judge(&report)?;
    let remarks = Transport::ALL
        .into_iter()
        .map(|it| (it.name(), it.remark()));
    report.remarks = remarks.filter(|it| !it.1.is_empty()).collect();
    progress("");
    print!("{}", table::table(&report));
    let json = run.out.join("report.json");
    fs::write(&json, serde_json::to_string_pretty(&report)?)?;
    let html = run.out.join("report.html");
    fs::write(&html, page(&report))?;
    println!("{} and {}", html.display(), json.display());
    Ok(report.failures())
}

fn measure_all(
    cells: &[Cell],
    run: &Run,
    program: &std::path::Path,
    server: &mut Server,
    report: &mut Report,
) -> Result<()> {
    for (at, &cell) in cells.iter().enumerate() {
        let tls = if cell.secure { ", TLS" } else { "" };
        let (transport, task) = (cell.transport.name(), cell.task.name());
        let payload = cell.payload.name();
        progress(&format!(
            "{}/{} {transport}: {task}, {payload}{tls}",
            at + 1,
            cells.len()
        ));
        if matches!(cell.task, Task::FanOut | Task::Idle) {
            // Members and memory of the cell before would be counted.
            *server = Server::start(program, &run.listen.to_string())?;
        }
        let mut effort = run.mode.effort();
        effort.idle = measure::most_idle(effort.idle, cell.transport);
        let figures = match measure::measure(cell, server, &effort) {
            Ok(figures) => figures,
            Err(error) => {
                // What the others need is not left to a server that has seen a failure.
                *server = Server::start(program, &run.listen.to_string())?;
                Figures::failed(cell, &*error)
            }
        };
        report.cells.push(figures);
    }
    Ok(())
}

/// Says on a terminal what goes on, in one line that is written again.
fn progress(what: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{what}");
    }
}

/// One entry for each transport and task, and for payloads that are left out by themselves.
fn reasons(all: &[(Cell, &'static str)]) -> Vec<LeftOut> {
    let mut reasons: Vec<LeftOut> = Vec::new();
    for (cell, why) in all {
        let is_whole = Cell {
            payload: crate::payload::Payload::Tiny,
            ..*cell
        }
        .check()
            == Err(*why);
        let new = LeftOut {
            transport: cell.transport.name(),
            task: cell.task.name(),
            payload: (!is_whole).then(|| cell.payload.name()),
            why,
        };
        if !reasons.contains(&new) {
            reasons.push(new);
        }
    }
    reasons
}
