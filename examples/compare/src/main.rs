//! Measures the protocols on the same tasks: see [`compare`].

use std::process::ExitCode;

use compare::arguments::{Arguments, USAGE};
use compare::{report, server};

fn main() -> ExitCode {
    let arguments = Arguments::parse(std::env::args().skip(1));
    let result = match arguments {
        Err(line) => return refuse(&line),
        Ok(Arguments::Help) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Ok(Arguments::Serve(address)) => server::serve(&address).map(|()| 0),
        Ok(Arguments::Run(run)) => match run.check() {
            Err(line) => return refuse(&line),
            Ok(()) => report::run(&run),
        },
    };
    match result {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("compare: {failed} cells failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says in one line what was wrong with the command line.
fn refuse(line: &str) -> ExitCode {
    eprintln!("compare: {line}");
    ExitCode::from(2)
}
