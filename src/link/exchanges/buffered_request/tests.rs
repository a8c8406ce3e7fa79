use super::*;
use crate::http::{Field, Fields};

#[test]
fn a_parked_request_comes_back_as_it_was() {
    for (method, target) in [
        ("GET", "/a?b=c"),
        ("POST", "http://h:1/x"),
        ("OPTIONS", "*"),
        ("CONNECT", "h:443"),
        ("FOO", "/"),
    ] {
        let method = Method::new(method.as_bytes()).unwrap();
        let list = [Field::new("Host", "h"), Field::new("X", "")];
        let head = RequestHead {
            method,
            target: Target::parse(target.as_bytes(), method).unwrap(),
            version: Version::Http10,
            protocol: Some("websocket"),
            fields: Fields::new(&list),
        };
        let mut request_pool = RequestPool::new();
        let mut buffered_request = request_pool.park(&head, 3, None);
        assert!(buffered_request.append(b"ab"));
        assert!(!buffered_request.append(b"cd"), "over the limit");
        assert!(buffered_request.append(b"c"));
        let (again, content) = buffered_request.request();
        assert_eq!((again.method, again.target), (head.method, head.target));
        assert_eq!(
            (again.version, again.protocol),
            (head.version, head.protocol)
        );
        assert!(again.fields.iter().eq(head.fields.iter()));
        assert_eq!(content, Content::Whole(&mut b"abc".to_vec()));
    }
}
