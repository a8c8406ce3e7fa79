use super::*;
use crate::http::OwnedScratch;
use crate::http2::PREFACE;
use crate::wire::Step;
use alloc::vec::Vec;
use std::vec;

/// Feeds all of `input`, or calls once if there is none; whether the last call
/// gave no event.
fn feed(machine: &mut Connection, mut input: Vec<u8>, out: &mut Vec<u8>) -> bool {
    let (mut at, len, mut scratch) = (0, input.len(), OwnedScratch::new(100));
    loop {
        let lent = CallContext {
            now: Instant::START,
            date: None,
            mask_key: [0; 4],
            limits: &Limits::DEFAULT,
            scratch: scratch.lend(),
        };
        let received = machine.receive(&mut input[at..], lent, out).unwrap();
        at += received.used;
        match received.step {
            Step::Event(_) if at < len => {}
            step => return !matches!(step, Step::Event(_)),
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let head = [0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
    [&head, payload].concat()
}

#[test]
fn catching_up_does_what_a_call_without_input_does() {
    let get = b"\x82\x86\x84\x41\x01a";
    let begin = [PREFACE.to_vec(), frame(4, 0, 0, &[])].concat();
    let cases = [
        begin.clone(),
        [begin.clone(), frame(1, 5, 1, get)].concat(),
        // Content that is not wanted is given back to the window.
        [
            begin.clone(),
            frame(1, 4, 1, get),
            vec![0, 64, 0, 0, 0, 0, 0, 0, 1],
            vec![0; 16384],
        ]
        .concat(),
        // A frame, and a block, that are not all here.
        [begin.clone(), frame(1, 4, 1, get)[..8].to_vec()].concat(),
        [begin, frame(1, 0, 1, get)].concat(),
    ];
    let mut caught_up = 0;
    for input in cases {
        let machines = [(); 2].map(|()| Connection::new(Role::Server, Instant::START));
        let [mut one, mut other] = machines;
        let (mut of_one, mut of_other) = (Vec::new(), Vec::new());
        feed(&mut one, input.clone(), &mut of_one);
        feed(&mut other, input, &mut of_other);
        for machine in [&mut one, &mut other] {
            for stream in [1, 3] {
                machine.remove(stream, true, Instant::START);
            }
        }
        if one.catch_up(&mut of_one) {
            caught_up += 1;
            assert!(feed(&mut other, Vec::new(), &mut of_other));
        }
        assert_eq!(of_one, of_other);
        assert_eq!(one.flow.is_due(), other.flow.is_due());
        assert_eq!(one.flow.shut(), other.flow.shut());
        // It continues as if nothing had happened.
        let ping = frame(6, 0, 0, &[7; 8]);
        if matches!(one.reading, Reading::Head) && one.clock.is_between_frames() {
            feed(&mut one, ping.clone(), &mut of_one);
            feed(&mut other, ping, &mut of_other);
            assert_eq!(of_one, of_other);
        }
    }
    assert_eq!(caught_up, 3);
    let mut failed = Connection::new(Role::Server, Instant::START);
    failed.phase = Phase::Failed(ProtocolError::Preface);
    assert!(!failed.catch_up(&mut Vec::new()));
}
