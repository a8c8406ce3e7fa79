use alloc::format;
use alloc::string::ToString as _;

use super::*;

fn named(hash: &str, query: &str) -> Request<'static> {
    let extensions = format!(r#"{{"persistedQuery":{{"version":1,"sha256Hash":"{hash}"}}}}"#);
    Request {
        extensions: Some(extensions.into()),
        ..Request::new(query.to_string())
    }
}

#[test]
fn a_document_is_found_by_the_hash_that_it_was_sent_with() {
    let (mut documents, limits) = (Documents::new(), &Limits::DEFAULT);
    let hash = document_hash("{a}");
    let mut first = named(&hash, "");
    let found = documents.resolve(&mut first, limits);
    assert_eq!(found, Err(RequestError::DocumentNotFound));
    documents.resolve(&mut named(&hash, "{a}"), limits).unwrap();
    documents.resolve(&mut first, limits).unwrap();
    assert_eq!(first.query, "{a}");
    assert_eq!(documents.kept_bytes(), 3);
    // Another document does not take its place.
    let wrong = documents.resolve(&mut named(&hash, "{b}"), limits);
    assert_eq!(wrong, Err(RequestError::WrongHash));
    let wrong = documents.resolve(&mut named("7", "{b}"), limits);
    assert_eq!(wrong, Err(RequestError::WrongHash));
}

#[test]
fn kept_documents_and_kept_bytes_stop_clients_that_fill_the_store() {
    for limits in [
        Limits::DEFAULT.with_kept_documents(2),
        Limits::DEFAULT.with_kept_bytes(6),
    ] {
        let mut documents = Documents::new();
        for query in ["{a}", "{b}", "{c}"] {
            let mut request = named(&document_hash(query), query);
            documents.resolve(&mut request, &limits).unwrap();
        }
        assert_eq!(documents.kept_bytes(), 6);
        let mut oldest = named(&document_hash("{a}"), "");
        let found = documents.resolve(&mut oldest, &limits);
        assert_eq!(found, Err(RequestError::DocumentNotFound));
        documents
            .resolve(&mut named(&document_hash("{c}"), ""), &limits)
            .unwrap();
    }
    let (mut none, limits) = (Documents::new(), Limits::DEFAULT.with_kept_documents(0));
    none.resolve(&mut named(&document_hash("{a}"), "{a}"), &limits)
        .unwrap();
    assert_eq!(none.kept_bytes(), 0);
}

#[test]
fn only_trusted_documents_run_where_it_is_said_so() {
    let limits = &Limits::DEFAULT;
    let mut documents = Documents::new().only_trusted();
    documents.trust("hello", "{a}");
    let by_id = |id: &'static str| Request {
        document_id: Some(id.into()),
        ..Request::default()
    };
    let by_hash = format!("sha256:{}", document_hash("{a}"));
    for mut request in [
        by_id("hello"),
        named(&document_hash("{a}"), ""),
        Request {
            document_id: Some(by_hash.into()),
            ..Request::default()
        },
    ] {
        documents.resolve(&mut request, limits).unwrap();
        assert_eq!(request.query, "{a}");
    }
    let refused = documents.resolve(&mut by_id("other"), limits);
    assert_eq!(refused, Err(RequestError::DocumentNotFound));
    for mut request in [Request::new("{a}"), named(&document_hash("{b}"), "{b}")] {
        assert_eq!(
            documents.resolve(&mut request, limits),
            Err(RequestError::NotTrusted)
        );
    }
}
