//! Routes, replies and refusals of an app over real sockets.
#![cfg(feature = "net")]

use std::io::Write;

use crate::app_support::{self, Running, read_until};
use barewire::app::{App, Done, Refusal, Response, Route};
use barewire::http::{Method, Status};

fn routes() -> App {
    App::new()
        .get("/hello", |_request, reply| reply.text("Hello, World!"))
        .get("/users/{id}", |request, reply| {
            reply.text(request.param("id"))
        })
        .delete("/users/{id}", |_request, reply| reply.empty())
        .get("/files/{*rest}", |request, reply| {
            reply.text(request.param("rest"))
        })
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        })
        .on(Method::Extension("PURGE"), "/cache", |_request, reply| {
            reply.text("purged")
        })
        .any("/any", |request, reply| {
            reply.text(request.method().as_str())
        })
}

#[test]
fn a_route_gets_its_parameters_decoded() {
    let running = Running::start(routes());
    let hello = running.get("/hello");
    assert_eq!(
        (hello.status, &*hello.body),
        (200, "Hello, World!"),
        "{hello:?}"
    );
    assert_eq!(hello.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(hello.header("content-length"), "13");
    assert_eq!(running.get("/users/J%C3%BCrgen%2F1").body, "Jürgen/1");
    assert_eq!(running.get("/files/a/b%20c?x=/").body, "a/b c");
    assert_eq!(running.get("http://a/users/7").body, "7");
}

#[test]
fn a_route_of_its_own_may_have_any_usual_method() {
    let app = [Route::put("/x"), Route::patch("/x"), Route::delete("/x")]
        .into_iter()
        .fold(App::new(), |app, route| {
            app.route(route.collect(10, |request, reply| reply.text(request.method().as_str())))
        });
    let running = Running::start(app);
    for method in ["PUT", "PATCH", "DELETE"] {
        let reply = running.exchange(&format!(
            "{method} /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        ));
        assert_eq!((reply.status, &*reply.body), (200, method));
    }
}

#[cfg(feature = "json")]
#[test]
fn values_are_sent_as_json() {
    use std::collections::BTreeMap;
    let app = App::new()
        .get("/value", |_request, reply| {
            reply.json(&BTreeMap::from([("a", 1)]))
        })
        .get("/text", |_request, reply| reply.json_text("[1]"))
        .get("/none", |_request, reply| {
            // A key of JSON is a string.
            reply.header("X", "y").json(&BTreeMap::from([([0], 1)]))
        });
    let running = Running::start(app);
    for (path, body) in [("/value", r#"{"a":1}"#), ("/text", "[1]")] {
        let reply = running.get(path);
        assert_eq!((reply.status, &*reply.body), (200, body));
        assert_eq!(reply.header("content-type"), "application/json");
    }
    assert_eq!(running.get("/none").status, 500);
    let response = Response::json(&[1, 2]).unwrap();
    assert_eq!(
        response.headers().get_str("content-type"),
        Some("application/json")
    );
    assert!(Response::json(&BTreeMap::from([([0], 1)])).is_err());
}

#[test]
fn what_is_not_there_is_told_in_json() {
    let running = Running::start(routes());
    for (path, status, body) in [
        ("/nothing", 404, r#"{"error":"Not Found"}"#),
        ("/hello/", 404, r#"{"error":"Not Found"}"#),
        ("/echo", 405, r#"{"error":"Method Not Allowed"}"#),
        (
            "/users/%zz",
            400,
            r#"{"error":"malformed percent-encoding"}"#,
        ),
    ] {
        let answer = running.get(path);
        assert_eq!((answer.status, &*answer.body), (status, body), "{path}");
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
    }
    let answer = running.post("/users/1", "");
    assert_eq!(
        (answer.status, &*answer.header("allow")),
        (405, "DELETE, GET, HEAD, OPTIONS")
    );
    let answer = running.exchange("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
    assert_eq!(answer.status, 501);
}

#[test]
fn head_is_get_without_the_body() {
    let running = Running::start(routes());
    let head = running.exchange("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        (head.status, &*head.body, &*head.header("content-length")),
        (200, "", "13")
    );
    let head = running.exchange("HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((head.status, &*head.body), (404, ""));
}

#[test]
fn options_lists_what_is_allowed() {
    let running = Running::start(routes());
    let ask =
        |target: &str| running.exchange(&format!("OPTIONS {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
    let answer = ask("/users/1");
    assert_eq!(
        (answer.status, &*answer.header("allow")),
        (204, "DELETE, GET, HEAD, OPTIONS")
    );
    let answer = ask("*");
    let all = "DELETE, GET, HEAD, OPTIONS, POST, PURGE";
    assert_eq!((answer.status, &*answer.header("allow")), (204, all));
    assert_eq!(ask("/any").body, "OPTIONS");
    assert_eq!(ask("/nothing").status, 404);
}

#[test]
fn methods_of_ones_own_are_routed() {
    let running = Running::start(routes());
    let answer = running.exchange("PURGE /cache HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((answer.status, &*answer.body), (200, "purged"));
}

#[test]
fn a_body_is_collected_whatever_its_framing() {
    let running = Running::start(routes());
    assert_eq!(running.post("/echo", "abc").body, "abc");
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\
                   Content-Type: text/x\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let answer = running.exchange(chunked);
    assert_eq!(
        (&*answer.body, &*answer.header("content-type")),
        ("abcde", "text/x")
    );

    // In two segments, so that the body has to be waited for.
    let mut stream = running.connect();
    stream
        .write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
        .unwrap();
    std::thread::sleep(core::time::Duration::from_millis(30));
    stream.write_all(b"def").unwrap();
    assert!(read_until(&mut stream, "abcdef").starts_with("HTTP/1.1 200"));
}

#[test]
fn an_expectation_is_met_only_for_a_body_that_is_wanted() {
    let running = Running::start(routes().collect_limit(10));
    let mut stream = running.connect();
    let ask = |path: &str, length: u32| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\
             Expect: 100-continue\r\n\r\n"
        )
    };
    stream.write_all(ask("/echo", 3).as_bytes()).unwrap();
    assert_eq!(
        read_until(&mut stream, "\r\n\r\n"),
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    stream.write_all(b"abc").unwrap();
    assert!(read_until(&mut stream, "\r\n\r\nabc").starts_with("HTTP/1.1 200"));
    assert_eq!(running.exchange(&ask("/echo", 11)).status, 413);
    assert_eq!(running.exchange(&ask("/nothing", 3)).status, 404);
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let route =
        Route::post("/small").collect(4, |request, reply| reply.body("text/plain", request.body()));
    let running = Running::start(routes().route(route).collect_limit(8));
    assert_eq!(running.post("/small", "abcd").body, "abcd");
    let answer = running.post("/small", "abcde");
    assert_eq!(
        (answer.status, &*answer.body),
        (413, r#"{"error":"Content Too Large"}"#)
    );
    assert_eq!(running.post("/echo", "12345678").status, 200);
    assert_eq!(running.post("/echo", "123456789").status, 413);
    let grows = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                 5\r\nabcde\r\n5\r\nfghij\r\n0\r\n\r\n";
    assert_eq!(running.exchange(grows).status, 413);
    // The connection goes on after a refusal that it could drain.
    let mut stream = running.connect();
    stream
        .write_all(b"POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde")
        .unwrap();
    read_until(&mut stream, "Large\"}");
    stream
        .write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    read_until(&mut stream, "Hello, World!");
}

#[test]
fn refusals_carry_their_reason_and_fields() -> Result<(), barewire::net::Error> {
    let challenge = |_: &str| {
        Refusal::new(Status::UNAUTHORIZED)
            .because("who are you?")
            .header("WWW-Authenticate", "Basic")
    };
    let app = App::new()
        .get(
            "/private",
            move |_request, reply| -> Result<Done, Refusal> {
                let reply = reply.header("X-Seen", "yes");
                let Ok(refusal) = challenge("x") else {
                    return Ok(reply.empty());
                };
                Err(refusal)
            },
        )
        .get("/number/{n}", |request, reply| -> Result<Done, Refusal> {
            let number: u32 = request
                .param("n")
                .parse()
                .map_err(|_| Status::BAD_REQUEST)?;
            Ok(reply.text(number.to_string()))
        })
        .get("/gone", |_request, reply| reply.refuse(Status::GONE));
    let running = Running::start(app);
    let answer = running.get("/private");
    assert_eq!(
        (answer.status, &*answer.body),
        (401, r#"{"error":"who are you?"}"#)
    );
    assert_eq!(
        (
            &*answer.header("www-authenticate"),
            &*answer.header("x-seen")
        ),
        ("Basic", "yes")
    );
    assert_eq!(running.get("/number/7").body, "7");
    assert_eq!(running.get("/number/x").status, 400);
    assert_eq!(running.get("/gone").status, 410);
    Ok(())
}

#[test]
fn no_reply_can_smuggle_a_field() {
    let app = App::new()
        .get("/field", |request, reply| {
            let value = request.query_value("v").unwrap_or_default();
            reply.header("X-Value", value.as_bytes()).text("x")
        })
        .get("/type", |request, reply| {
            reply.body(&request.query_value("v").unwrap(), "x")
        })
        .get("/to", |request, reply| {
            reply.redirect(&request.query_value("v").unwrap())
        })
        .get("/length", |_request, reply| {
            reply.header("Content-Length", "3").text("x")
        })
        .get("/response", |request, reply| {
            let value = request.query_value("v").unwrap_or_default();
            reply.response(Response::text("x").header("X-Value", value.as_bytes()))
        });
    let running = Running::start(app);
    for path in ["/field", "/type", "/response"] {
        let answer = running.get(&format!("{path}?v=a%0d%0aX-Evil:%201"));
        assert_eq!(answer.status, 500, "{path} {answer:?}");
        assert_eq!(answer.header("x-evil"), "");
    }
    assert_eq!(running.get("/field?v=a+b").header("x-value"), "a b");
    assert_eq!(running.get("/length").status, 500);
    let answer = running.get("/to?v=a%0d%0aX-Evil:%201");
    assert_eq!(answer.header("location"), "a%0D%0AX-Evil:%201");
    let answer = running.get("/to?v=/there");
    assert_eq!(
        (answer.status, &*answer.header("location")),
        (303, "/there")
    );
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let running = Running::start(routes());
    let mut stream = running.connect();
    let mut requests = String::new();
    for n in 0..100 {
        requests.push_str(&format!("GET /users/{n} HTTP/1.1\r\nHost: a\r\n\r\n"));
        requests.push_str("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxy");
    }
    stream.write_all(requests.as_bytes()).unwrap();
    for n in 0..100 {
        let answer = read_until(&mut stream, &format!("\r\n\r\n{n}"));
        assert!(answer.starts_with("HTTP/1.1 200"));
        read_until(&mut stream, "\r\n\r\nxy");
    }
}

#[test]
fn a_panic_is_500_and_the_server_lives_on() {
    let app = routes().get("/panic", |request, reply| {
        if request.method() == Method::GET {
            panic!("as asked");
        }
        reply.empty()
    });
    let metrics = app.metrics();
    let running = Running::start(app);
    for _ in 0..3 {
        assert_eq!(running.get("/panic").status, 500);
    }
    assert_eq!(running.get("/hello").status, 200);
    let snapshot = metrics.snapshot();
    assert_eq!(
        (snapshot.panics, snapshot.failed(), snapshot.successful()),
        (3, 3, 1)
    );
}

#[test]
fn one_port_is_served_by_many_threads_and_a_unix_socket_beside_it() {
    let path = std::env::temp_dir().join(format!("barewire-app-{}", std::process::id()));
    let app = routes()
        .listen(&format!("unix:{}", path.display()))
        .unwrap()
        .threads(3);
    let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let addresses = server.local_addresses().to_vec();
    let barewire::net::Address::Tcp(tcp) = &addresses[1] else {
        panic!()
    };
    for _ in 0..30 {
        let mut stream = std::net::TcpStream::connect(tcp).unwrap();
        stream
            .write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        read_until(&mut stream, "Hello, World!");
    }
    let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    stream.write_all(b"GET /hello HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.ends_with("Hello, World!"));
    server.handle().shutdown(app_support::PATIENCE);
    assert_eq!(server.join().unwrap(), 0);
}

#[test]
fn an_app_that_cannot_listen_everywhere_listens_nowhere() {
    use barewire::net::{Limits, Loop};
    let place = std::env::temp_dir().join(format!("barewire-nowhere-{}", std::process::id()));
    std::fs::create_dir_all(&place).unwrap();
    let (free, taken) = (place.join("free"), place.join("taken"));
    let _other = std::os::unix::net::UnixListener::bind(&taken).unwrap();
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let mut app = routes();
    for path in [&free, &taken] {
        app = app.listen(&format!("unix:{}", path.display())).unwrap();
    }
    assert!(app.join(&mut events).is_err());
    assert!(!free.exists() && taken.exists());
    // The loop is as good as before for who tries again.
    let app = routes().listen(&format!("unix:{}", free.display()));
    app.unwrap().join(&mut events).unwrap();
    assert!(free.exists());
    std::fs::remove_dir_all(&place).unwrap();
}

#[test]
fn a_port_that_another_server_has_is_not_shared_with_it() {
    let several = || App::new().threads(2);
    let server = several().listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let address = server.local_addresses()[0].to_string();
    assert!(several().listen(&address).unwrap().spawn().is_err());
    let asked = barewire::net::ListenOptions::DEFAULT.with_reuse_port(true);
    let joined = several().listen_options(asked).listen(&address).unwrap();
    let joined = joined.spawn().unwrap();
    for server in [server, joined] {
        server.handle().shutdown(app_support::PATIENCE);
        assert_eq!(server.join().unwrap(), 0);
    }
}

#[test]
fn a_faulty_app_does_not_start() {
    let answer = |reply: barewire::app::Reply<'_, '_>| reply.empty();
    for pattern in ["no-slash", "/{", "/{*rest}/x"] {
        let app = App::new().get(pattern, move |_request, reply| answer(reply));
        assert!(
            app.listen("127.0.0.1:0").unwrap().spawn().is_err(),
            "{pattern}"
        );
    }
    assert!(routes().spawn().is_err(), "no address");
    assert!(routes().listen("nowhere").is_err());
    let twice = routes().get("/hello", |_request, reply| reply.empty());
    assert!(twice.listen("127.0.0.1:0").unwrap().spawn().is_err());
}
