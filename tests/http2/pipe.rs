//! A client and a server machine that talk through a pipe which cuts, holds
//! back and shrinks as it likes.
#![cfg(feature = "alloc")]

use crate::http2_support;
use std::collections::BTreeMap;

use crate::http2_support::pipe::{Talk, Whim, talk};
use barewire::http::{Fields, ResponseHead, Status};
use barewire::http2::{BodyLength, Limits};
use barewire::wire::Instant;
use proptest::prelude::*;

const NOW: Instant = Instant::START;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn every_body_comes_back_whole(
        seed: u64, requests in 1..40usize, window in 1..100_000u32, size in 1..60_000u64, room in 400..100_000usize,
        resets in prop_oneof![Just(0), 3..200u64],
    ) {
        let size = size.min(u64::from(window) * 40);
        let how = Talk { requests, window, size, room, resets };
        talk(how, &mut Whim::new(&[], seed));
    }
}

#[test]
fn a_large_stream_does_not_starve_a_small_one() {
    let limits = Limits::DEFAULT;
    let mut side = http2_support::Side::server_with(limits);
    let wide = [&[0, 4][..], &0x100_0000u32.to_be_bytes()].concat();
    side.feed(&http2_support::frame(http2_support::SETTINGS, 0, 0, &wide));
    side.feed(&http2_support::number(
        http2_support::WINDOW_UPDATE,
        0,
        0x100_0000,
    ));
    let large = vec![1; 4 << 20];
    let head = ResponseHead::new(Status::OK, Fields::EMPTY);
    let mut at = BTreeMap::new();
    for stream in [1, 3, 5] {
        side.feed(&http2_support::get(stream));
        let length = Some(BodyLength::Unknown);
        side.machine
            .send_response(stream, &head, length, None, &mut side.out)
            .unwrap();
        let n = side
            .machine
            .send_data(stream, &large, true, NOW, &mut side.out)
            .unwrap();
        at.insert(stream, n);
    }
    let mut turns = Vec::new();
    for _ in 0..300 {
        let stream = side.machine.ready().unwrap();
        let sent = at[&stream];
        let n = side
            .machine
            .send_data(stream, &large[sent..], true, NOW, &mut side.out)
            .unwrap();
        assert!(n <= 16 << 10, "{n}");
        *at.get_mut(&stream).unwrap() += n;
        turns.push(stream);
    }
    for turn in turns.windows(3) {
        assert!(turn[0] != turn[1] && turn[0] != turn[2] && turn[1] != turn[2]);
    }
}
