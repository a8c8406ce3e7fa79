use super::*;
use crate::net::Limits;
use alloc::string::ToString as _;
use alloc::vec;
use core::time::Duration;

const TIMES: DialTimes = DialTimes::of(&Limits::DEFAULT);

fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn named() -> Dial {
    let name = "example.com:80".parse().unwrap();
    Dial::new(&name, Instant::START, &TIMES)
}

fn at(millis: u64) -> Instant {
    Instant::START + Duration::from_millis(millis)
}

#[test]
fn all_addresses_are_tried_and_the_families_take_turns() {
    let mut dial = named();
    assert_eq!(dial.next(at(0)), Next::Wait(Instant::NEVER));
    assert_eq!(
        (dial.due(), dial.end()),
        (None, Instant::START + TIMES.resolve)
    );
    let found = ["[2001:db8::1]:80", "[2001:db8::2]:80", "192.0.2.1:80"];
    dial.resolved(Ok(addresses(&found)), &TIMES, Instant::START);
    let expected = ["[2001:db8::1]:80", "192.0.2.1:80", "[2001:db8::2]:80"];
    for (nth, expected) in expected.into_iter().enumerate() {
        assert_eq!(dial.next(at(250 * nth as u64)), Next::Begin(nth));
        assert_eq!(dial.address(nth).unwrap().to_string(), expected);
        assert_eq!(dial.has_raced(), nth > 0);
    }
    for _ in expected {
        assert_eq!(dial.next(at(750)), Next::Wait(Instant::NEVER));
        dial.failed(ErrorKind::ConnectionRefused.into());
    }
    assert_eq!(dial.next(at(750)), Next::Over);
    assert_eq!(dial.reason(), Unreachable::Refused);
}

#[test]
fn a_name_without_addresses_is_not_resolved() {
    for found in [Ok(vec![]), Err(io::Error::other("no such name"))] {
        let mut dial = named();
        dial.resolved(found, &TIMES, Instant::START);
        assert_eq!(dial.next(at(0)), Next::Over);
        assert_eq!(dial.reason(), Unreachable::NotResolved);
    }
    let mut late = named();
    late.timed_out();
    assert_eq!(late.reason(), Unreachable::NameTimedOut);
}
