//! Every cell of the claims is answered, in every kind of run.

use compare::claims::{Basis, basis, claims, judge};
use compare::report::Report;

#[test]
fn every_cell_of_the_claims_is_answered() {
    let all = claims().unwrap();
    // 36 of the matrix, 12 against WebSocket, 12 of the summary, and what was said beside them.
    assert_eq!(all.len(), 36 + 12 + 12 + 10 + 12);
    for claim in &all {
        let basis = basis(claim).unwrap_or_else(|| panic!("{claim:?}"));
        if let Basis::Clause(_, why) = basis {
            assert!(why.len() > 20, "{claim:?}: {why}");
        }
    }
}

#[test]
fn what_a_run_has_no_figure_for_says_so_and_how_to_get_it() {
    let judged = judge(&Report::default()).unwrap();
    let missing = judged.iter().filter(|it| it.verdict == "not measured");
    let missing: Vec<_> = missing.collect();
    assert!(!missing.is_empty());
    for judgement in missing {
        assert!(
            judgement
                .repeat
                .starts_with("cargo run --release -p compare")
        );
    }
}
