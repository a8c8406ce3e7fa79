//! What a rate limit takes of a request: one key, many in turns, and one that is over it.

use core::time::Duration;
use std::hint::black_box;

use barewire::app::RateLimit;
use barewire::wire::Instant;
use criterion::{Criterion, criterion_group, criterion_main};

fn rate(c: &mut Criterion) {
    let mut group = c.benchmark_group("rate limit");
    for (name, keys) in [("one key", 1u64), ("10,000 keys", 10_000)] {
        let limit = RateLimit::per_second(100);
        let (mut key, mut now) = (0, Instant::START);
        group.bench_function(name, |b| {
            b.iter(|| {
                key = (key + 1) % keys;
                now += Duration::from_millis(11);
                limit.take(black_box(key), now).is_ok()
            });
        });
    }
    let limit = RateLimit::per_hour(1);
    group.bench_function("refused", |b| {
        b.iter(|| limit.take(black_box(1u64), Instant::START).is_ok());
    });
    group.finish();
}

criterion_group!(benches, rate);
criterion_main!(benches);
