//! The command line, as a shell sees it.

use std::net::TcpListener;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_compare"));
    command.args(arguments).output().unwrap()
}

#[test]
fn errors_of_use_are_one_line_and_the_status_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for arguments in [
        &["--fast"][..],
        &["--out"],
        &["--quick", "--full"],
        &["--listen", &taken],
        &["--listen", "0.0.0.0:0"],
        &["--quick", "--out", "/proc/nowhere"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.lines().count(), 1, "{arguments:?}: {text}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_quick_run_of_some_transports_leaves_a_page_and_json() {
    let folder = std::env::temp_dir().join(format!("compare-{}", std::process::id()));
    let out = folder.to_str().unwrap();
    let output = run(&["--quick", "--only", "WebSocket", "--out", out]);
    assert!(output.status.success(), "{output:?}");
    let json = std::fs::read_to_string(folder.join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    let cells = report["cells"].as_array().unwrap();
    assert_eq!(
        cells.len(),
        3 * (1 + 2),
        "an exchange, and connecting without and with TLS"
    );
    for cell in cells {
        assert!(cell["error"].is_null(), "{cell}");
        assert!(cell["latency"]["p999"].as_f64().unwrap() > 0.0, "{cell}");
    }
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains("<svg") && page.trim_end().ends_with("</html>"));
    assert!(!page.contains("src=") && !page.contains("http://") && !page.contains("https://"));
    std::fs::remove_dir_all(folder).unwrap();
}
