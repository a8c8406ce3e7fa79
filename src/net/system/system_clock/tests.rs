use super::*;
use std::time::Instant as StdInstant;

#[test]
fn it_goes_as_the_clock_of_std_goes() {
    let outer = StdInstant::now();
    let clock = SystemClock::start();
    let inner = StdInstant::now();
    let least = inner.elapsed();
    let now = clock.now();
    assert!(now >= Instant::START + least);
    assert!(now <= Instant::START + outer.elapsed());
}
