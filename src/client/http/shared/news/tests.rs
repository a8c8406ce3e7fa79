use super::*;
use crate::http::Field;
use alloc::string::String;

fn told(news: &mut News) -> Vec<String> {
    let mut told = Vec::new();
    news.tell(|event| told.push(alloc::format!("{event:?}")));
    told
}

#[test]
fn it_tells_what_it_was_told_in_order_and_once() {
    let fields = [Field::new("a", "b")];
    let head = ResponseHead::new(Status::OK, Fields::new(&fields));
    let mut news = News::default();
    news.keep(Event::Informational(head), 1);
    news.keep(
        Event::Response {
            head,
            content: Content::Follows { length: Some(4) },
        },
        1,
    );
    news.keep(Event::Body(&mut b"ab".to_vec()), 1);
    news.keep(Event::Body(&mut b"cd".to_vec()), 1);
    news.keep(Event::Writable, 1);
    news.keep(Event::Body(&mut b"e".to_vec()), 1);
    let trailers = Fields::new(&fields);
    news.keep(
        Event::End {
            trailers,
            dropped: 1,
        },
        1,
    );
    let body = |bytes: &mut [u8]| alloc::format!("{:?}", Event::Body(bytes));
    let content = Content::Follows { length: Some(4) };
    assert_eq!(
        told(&mut news),
        [
            alloc::format!("{:?}", Event::Informational(head)),
            alloc::format!("{:?}", Event::Response { head, content }),
            body(&mut b"abcd".to_vec()),
            "Writable".into(),
            body(&mut b"e".to_vec()),
            alloc::format!(
                "{:?}",
                Event::End {
                    trailers,
                    dropped: 1
                }
            ),
        ]
    );
    assert!(news.is_empty() && told(&mut news).is_empty());
}

#[test]
fn interim_responses_are_kept_up_to_one_more_than_the_limit() {
    let head = ResponseHead::new(Status::EARLY_HINTS, Fields::EMPTY);
    let mut news = News::default();
    for _ in 0..10 {
        news.keep(Event::Informational(head), 3);
    }
    assert_eq!(told(&mut news).len(), 4);
    news.keep(Event::Informational(head), 3);
    assert!(news.is_empty());
}
