use super::*;
use crate::http::{Content, Fields, Method, RequestHead, Target, Version};
use crate::link::RequestPool;

fn collecting(limit: usize) -> Exchange {
    let head = RequestHead {
        method: Method::POST,
        target: Target::parse(b"/", Method::POST).unwrap(),
        version: Version::Http11,
        protocol: None,
        fields: Fields::EMPTY,
    };
    let mut exchange = Exchange::new(1, Intake::Offered);
    exchange.collect(RequestPool::new().park(&head, limit, None));
    exchange
}

#[test]
fn a_collected_request_is_given_once() {
    let (mut exchange, mut shown) = (collecting(2), None);
    assert!(exchange.append(b"ab", Instant::START, &mut shown));
    assert_eq!(exchange.due, Instant::NEVER);
    let Some(Event::Request { content, .. }) = exchange.give(&mut shown) else {
        unreachable!("it is complete");
    };
    assert_eq!(content, Content::Whole(&mut b"ab".to_vec()));
    assert!(exchange.give(&mut shown).is_none());
}

#[test]
fn a_request_over_its_limit_is_shown_and_its_answer_due() {
    let (mut exchange, mut shown) = (collecting(2), None);
    assert!(!exchange.append(b"abc", Instant::START, &mut shown));
    assert!(shown.is_some() && exchange.intake == Intake::Discarded);
    assert!(exchange.elapsed(Instant::START));
    assert!(!exchange.elapsed(Instant::START), "it is said once");
}

#[test]
fn an_answer_leaves_the_time_of_content_that_still_comes() {
    let mut exchange = Exchange::new(1, Intake::Streamed);
    exchange.due = Instant::START;
    exchange.answered(false, true);
    assert_eq!(exchange.due, Instant::START);
    exchange.answered(true, false);
    assert_eq!((exchange.due, exchange.endless), (Instant::NEVER, true));
}
