//! Queries, mutations and batches.

use std::collections::BTreeMap;

use barewire::client::{Client, ClientOptions};
use barewire::client::{GraphQl, GraphQlError, GraphQlOperation, GraphQlOptions};
use barewire::http::Status;

use super::scripted::{answer, http, json};

type Data = BTreeMap<String, u32>;

#[test]
fn variables_go_and_data_comes_by_serde() {
    let (url, server) = http(vec![json(r#"{"data":{"a":7}}"#)]);
    let client = GraphQl::new(&url).unwrap();
    let operation = GraphQlOperation::new("query A($b: Int) { a(b: $b) }")
        .operation_name("A")
        .variables(&BTreeMap::from([("b", 1)]))
        .unwrap();
    let data: Data = client.query(operation).unwrap();
    assert_eq!(data["a"], 7);
    let seen = &server.join().unwrap()[0];
    assert_eq!(seen.line(), "POST /graphql HTTP/1.1");
    assert!(seen.has("content-type: application/json"));
    assert!(seen.has("accept: application/graphql-response+json, application/json;q=0.9"));
    let body =
        r#"{"query":"query A($b: Int) { a(b: $b) }","operationName":"A","variables":{"b":1}}"#;
    assert_eq!(seen.body, body);
}

#[test]
fn errors_of_the_network_of_http_and_of_graphql_are_kept_apart() {
    let partial = concat!(
        r#"{"data":{"a":7},"errors":[{"message":"no b","locations":[{"line":1,"column":3}],"#,
        r#""path":["b",0],"extensions":{"code":"B"}}]}"#
    );
    let (url, server) = http(vec![
        answer("502 Bad Gateway", "text/html", "<p>away</p>"),
        answer(
            "400 Bad Request",
            "application/json",
            r#"{"error":"other"}"#,
        ),
        answer(
            "400 Bad Request",
            "application/json",
            r#"{"errors":[{"message":"syntax"}]}"#,
        ),
        json(partial),
        json(r#"{"data":{"a":"text"}}"#),
    ]);
    let client = GraphQl::new(&url).unwrap();
    let ask = || client.mutation::<Data>("mutation { a }").unwrap_err();
    let GraphQlError::Http {
        status,
        content_type,
        body,
    } = ask()
    else {
        panic!()
    };
    assert_eq!(
        (status, &*content_type, &*body),
        (Status::BAD_GATEWAY, "text/html", "<p>away</p>")
    );
    assert!(matches!(
        ask(),
        GraphQlError::Http {
            status: Status::BAD_REQUEST,
            ..
        }
    ));
    let error = ask();
    let response = error.response().unwrap();
    assert_eq!(
        (response.json(), &*response.errors()[0].message),
        (None, "syntax")
    );

    let GraphQlError::Response(response) = ask() else {
        panic!()
    };
    assert_eq!(
        response.data::<Data>().unwrap()["a"],
        7,
        "partial data is kept"
    );
    let [error] = response.errors() else { panic!() };
    assert_eq!(
        (error.locations.as_slice(), error.path.as_deref()),
        (&[(1, 3)][..], Some(r#"["b",0]"#))
    );
    assert_eq!(error.code().as_deref(), Some("B"));
    assert_eq!(response.to_string(), r#"no b at ["b",0]"#);

    assert!(matches!(ask(), GraphQlError::Json(_)));
    server.join().unwrap();
    assert!(
        matches!(ask(), GraphQlError::Network(_)),
        "the server is gone"
    );
    assert!(matches!(
        GraphQl::new("nonsense").unwrap_err(),
        GraphQlError::Url(_)
    ));
}

#[test]
fn a_document_is_sent_only_where_the_server_does_not_know_it() {
    let unknown = r#"{"errors":[{"message":"PersistedQueryNotFound"}]}"#;
    let (url, server) = http(vec![
        answer("200 OK", "application/json", unknown),
        json(r#"{"data":{"a":1}}"#),
        json(r#"{"data":{"a":2}}"#),
        json(r#"{"data":{"a":3}}"#),
    ]);
    let http = Client::with(ClientOptions::new().header("X-App", "7")).unwrap();
    let options = GraphQlOptions::new().persisted_queries().get_queries();
    let client = GraphQl::with(&http, &url, options).unwrap();
    assert_eq!(client.query::<Data>("{ a }").unwrap()["a"], 1);
    assert_eq!(client.query::<Data>("{ a }").unwrap()["a"], 2);
    let own = GraphQlOperation::trusted("b");
    assert_eq!(client.mutation::<Data>(own).unwrap()["a"], 3);
    let seen = server.join().unwrap();
    let hash = barewire::graphql::document_hash("{ a }");
    for at in [0, 2] {
        assert!(
            seen[at].line().starts_with("GET /graphql?extensions="),
            "{:?}",
            seen[at]
        );
        assert!(seen[at].line().contains(&hash) && !seen[at].line().contains("query="));
        assert!(seen[at].has("x-app: 7") && seen[at].has("apollo-require-preflight: true"));
    }
    assert!(seen[1].body.contains(&hash) && seen[1].body.contains(r#""query":"{ a }""#));
    assert_eq!(seen[3].body, r#"{"documentId":"b"}"#);
}

#[test]
fn a_batch_is_one_request() {
    let refusal = r#"{"errors":[{"message":"no batches"}]}"#;
    let (url, server) = http(vec![
        json(r#"[{"data":{"a":1}},{"errors":[{"message":"b"}]}]"#),
        json(r#"[{"data":{"a":1}}]"#),
        answer("400 Bad Request", "application/json", refusal),
    ]);
    let client = GraphQl::new(&url).unwrap();
    let two = ["{ a }".into(), "{ b }".into()];
    let responses = client.batch(&two).unwrap();
    assert_eq!(responses[0].data::<Data>().unwrap()["a"], 1);
    assert_eq!(responses[1].errors()[0].message, "b");
    assert!(
        matches!(client.batch(&two), Err(GraphQlError::Http { .. })),
        "one is missing"
    );
    assert!(matches!(client.batch(&two), Err(GraphQlError::Response(_))));
    let seen = server.join().unwrap();
    assert_eq!(seen[0].body, r#"[{"query":"{ a }"},{"query":"{ b }"}]"#);
}
