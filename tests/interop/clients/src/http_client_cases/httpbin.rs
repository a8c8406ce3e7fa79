//! httpbin: methods, statuses, redirects, authorization, codings, and slow answers.
//!
//! URLs: by TCP, and the path of a Unix socket.

use std::io::{self, Read};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use barewire::client::{
    Body, Canceller, ClientLimits, ClientOptions, CookieJar, ErrorKind, Multipart, Part,
    RedirectError, RedirectPolicy, Response, RetryPolicy,
};
use serde_json::{Value, json};

use super::{Outcome, Servers, Suite, equal, holds};

pub(crate) const CASES: Suite = &[
    ("each method comes with its body", methods),
    ("HEAD has a head alone", head),
    ("statuses", statuses),
    ("relative redirects", relative_redirects),
    ("absolute redirects", absolute_redirects),
    (
        "a redirect changes the method as its status says",
        redirected_methods,
    ),
    ("no more redirects than allowed", too_many_redirects),
    ("basic authorization", basic),
    ("bearer authorization", bearer),
    ("authorization stays with its origin", other_origin),
    ("br, gzip and deflate are decoded", decoded),
    ("a coding that is not known is left", unknown_coding),
    ("what is not to be decoded is left", not_decoded),
    ("delay below and above a deadline", delay),
    ("a body that drips", drip),
    ("a body that drips too slowly", silence),
    ("chunks as lines", stream),
    ("ranges", range),
    ("conditional requests", conditional),
    ("queries and forms", forms),
    ("forms of several parts", multipart),
    ("cookies", cookies),
    ("JSON both ways", json_both_ways),
    ("text beyond ASCII", utf8),
    ("a body without a length goes in chunks", reader),
    ("a large body there and back", large),
    ("response fields of one name", repeated_fields),
    ("default and own fields", fields),
    ("a status that asks for another attempt", retried),
    ("another thread cancels", cancelled),
    ("over a Unix socket", unix_socket),
];

type Anything = Result<Value, Box<dyn std::error::Error>>;

fn get(servers: &Servers, path: &str) -> Anything {
    let response = servers.client().get(servers.url(path)).send()?;
    Ok(response.error_for_status()?.json()?)
}

fn methods(servers: &Servers) -> Outcome {
    let client = servers.client();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"] {
        let url = servers.url("/anything/a%20b?c=d");
        let mut request = client.request(method, url);
        if method != "TRACE" {
            request = request.body("hello").header("Content-Type", "text/plain");
        }
        let value: Value = request.send()?.error_for_status()?.json()?;
        equal!(value["method"], method);
        equal!(value["args"], json!({"c": "d"}));
        equal!(value["data"], if method == "TRACE" { "" } else { "hello" });
    }
    for (method, path) in [
        ("POST", "/post"),
        ("PUT", "/put"),
        ("PATCH", "/patch"),
        ("DELETE", "/delete"),
    ] {
        let response = client.request(method, servers.url(path)).send()?;
        equal!(response.status().code(), 200);
    }
    equal!(
        client.get(servers.url("/post")).send()?.status().code(),
        405
    );
    Ok(())
}

fn head(servers: &Servers) -> Outcome {
    let client = servers.client();
    for _ in 0..3 {
        let response = client.head(servers.url("/bytes/1000")).send()?;
        equal!(response.content_length(), Some(1000));
        equal!(response.bytes()?.len(), 0);
    }
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn statuses(servers: &Servers) -> Outcome {
    let client = servers.client();
    let get = |code| client.get(servers.url(&format!("/status/{code}"))).send();
    for code in [
        200, 201, 202, 204, 205, 206, 304, 400, 404, 409, 429, 500, 503, 504,
    ] {
        let response = get(code)?;
        equal!(response.status().code(), code);
        let failed = response.error_for_status().err();
        equal!(
            failed.and_then(|it| it.status()).map(|it| it.code()),
            (code >= 400).then_some(code)
        );
    }
    equal!(client.metrics().connections_opened(), 1);
    let response = get(418)?;
    equal!(response.status().code(), 418);
    holds!(response.text()?.contains("teapot"), "no teapot");
    Ok(())
}

fn relative_redirects(servers: &Servers) -> Outcome {
    let response = servers
        .client()
        .get(servers.url("/relative-redirect/5"))
        .send()?;
    equal!(response.status().code(), 200);
    equal!(response.url().to_string(), servers.url("/get"));
    Ok(())
}

fn absolute_redirects(servers: &Servers) -> Outcome {
    let response = servers
        .client()
        .get(servers.url("/absolute-redirect/5"))
        .send()?;
    equal!(response.status().code(), 200);
    equal!(response.url().to_string(), servers.url("/get"));
    Ok(())
}

fn redirected_methods(servers: &Servers) -> Outcome {
    let client = servers.client();
    for (code, method, data) in [
        ("301", "GET", ""),
        ("302", "GET", ""),
        ("303", "GET", ""),
        ("307", "POST", "hello"),
        ("308", "POST", "hello"),
    ] {
        let request = client.post(servers.url("/redirect-to"));
        let request = request
            .query("url", "/anything?x=1")
            .query("status_code", code);
        let value: Value = request.body("hello").send()?.json()?;
        equal!(value["method"], method);
        equal!(value["data"], data);
        equal!(value["args"], json!({"x": "1"}));
        let request = client.put(servers.url("/redirect-to"));
        let request = request.query("url", "/anything").query("status_code", code);
        let value: Value = request.body("hello").send()?.json()?;
        equal!(value["method"], if code == "303" { "GET" } else { "PUT" });
    }
    Ok(())
}

fn too_many_redirects(servers: &Servers) -> Outcome {
    let client = servers.client_with(ClientOptions::new().redirects(RedirectPolicy::follow(3)));
    equal!(
        client
            .get(servers.url("/redirect/3"))
            .send()?
            .status()
            .code(),
        200
    );
    let error = client.get(servers.url("/redirect/4")).send().unwrap_err();
    let is_too_many = matches!(error.kind(), ErrorKind::Redirect(RedirectError::TooMany(3)));
    holds!(is_too_many, "{error:?}");
    let request = client
        .get(servers.url("/redirect/4"))
        .redirects(RedirectPolicy::none());
    let response = request.send()?;
    equal!(response.status().code(), 302);
    equal!(response.header("location"), Some("/relative-redirect/3"));
    Ok(())
}

fn basic(servers: &Servers) -> Outcome {
    let client = servers.client();
    let url = servers.url("/basic-auth/Aladdin/open%20sesame");
    equal!(client.get(&url).send()?.status().code(), 401);
    equal!(
        client
            .get(&url)
            .basic_auth("Aladdin", "wrong")
            .send()?
            .status()
            .code(),
        401
    );
    let value: Value = client
        .get(&url)
        .basic_auth("Aladdin", "open sesame")
        .send()?
        .json()?;
    equal!(value["authenticated"], true);
    equal!(value["user"], "Aladdin");
    let in_url = url.replacen("http://", "http://Aladdin:open%20sesame@", 1);
    let response = client.get(&in_url).send()?;
    holds!(
        !response.url().to_string().contains("sesame@"),
        "{}",
        response.url()
    );
    equal!(response.status().code(), 200);
    Ok(())
}

fn bearer(servers: &Servers) -> Outcome {
    let client = servers.client();
    equal!(
        client.get(servers.url("/bearer")).send()?.status().code(),
        401
    );
    let request = client.get(servers.url("/bearer")).bearer_auth("a.b-c");
    let value: Value = request.send()?.json()?;
    equal!(value["token"], "a.b-c");
    Ok(())
}

fn other_origin(servers: &Servers) -> Outcome {
    let client = servers.client();
    let own = |to: &str| -> Anything {
        let request = client.get(servers.url("/redirect-to")).query("url", to);
        let request = request
            .bearer_auth("secret")
            .header("Cookie", "a=b")
            .header("X-Own", "1");
        Ok(request.send()?.json()?)
    };
    let value = own("/headers")?;
    equal!(value["headers"]["Authorization"], "Bearer secret");
    // The same server, by another name.
    let other = servers.url("/headers").replace("127.0.0.1", "localhost");
    let value = own(&other)?;
    equal!(value["headers"]["Authorization"], Value::Null);
    equal!(value["headers"]["Cookie"], Value::Null);
    equal!(value["headers"]["X-Own"], "1");
    Ok(())
}

fn decoded(servers: &Servers) -> Outcome {
    let client = servers.client();
    let codings = [
        ("/brotli", "brotli"),
        ("/gzip", "gzipped"),
        ("/deflate", "deflated"),
    ];
    for (path, name) in codings {
        let response = client.get(servers.url(path)).send()?;
        equal!(response.header("content-encoding"), None);
        let value: Value = response.json()?;
        equal!(value[name], true);
        equal!(
            value["headers"]["Accept-Encoding"],
            "zstd, br, gzip, deflate"
        );
        let limits = ClientLimits::DEFAULT.with_decoded(100);
        let error = client
            .get(servers.url(path))
            .limits(limits)
            .send()?
            .bytes()
            .unwrap_err();
        holds!(
            matches!(error.kind(), ErrorKind::TooLarge("decoded")),
            "{error:?}"
        );
    }
    Ok(())
}

fn unknown_coding(servers: &Servers) -> Outcome {
    let url = servers.url("/response-headers?Content-Encoding=compress");
    let response = servers.client().get(url).send()?;
    equal!(response.header("content-encoding"), Some("compress"));
    holds!(response.content_length().is_some(), "{response:?}");
    holds!(
        response.bytes()?.starts_with(b"{"),
        "it is no longer as it came"
    );
    Ok(())
}

fn not_decoded(servers: &Servers) -> Outcome {
    let request = servers
        .client()
        .get(servers.url("/gzip"))
        .without_decoding();
    let response = request.send()?;
    equal!(response.header("content-encoding"), Some("gzip"));
    let length = response.content_length();
    let bytes = response.bytes()?;
    holds!(bytes.starts_with(&[0x1f, 0x8b]), "{bytes:?}");
    equal!(length, Some(bytes.len() as u64));
    Ok(())
}

fn delay(servers: &Servers) -> Outcome {
    let client = servers.client();
    let limits = ClientLimits::DEFAULT.with_response_time(Duration::from_millis(100));
    let error = client
        .get(servers.url("/delay/3"))
        .limits(limits)
        .send()
        .unwrap_err();
    holds!(
        error.is_timeout() && error.may_have_been_processed(),
        "{error:?}"
    );
    holds!(
        matches!(error.kind(), ErrorKind::TimedOut("response_time")),
        "{error:?}"
    );
    let request = client
        .get(servers.url("/delay/3"))
        .timeout(Duration::from_millis(100));
    let error = request.send().unwrap_err();
    holds!(
        matches!(error.kind(), ErrorKind::TimedOut("total_time")),
        "{error:?}"
    );
    let response = client.get(servers.url("/delay/0.5")).send()?;
    equal!(response.status().code(), 200);
    holds!(
        response.elapsed() >= Duration::from_millis(500),
        "{:?}",
        response.elapsed()
    );
    Ok(())
}

fn drip(servers: &Servers) -> Outcome {
    let url = servers.url("/drip?numbytes=10&duration=0.5&delay=0");
    let mut response = servers.client().get(url).send()?;
    equal!(response.content_length(), Some(10));
    let (mut pieces, mut bytes) = (0, 0);
    while let Some(piece) = response.next_chunk()? {
        pieces += 1;
        bytes += piece.len();
    }
    equal!(bytes, 10);
    holds!(pieces > 1, "{pieces} pieces");
    Ok(())
}

fn silence(servers: &Servers) -> Outcome {
    let client = servers.client();
    let limits = ClientLimits::DEFAULT.with_silence_time(Duration::from_millis(100));
    let url = servers.url("/drip?numbytes=2&duration=2&delay=0");
    let error = client.get(url).limits(limits).send()?.bytes().unwrap_err();
    holds!(
        matches!(error.kind(), ErrorKind::TimedOut("silence_time")),
        "{error:?}"
    );
    equal!(client.metrics().connections(), 0);
    Ok(())
}

fn stream(servers: &Servers) -> Outcome {
    let client = servers.client();
    let response = client.get(servers.url("/stream/20")).send()?;
    equal!(response.content_length(), None);
    let text = response.text()?;
    for (at, line) in text.lines().enumerate() {
        let value: Value = serde_json::from_str(line)?;
        equal!(value["id"], at);
    }
    equal!(text.lines().count(), 20);
    let response = client
        .get(servers.url("/stream-bytes/100000?seed=1&chunk_size=1000"))
        .send()?;
    let streamed = response.bytes()?;
    equal!(
        streamed,
        client
            .get(servers.url("/bytes/100000?seed=1"))
            .send()?
            .bytes()?
    );
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn range(servers: &Servers) -> Outcome {
    let client = servers.client();
    let part = |range: &str| {
        client
            .get(servers.url("/range/1024"))
            .header("Range", range)
            .send()
    };
    let response = part("bytes=10-15")?;
    equal!(response.status().code(), 206);
    equal!(response.header("content-range"), Some("bytes 10-15/1024"));
    equal!(response.text()?, "klmnop");
    equal!(part("bytes=-2")?.text()?, "ij");
    equal!(part("bytes=2000-3000")?.status().code(), 416);
    let mut text = String::new();
    let url = servers.url("/range/500?chunk_size=100&duration=0.3");
    client.get(url).send()?.reader().read_to_string(&mut text)?;
    equal!(text.len(), 500);
    Ok(())
}

fn conditional(servers: &Servers) -> Outcome {
    let client = servers.client();
    let etag = |tag: &str| {
        client
            .get(servers.url("/etag/abc"))
            .header("If-None-Match", tag)
            .send()
    };
    let response = etag("abc")?;
    equal!(response.status().code(), 304);
    equal!(response.bytes()?.len(), 0);
    equal!(etag("other")?.status().code(), 200);
    let since = "Sun, 06 Nov 1994 08:49:37 GMT";
    let request = client
        .get(servers.url("/cache"))
        .header("If-Modified-Since", since);
    equal!(request.send()?.status().code(), 304);
    Ok(())
}

fn forms(servers: &Servers) -> Outcome {
    let client = servers.client();
    let request = client
        .get(servers.url("/get"))
        .query("a b", "c&d=e")
        .query("ü", 7);
    let value: Value = request.send()?.json()?;
    equal!(value["args"], json!({"a b": "c&d=e", "ü": "7"}));
    let request = client
        .post(servers.url("/post"))
        .form([("a", "1 2"), ("b", "+&="), ("a", "ü")]);
    let value: Value = request.send()?.json()?;
    equal!(value["form"], json!({"a": ["1 2", "ü"], "b": "+&="}));
    equal!(
        value["headers"]["Content-Type"],
        "application/x-www-form-urlencoded"
    );
    Ok(())
}

fn multipart(servers: &Servers) -> Outcome {
    let client = servers.client();
    let form = || Multipart::new().text("name", "Al\"ice ü").text("name", "b");
    let photo = |body| Part::new(body).file_name("ü.png").content_type("image/png");
    let bytes = form().part("photo", photo(Body::from("\r\n--x\r\n")));
    let read = form().part("photo", photo(Body::reader(&b"\r\n--x\r\n"[..])));
    for form in [bytes, read] {
        let value: Value = client
            .post(servers.url("/post"))
            .multipart(form)
            .send()?
            .json()?;
        equal!(value["form"], json!({"name": ["Al\"ice ü", "b"]}));
        equal!(value["files"], json!({"photo": "\r\n--x\r\n"}));
    }
    Ok(())
}

fn cookies(servers: &Servers) -> Outcome {
    let jar = Arc::new(CookieJar::new());
    let client = servers.client_with(ClientOptions::new().cookies(jar.clone()));
    let get = |path: &str| -> Anything { Ok(client.get(servers.url(path)).send()?.json()?) };
    // Set by a redirect, and sent to where that leads.
    equal!(
        get("/cookies/set?a=1&b=2")?["cookies"],
        json!({"a": "1", "b": "2"})
    );
    equal!(
        get("/cookies/set/a/3")?["cookies"],
        json!({"a": "3", "b": "2"})
    );
    equal!(get("/cookies/delete?a=")?["cookies"], json!({"b": "2"}));
    equal!(jar.len(), 1);
    let other = servers.url("/cookies").replace("127.0.0.1", "localhost");
    let value: Value = client.get(other).send()?.json()?;
    equal!(value["cookies"], json!({}));
    let foreign = "/response-headers?Set-Cookie=c%3D1%3B%20Domain%3Dexample.org";
    get(foreign)?;
    equal!(get("/cookies")?["cookies"], json!({"b": "2"}));
    jar.clear();
    equal!(get("/cookies")?["cookies"], json!({}));
    Ok(())
}

fn json_both_ways(servers: &Servers) -> Outcome {
    let sent = json!({"name": "Alice", "list": [1, 2.5, null, true], "ü": {"a": "\n"}});
    let request = servers.client().post(servers.url("/post")).json(&sent);
    let value: Value = request.send()?.json()?;
    equal!(value["json"], sent);
    equal!(value["headers"]["Content-Type"], "application/json");
    let error = servers
        .client()
        .get(servers.url("/html"))
        .send()?
        .json::<Value>()
        .unwrap_err();
    holds!(matches!(error.kind(), ErrorKind::Json(_)), "{error:?}");
    Ok(())
}

fn utf8(servers: &Servers) -> Outcome {
    let client = servers.client();
    let text = client.get(servers.url("/encoding/utf8")).send()?.text()?;
    holds!(text.contains("∮ E⋅da = Q"), "{} bytes", text.len());
    let error = client
        .get(servers.url("/image/png"))
        .send()?
        .text()
        .unwrap_err();
    holds!(matches!(error.kind(), ErrorKind::NotText), "{error:?}");
    Ok(())
}

fn reader(servers: &Servers) -> Outcome {
    let body = Body::reader(io::repeat(b'x').take(300_000));
    let value: Value = servers
        .client()
        .post(servers.url("/post"))
        .body(body)
        .send()?
        .json()?;
    equal!(value["data"].as_str().map(str::len), Some(300_000));
    equal!(value["headers"]["Transfer-Encoding"], "chunked");
    let body = Body::reader(&b"hello"[..]).with_length(5);
    let value: Value = servers
        .client()
        .post(servers.url("/post"))
        .body(body)
        .send()?
        .json()?;
    equal!(value["data"], "hello");
    equal!(value["headers"]["Content-Length"], "5");
    Ok(())
}

fn large(servers: &Servers) -> Outcome {
    let sent = "0123456789abcdef".repeat(1 << 17);
    let request = servers.client().put(servers.url("/put")).body(sent.clone());
    let value: Value = request
        .header("Content-Type", "text/plain")
        .send()?
        .json()?;
    equal!(value["data"].as_str() == Some(sent.as_str()), true);
    Ok(())
}

fn repeated_fields(servers: &Servers) -> Outcome {
    let response = servers
        .client()
        .get(servers.url("/response-headers?X-A=1&X-A=2&X-B=3"))
        .send()?;
    let of = |name: &str| {
        let fields = response.headers();
        let named = fields
            .iter()
            .filter(|it| it.name.eq_ignore_ascii_case(name.as_bytes()));
        named
            .map(|it| String::from_utf8_lossy(it.value).into_owned())
            .collect::<Vec<_>>()
    };
    equal!(of("x-a"), ["1", "2"]);
    equal!(of("x-b"), ["3"]);
    Ok(())
}

fn fields(servers: &Servers) -> Outcome {
    let value = get(servers, "/headers")?;
    let agent = value["headers"]["User-Agent"].as_str().unwrap_or_default();
    holds!(agent.starts_with("barewire/"), "{agent}");
    equal!(value["headers"]["Accept"], "*/*");
    let options = ClientOptions::new()
        .user_agent("tests/1")
        .header("X-Tenant", "7");
    let client = servers.client_with(options.base_url(&servers.url("/anything/")));
    let value: Value = client
        .get("items?x=1")
        .header("Accept", "text/plain")
        .send()?
        .json()?;
    equal!(value["url"], servers.url("/anything/items?x=1"));
    equal!(value["headers"]["User-Agent"], "tests/1");
    equal!(value["headers"]["X-Tenant"], "7");
    equal!(value["headers"]["Accept"], "text/plain");
    Ok(())
}

fn retried(servers: &Servers) -> Outcome {
    let moment = Duration::from_millis(1);
    let policy = RetryPolicy::attempts(100).pauses(moment, moment);
    let client = servers.client_with(ClientOptions::new().retries(policy));
    // Few enough for the budget of attempts.
    let url = servers.url("/status/200:0.9,503:0.05,429:0.05");
    for _ in 0..20 {
        equal!(client.get(&url).send()?.status().code(), 200);
    }
    // A POST is not sent again, whatever the status.
    let before = client.metrics().connections_reused();
    equal!(
        client
            .post(servers.url("/status/503"))
            .send()?
            .status()
            .code(),
        503
    );
    equal!(client.metrics().connections_reused(), before + 1);
    Ok(())
}

fn cancelled(servers: &Servers) -> Outcome {
    let client = servers.client();
    for path in ["/delay/5", "/drip?numbytes=2&duration=5&delay=0"] {
        let canceller = Canceller::new();
        let cancels = canceller.clone();
        let thread = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            cancels.cancel();
        });
        let request = client.get(servers.url(path)).canceller(&canceller);
        let Err(error) = request.send().and_then(Response::bytes) else {
            return Err(format!("{path} was not cancelled").into());
        };
        holds!(error.is_cancelled(), "{error:?}");
        thread.join().expect("no panic");
    }
    equal!(client.metrics().connections(), 0);
    Ok(())
}

fn unix_socket(servers: &Servers) -> Outcome {
    let client = servers.client_with(ClientOptions::new().unix_socket(&servers.urls[1]));
    for _ in 0..3 {
        let value: Value = client.get("http://example.org/get?a=b").send()?.json()?;
        equal!(value["headers"]["Host"], "example.org");
        equal!(value["args"], json!({"a": "b"}));
    }
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}
