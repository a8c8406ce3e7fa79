//! What it costs to be attacked: 20,000 hostile frames of HTTP/2 on one
//! connection, fed 16 KiB at a time until the machine ends it. A figure is a
//! whole attack. That each ends as it should is held by `tests/http2_attacks.rs`,
//! whose names these are.

use std::time::Duration;

use barewire::hpack::{Encoder, Growing, Indexing};
use barewire::http::Field;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

#[path = "../tests/http2_support/mod.rs"]
mod http2_support;

use http2_support::*;

const FRAMES: u32 = 20_000;

/// Octets that come with one read.
const READ: usize = 16 << 10;

/// A hostile peer: what opens the connection, and what comes behind it.
struct Attack {
    name: &'static str,
    opening: Vec<u8>,
    reads: Vec<Vec<u8>>,
}

impl Attack {
    fn new(name: &'static str, opening: Vec<u8>, frame: impl FnMut(u32) -> Vec<u8>) -> Self {
        Self::of(FRAMES, name, opening, frame)
    }

    fn of(
        frames: u32,
        name: &'static str,
        opening: Vec<u8>,
        frame: impl FnMut(u32) -> Vec<u8>,
    ) -> Self {
        let all: Vec<u8> = (0..frames).flat_map(frame).collect();
        Self {
            name,
            opening,
            reads: all.chunks(READ).map(<[u8]>::to_vec).collect(),
        }
    }

    fn ready(&self) -> Side {
        let mut side = Side::server();
        side.feed(&self.opening);
        side
    }

    /// Feeds all, or until the connection ends; whether it did.
    fn run(&self, side: &mut Side) -> bool {
        self.reads.iter().any(|read| {
            side.out.clear();
            let events = side.feed(read);
            matches!(events.last(), Some(Seen::Failed(_)))
        })
    }
}

const fn odd(n: u32) -> u32 {
    n * 2 + 1
}

/// A request, and a frame on its stream that is a fault or takes it back.
fn and(stream: u32, frame: &[u8]) -> Vec<u8> {
    [&get(stream), frame].concat()
}

/// A block of references to one large entry, which the first one makes.
fn bomb(stream: u32) -> Vec<u8> {
    let mut octets = block(&GET);
    if stream == 1 {
        let mut encoder = Encoder::new(Growing::default(), 4096);
        let value = "v".repeat(4000);
        encoder.encode(Field::new("x", &value), Indexing::Incremental, &mut octets);
    }
    octets.extend([0xbe; 12_000]);
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &octets)
}

/// Those that make us answer, count, or give up.
fn that_end() -> Vec<Attack> {
    let reset = |stream| number(RST_STREAM, stream, 8);
    vec![
        Attack::new("rapid_reset", vec![], |n| and(odd(n), &reset(odd(n)))),
        Attack::new("made_you_reset_wup0", vec![], |n| {
            and(odd(n), &number(WINDOW_UPDATE, odd(n), 0))
        }),
        Attack::new("made_you_reset_data_after_end", vec![], |n| {
            and(odd(n), &frame(DATA, 0, odd(n), b"x"))
        }),
        Attack::new("continuation_flood_100b", vec![], |n| match n {
            0 => frame(HEADERS, 0, 1, &block(&GET)),
            _ => frame(
                CONTINUATION,
                0,
                1,
                &block(&[("x-more", &format!("{n:080}"))]),
            ),
        }),
        Attack::new("ping_flood", post(1), |_| frame(PING, 0, 0, b"12345678")),
        Attack::new("settings_flood", vec![], |n| {
            let one = [&[0, 4][..], &(n + 1).to_be_bytes()].concat();
            frame(SETTINGS, 0, 0, &one)
        }),
        Attack::new("empty_data_flood", post(1), |_| frame(DATA, 0, 1, b"")),
        Attack::new("rst_flood_idle_or_closed", and(1, &reset(1)), |_| reset(1)),
        Attack::new("streams_over_limit", vec![], |n| post(odd(n))),
    ]
}

/// Those that cost the peer more than us, so that nothing ends them.
fn that_pass() -> Vec<Attack> {
    vec![
        Attack::of(10, "hpack_bomb_10_streams", vec![], |n| bomb(odd(n))),
        Attack::new("tiny_data_flood", post(1), |_| frame(DATA, 0, 1, b"x")),
        Attack::new("priority_churn", vec![], |n| {
            let depends = [0, 0, (n >> 8) as u8, n as u8 & 0xfe, 16];
            frame(PRIORITY, 0, odd(n % 1000), &depends)
        }),
        Attack::new("window_update_flood", post(1), |n| {
            number(WINDOW_UPDATE, n % 2, 1)
        }),
        Attack::new("unknown_frame_flood", vec![], |n| {
            frame(100 + (n % 50) as u8, 0xff, n, b"whatever")
        }),
    ]
}

fn attacks(c: &mut Criterion) {
    let mut group = c.benchmark_group("HTTP/2, 20,000 hostile frames");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    for (attack, ends) in that_end()
        .into_iter()
        .map(|attack| (attack, true))
        .chain(that_pass().into_iter().map(|attack| (attack, false)))
    {
        assert_eq!(attack.run(&mut attack.ready()), ends, "{}", attack.name);
        group.bench_function(attack.name, |b| {
            b.iter_batched(
                || attack.ready(),
                |mut side| attack.run(&mut side),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, attacks);
criterion_main!(benches);
