use super::*;

const METHODS: [Method<'static>; 10] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::CONNECT,
    Method::OPTIONS,
    Method::TRACE,
    Method::PATCH,
    Method::Extension("X"),
];

/// The three answers, from the sentences of the standard one by one.
#[test]
fn every_pair_of_method_and_status_is_as_the_standard_has_it() {
    for method in METHODS {
        for code in 100..=599 {
            let status = Status::new(code).unwrap();
            let content = ResponseContent::of(method, status);
            let (head, connect) = (method == Method::HEAD, method == Method::CONNECT);
            let tunnel = connect && status.is_successful();
            let bare = code < 200 || [204, 205, 304].contains(&code);
            let pair = (method, code);
            assert_eq!(content.may_follow, !head && !bare && !tunnel, "{pair:?}");
            // RFC 9110 §8.6, §15.3.6.
            let length = match code {
                _ if tunnel || code < 200 || code == 204 => SentLength::Never,
                205 => SentLength::Zero,
                _ if head || code == 304 => SentLength::OfRepresentation,
                _ => SentLength::OfContent,
            };
            assert_eq!(content.length, length, "{pair:?}");
            // RFC 9112 §6.3, rules 1 and 2.
            let framing = match code {
                _ if tunnel => ContentFraming::Tunnel,
                _ if head || code < 200 || code == 204 || code == 304 => ContentFraming::Nothing,
                _ => ContentFraming::ByFields,
            };
            assert_eq!(content.framing, framing, "{pair:?}");
        }
    }
}

#[test]
fn no_content_is_no_length_of_what_was_not_modified() {
    let length = |method, code, known| {
        let status = Status::new(code).unwrap();
        ResponseContent::of(method, status).length_for(status, known)
    };
    assert_eq!(length(Method::GET, 304, Some(0)), None);
    assert_eq!(length(Method::HEAD, 304, Some(0)), None);
    assert_eq!(length(Method::GET, 304, Some(7)), Some(7));
    assert_eq!(length(Method::HEAD, 200, Some(0)), Some(0));
    assert_eq!(length(Method::HEAD, 200, None), None);
    assert_eq!(length(Method::POST, 205, None), Some(0));
    assert_eq!(length(Method::CONNECT, 200, Some(0)), None);
}
