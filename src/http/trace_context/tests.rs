use super::*;
use crate::http::Field;
use alloc::string::ToString as _;
use alloc::{format, vec::Vec};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_traceparent_is_read_and_written() {
    let context: TraceContext = PARENT.parse().unwrap();
    assert_eq!(context.to_string(), PARENT);
    assert!(context.is_sampled());
    let child = context.child([0, 0, 0, 0, 0, 0, 0, 9]).unwrap();
    assert_eq!(child.to_string(), format!("00-{TRACE}-0000000000000009-01"));
    // Flags that are not known are not passed on; a later version may say more.
    for (text, flags) in [
        (format!("00-{TRACE}-00f067aa0ba902b7-fe"), "00"),
        (format!("cc-{TRACE}-00f067aa0ba902b7-03"), "01"),
        (format!("01-{TRACE}-00f067aa0ba902b7-01-what-else"), "01"),
    ] {
        let context: TraceContext = text.parse().unwrap();
        assert_eq!(
            context.to_string(),
            format!("00-{TRACE}-00f067aa0ba902b7-{flags}")
        );
    }
}

#[test]
fn what_is_no_traceparent_is_none() {
    for text in [
        "",
        "00",
        &PARENT[..54],
        &format!("{PARENT}-x"),
        &format!("{PARENT}x"),
        &format!("01-{TRACE}-00f067aa0ba902b7-01x"),
        &PARENT.replacen("00", "ff", 1),
        &PARENT.to_uppercase(),
        &PARENT.replace("4bf9", "4bg9"),
        &PARENT.replace('-', "_"),
        &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
        &format!("00-{TRACE}-{}-01", "0".repeat(16)),
        &PARENT.replace("4bf92", "\u{e9}f92"),
    ] {
        assert_eq!(text.parse::<TraceContext>(), Err(InvalidTrace), "{text}");
    }
    assert_eq!(TraceContext::new([0; 16], [1; 8], true), Err(InvalidTrace));
    assert!(TraceContext::new([1; 16], [0; 8], true).is_err());
    let twice = [
        Field::new("traceparent", PARENT),
        Field::new("Traceparent", PARENT),
    ];
    assert_eq!(TraceContext::of(&Fields::new(&twice)), None);
    assert_eq!(TraceContext::of(&Fields::EMPTY), None);
}

fn state(lines: &[&str]) -> String {
    let mut list: Vec<Field<'_>> = lines
        .iter()
        .map(|it| Field::new("tracestate", it))
        .collect();
    list.push(Field::new("traceparent", PARENT));
    TraceContext::of(&Fields::new(&list))
        .unwrap()
        .state()
        .into()
}

#[test]
fn a_tracestate_goes_along_within_its_bounds() {
    assert_eq!(
        state(&["rojo=1 , congo=t6!;:", "", "1a@nr=v"]),
        "rojo=1,congo=t6!;:,1a@nr=v"
    );
    let long = "v".repeat(250);
    assert_eq!(
        state(&[&format!("a={long},b={long},c={long},d=1")]).len(),
        2 * 252 + 1
    );
    for bad in [
        "rojo",
        "rojo=",
        "=1",
        "Rojo=1",
        "1a=2",
        "a=1,a=2",
        "a=b=c",
        "a=\u{e9}",
        "a@=1",
        "a=1\tb",
        "a@123456789012345=1",
    ] {
        assert_eq!(state(&["ok=1", bad]), "", "{bad}");
    }
    let many = |count: usize| {
        let members: Vec<String> = (0..count).map(|nth| format!("k{nth}=1")).collect();
        state(&[&members.join(",")])
    };
    assert_eq!(many(32).split(',').count(), 32);
    assert_eq!(many(33), "");
}
