//! What a judgement rests on.

use crate::report::Report;

/// What is found of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    True,
    False,
    Depends,
    /// The run has no figure for it.
    NotMeasured,
}

impl Verdict {
    pub const fn name(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Depends => "it depends",
            Self::NotMeasured => "not measured",
        }
    }

    /// True or false.
    pub const fn of(is: bool) -> Self {
        match is {
            true => Self::True,
            false => Self::False,
        }
    }
}

/// What decides a cell.
#[derive(Clone, Copy)]
pub enum Basis {
    /// A clause, where no figure can: the verdict, and why.
    Clause(Verdict, &'static str),
    /// Figures of the run, and the command that takes them again.
    Figure(fn(&Report) -> Option<(Verdict, String)>, &'static str),
}

/// What takes the figures of the default run.
pub(super) const DEFAULT: &str = "cargo run --release -p compare";
/// What takes all of them.
pub(super) const FULL: &str = "cargo run --release -p compare -- --full";

impl Basis {
    /// The verdict, why, and how to repeat it.
    pub fn decide(self, report: &Report) -> (Verdict, String, &'static str) {
        match self {
            Self::Clause(verdict, why) => (verdict, why.to_owned(), "read the clause"),
            Self::Figure(figure, repeat) => match figure(report) {
                Some((verdict, why)) => (verdict, why, repeat),
                None => {
                    let why = "this run was too short for the figure".to_owned();
                    (Verdict::NotMeasured, why, repeat)
                }
            },
        }
    }
}
