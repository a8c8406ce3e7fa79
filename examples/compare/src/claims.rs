//! The usual claims, each cell judged: by a figure of the run, or by the clause that decides it.

mod basis;
mod matrix;
mod summary;
mod words;

use serde::Serialize;
use serde_json::Value;

use crate::Result;
use crate::report::Report;

pub use basis::{Basis, Verdict};

/// What is said, cell by cell.
pub const CLAIMS: &str = include_str!("../data/claims.json");

/// A cell of the claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which of the tables it stands in.
    pub table: String,
    pub row: String,
    pub column: String,
    pub text: String,
}

/// A cell with what has become of it.
#[derive(Debug, Clone, Serialize)]
pub struct Judgement {
    pub table: String,
    pub row: String,
    pub column: String,
    pub text: String,
    /// `true`, `false`, `it depends`, or `not measured` where the run was too short or too noisy.
    pub verdict: &'static str,
    pub why: String,
    pub repeat: &'static str,
}

/// All cells, in order.
///
/// # Errors
/// If the file is not as it should be.
pub fn claims() -> Result<Vec<Claim>> {
    let all: Value = serde_json::from_str(CLAIMS)?;
    let tables = all.as_object().ok_or("no tables")?;
    let mut claims = Vec::new();
    for (table, rows) in tables.iter().filter(|it| it.1.is_object()) {
        let rows = rows.as_object().ok_or("no rows")?;
        let columns = rows.get("columns").map(texts);
        for (row, cells) in rows.iter().filter(|it| it.0 != "columns") {
            for (at, text) in texts(cells).into_iter().enumerate() {
                // Where there are no columns, the cells are a list of what is said.
                let column = columns.as_ref().and_then(|it| it.get(at));
                claims.push(Claim {
                    table: table.clone(),
                    row: row.clone(),
                    column: column.cloned().unwrap_or_else(|| text.clone()),
                    text,
                });
            }
        }
    }
    Ok(claims)
}

fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(|it| it.as_str().map(String::from)).collect()
}

/// What decides a cell; `None` if nobody has thought of it.
pub fn basis(claim: &Claim) -> Option<Basis> {
    let (row, column) = (&*claim.row, &*claim.column);
    match &*claim.table {
        "matrix" => matrix::matrix(row, column),
        "http1_against_websocket" => matrix::against(row, column),
        "summary" => summary::summary(row, column),
        "key differences" => words::differences(row, column),
        "when to use" => words::uses(row, column),
        _ => None,
    }
}

/// Judges all cells by a report.
///
/// # Errors
/// A cell that nothing decides.
pub fn judge(report: &Report) -> Result<Vec<Judgement>> {
    let mut all = Vec::new();
    for claim in claims()? {
        let basis = basis(&claim).ok_or_else(|| format!("{claim:?} is not answered"))?;
        let (verdict, why, repeat) = basis.decide(report);
        all.push(Judgement {
            table: claim.table,
            row: claim.row,
            column: claim.column,
            text: claim.text,
            verdict: verdict.name(),
            why,
            repeat,
        });
    }
    Ok(all)
}
