//! The cases of Connect's own conformance suite (connectrpc/conformance at 3f01b2e): those for
//! clients are responses, which run here; those for servers name the test that shows them.

use barewire::grpc::connect::{ClientCall, ContentType, Event, Shape};
use barewire::grpc::{Code, Limits};
use barewire::http::{Field, Fields, ResponseHead, Status};
use barewire::wire::Step;
use serde_json::Value;

use super::scene::envelope;

fn cases() -> Vec<Value> {
    let all = include_str!("../../data/connect-conformance.jsonl");
    all.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What a client makes of a response: code, message, types of details, metadata.
fn outcome(case: &Value) -> (Code, String, Vec<String>, Vec<(String, String)>) {
    let is_unary = case["shape"] == "unary";
    let shape = if is_unary {
        Shape::Unary
    } else {
        Shape::Streaming
    };
    let fields: Vec<Field<'_>> = case["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| Field::new(it[0].as_str().unwrap(), it[1].as_str().unwrap()))
        .collect();
    let status = Status::try_from(case["status"].as_u64().unwrap() as u16).unwrap();
    let mut call = ClientCall::new(ContentType::new(shape, "proto").unwrap());
    let failed = |code: Code| (code, String::new(), Vec::new(), Vec::new());
    if let Err(violation) = call.receive_head(&ResponseHead::new(status, Fields::new(&fields))) {
        return failed(violation.code());
    }
    let mut messages = 0;
    let outcome = if is_unary {
        let text = case["content"].as_str().unwrap_or_default();
        messages = 1;
        call.receive_whole(&pack(text, case["gzip"] == true), &Limits::DEFAULT)
    } else {
        let envelopes = case["envelopes"].as_array().into_iter().flatten();
        let mut input: Vec<u8> = envelopes
            .flat_map(|it| {
                let flag = it[0].as_u64().unwrap() as u8;
                envelope(flag, &pack(it[1].as_str().unwrap(), flag == 3))
            })
            .collect();
        let mut rest = &mut input[..];
        loop {
            let given = core::mem::take(&mut rest);
            let received = match call.receive(given, &Limits::DEFAULT) {
                Ok(received) => received,
                Err(violation) => return failed(violation.code()),
            };
            let used = received.used;
            match received.step {
                Step::Event(Event::Message(_)) => messages += 1,
                Step::Event(Event::End) => {}
                _ => break call.receive_eof(),
            }
            rest = &mut given[used..];
        }
    };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(violation) => return failed(violation.code()),
    };
    // One response is due, as a client of such a method says (gRPC status codes).
    if case["shape"] == "client" && outcome.status.code == Code::Ok && messages != 1 {
        return failed(Code::Unimplemented);
    }
    let details = outcome
        .details
        .iter()
        .map(|it| it.type_name().to_owned())
        .collect();
    let text = |bytes: &[u8]| String::from_utf8(bytes.into()).unwrap();
    let trailers = call.trailers();
    let trailers = trailers
        .iter()
        .map(|it| (text(it.name), text(it.value)))
        .collect();
    (
        outcome.status.code,
        outcome.status.message.into(),
        details,
        trailers,
    )
}

#[cfg(feature = "gzip")]
fn pack(text: &str, is_packed: bool) -> Vec<u8> {
    match is_packed {
        true => super::scene::packed(text.as_bytes()),
        false => text.into(),
    }
}

#[cfg(not(feature = "gzip"))]
fn pack(text: &str, _: bool) -> Vec<u8> {
    text.into()
}

#[test]
fn every_case_of_the_conformance_suite_for_clients() {
    let mut count = 0;
    for case in cases().iter().filter(|case| !case["test"].is_string()) {
        let name = format!("{} {}", case["suite"], case["case"]);
        if cfg!(not(feature = "gzip")) && name.contains("compressed") {
            continue;
        }
        if case["status"] == 800 {
            // No machine of HTTP lets it pass: the exchange ends.
            assert!(Status::try_from(800).is_err());
            continue;
        }
        let (code, message, details, trailers) = outcome(case);
        let expected = case["code"].as_str().unwrap_or("ok");
        let code = code.name().to_lowercase().replace("cancelled", "canceled");
        let also = case["also"].as_array().into_iter().flatten();
        assert!(
            code == expected || also.into_iter().any(|it| *it == code),
            "{name}: {code}"
        );
        if let Some(expected) = case["message"].as_str() {
            assert_eq!(message, expected, "{name}");
        }
        if let Some(expected) = case["details"].as_array() {
            assert_eq!(details.len(), expected.len(), "{name}");
            assert!(expected.iter().zip(&details).all(|(a, b)| a == b), "{name}");
        }
        for expected in case["trailers"].as_array().into_iter().flatten() {
            let expected = (expected[0].as_str().unwrap(), expected[1].as_str().unwrap());
            assert!(
                trailers.iter().any(|it| (&*it.0, &*it.1) == expected),
                "{name}: {trailers:?}"
            );
        }
        count += 1;
    }
    assert!(count >= 48, "{count}");
}

#[test]
fn every_case_of_the_conformance_suite_for_servers_has_its_test() {
    let tests = [
        include_str!("unary.rs"),
        include_str!("streams.rs"),
        include_str!("get.rs"),
    ];
    for case in cases() {
        if let Some(test) = case["test"].as_str() {
            let head = format!("fn {test}()");
            assert!(
                tests.iter().any(|it| it.contains(&head)),
                "{} {test}",
                case["case"]
            );
        }
    }
}
