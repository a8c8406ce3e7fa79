//! The types of the http crate, and what else a Rust user tries on ours.

use barewire::app::{App, Bytes, Message, Refusal, Response};
use barewire::client::{Client, Message as Received};
use barewire::http::{
    Field, FieldBuffer, Fields, Method, RequestHead, ResponseHead, Status, Target, Version,
};
use barewire::net::Address;
use barewire::websocket::CloseCode;
use http::{HeaderMap, StatusCode, Uri};

use crate::app_support::Running;

#[test]
fn methods_statuses_and_versions_go_both_ways() {
    for text in [
        "GET",
        "PATCH",
        "CONNECT",
        "PURGE",
        "a-rather-long-extension-method",
    ] {
        let ours = Method::try_from(text).unwrap();
        let theirs = http::Method::try_from(ours).unwrap();
        assert_eq!(theirs.as_str(), text);
        assert_eq!(Method::from(&theirs), ours);
    }
    for code in 100..600 {
        let ours = Status::new(code).unwrap();
        let theirs = StatusCode::from(ours);
        assert_eq!(
            (theirs.as_u16(), Status::try_from(theirs)),
            (code, Ok(ours))
        );
    }
    assert!(Status::try_from(StatusCode::from_u16(600).unwrap()).is_err());
    for version in [Version::Http10, Version::Http11, Version::Http2] {
        let theirs = http::Version::from(version);
        assert_eq!(Version::try_from(theirs), Ok(version));
        assert_eq!(format!("{theirs:?}"), version.to_string());
    }
    assert!(Version::try_from(http::Version::HTTP_3).is_err());
}

#[test]
fn fields_keep_their_values_and_order() {
    let list = [
        Field::new("Set-Cookie", "a=1"),
        Field::new("X-Id", "7"),
        Field::new("set-cookie", "b=2"),
    ];
    let map = HeaderMap::try_from(Fields::new(&list)).unwrap();
    let cookies: Vec<_> = map.get_all("set-cookie").iter().collect();
    assert_eq!(
        (map.len(), cookies.len(), cookies[1] == "b=2"),
        (3, 2, true)
    );
    let back = FieldBuffer::try_from(&map).unwrap();
    let values: Vec<_> = back.as_fields().get_all("Set-Cookie").collect();
    assert_eq!(values, [b"a=1", b"b=2"]);
    let bad = [Field::new("X", "a\r\nb")];
    assert!(HeaderMap::try_from(Fields::new(&bad)).is_err());
    let bad = [Field::new("no token", "a")];
    assert!(HeaderMap::try_from(Fields::new(&bad)).is_err());
}

#[test]
fn targets_of_all_forms_are_uris() {
    for (text, method) in [
        ("/a/b?c=d", Method::GET),
        ("/", Method::GET),
        ("http://example.org:8080/a?b", Method::GET),
        ("example.org:443", Method::CONNECT),
        ("*", Method::OPTIONS),
    ] {
        let target = Target::parse(text.as_bytes(), method).unwrap();
        assert_eq!(target.to_string(), text);
        let uri = Uri::try_from(target).unwrap();
        assert_eq!(Target::try_from(&uri), Ok(target), "{text}");
    }
    for text in ["http://user@example.org/", "//user:secret@host:1x/"] {
        let uri: Result<Uri, _> = text.parse();
        if let Ok(uri) = uri {
            let target = Target::try_from(&uri);
            assert!(target.is_err() || uri.authority().is_none(), "{text}");
        }
    }
    let bare: Uri = "http://example.org".parse().unwrap();
    assert_eq!(Target::try_from(&bare).unwrap().path(), "/");
}

#[test]
fn heads_become_parts() {
    let fields = [Field::new("Host", "a")];
    let head = RequestHead {
        method: Method::GET,
        target: Target::parse(b"/x?y", Method::GET).unwrap(),
        version: Version::Http2,
        protocol: None,
        fields: Fields::new(&fields),
    };
    let parts = http::request::Parts::try_from(&head).unwrap();
    assert_eq!(
        (parts.uri.path(), parts.version),
        ("/x", http::Version::HTTP_2)
    );
    assert_eq!(parts.headers["host"], "a");
    let head = ResponseHead::new(Status::CREATED, Fields::new(&fields));
    let parts = http::response::Parts::try_from(&head).unwrap();
    assert_eq!(
        (parts.status, parts.headers.len()),
        (StatusCode::CREATED, 1)
    );
}

/// Code that knows the types of the crate alone.
fn echo(request: http::Request<Bytes>) -> http::Response<Bytes> {
    let method = request.method().as_str().to_owned();
    let response = http::Response::builder()
        .status(StatusCode::ACCEPTED)
        .header("x-method", method)
        .header("x-path", request.uri().path());
    response.body(request.into_body()).unwrap()
}

#[test]
fn servers_and_clients_take_and_give_them() {
    let app = App::new()
        .post("/echo", |request, reply| {
            let request = request.try_into().map_err(|_| Status::BAD_REQUEST)?;
            Ok::<_, Refusal>(reply.response(echo(request)))
        })
        .get("/blocking", |_request, reply| {
            reply.blocking(|| http::Response::new("from a thread"))
        })
        .get("/undefined", |_request, reply| {
            reply.response(http::Response::builder().status(999).body("?").unwrap())
        });
    let running = Running::start(app);
    let address = running.server().local_addresses()[0].clone();
    let at = |path: &str| format!("http://{address}{path}");
    let client = Client::new();
    let request = http::Request::post(at("/echo"))
        .header("x-a", "b")
        .body("hello")
        .unwrap();
    let response = client.http_request(request).send().unwrap();
    let response = http::Response::try_from(response).unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(response.headers()["x-method"], "POST");
    assert_eq!(response.headers()["x-path"], "/echo");
    assert_eq!(
        std::io::read_to_string(response.into_body()).unwrap(),
        "hello"
    );
    let uri: Uri = at("/blocking").parse().unwrap();
    assert_eq!(
        client.get(&uri).send().unwrap().text().unwrap(),
        "from a thread"
    );
    assert_eq!(client.get(at("/undefined")).send().unwrap().status(), 500);
}

#[test]
fn what_a_newcomer_tries_works() {
    assert!(Status::NOT_FOUND == 404 && u16::from(Status::OK) == 200);
    assert!(Method::GET == "GET" && Method::PATCH.as_ref() == "PATCH");
    assert!(CloseCode::from(4001) == 4001 && u16::from(CloseCode::NORMAL) == 1000);
    let address = Address::from(([127, 0, 0, 1], 80));
    assert_eq!(address.to_string(), "127.0.0.1:80");
    let fields = FieldBuffer::try_from([("A", "1"), ("B", "2")]).unwrap();
    let names: Vec<_> = fields.as_fields().into_iter().map(|it| it.name).collect();
    assert_eq!(names, [b"A", b"B"]);
    for field in &fields {
        assert_eq!(field.name.len(), 1);
    }
    let bytes = Bytes::from_static(b"ab");
    assert_eq!(Message::from(&bytes), Message::from(b"ab"));
    assert_eq!(Received::from(bytes), Received::from(b"ab"));
    let made = Response::from((Status::CREATED, "made"));
    assert_eq!(
        made.headers().get_str("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let refusal = Refusal::from((Status::FORBIDDEN, "not yours"));
    assert_eq!(
        (refusal.status(), refusal.reason()),
        (Status::FORBIDDEN, "not yours")
    );
}
