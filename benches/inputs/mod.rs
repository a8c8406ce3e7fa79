//! Heads as they come from the world.

const CURL: &str =
    "GET / HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n";

const SHORT: &str = "GET /cookies/sessions HTTP/1.0\r\nHost: example.net\r\nCookie: a=bcd1\r\n\r\n";

const FOUR_FIELDS: &str = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101\r\n\
    Accept: text/html,text/plain\r\nAccept-Language: en\r\n\r\n";

const COOKIES: &str = "GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg HTTP/1.1\r\n\
    Host: www.kittyhell.com\r\n\
    User-Agent: Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10.6; ja-JP-mac; rv:1.9.2.3) Gecko/20100401 Firefox/3.6.3\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: ja,en-us;q=0.7,en;q=0.3\r\nAccept-Encoding: gzip,deflate\r\n\
    Accept-Charset: Shift_JIS,utf-8;q=0.7,*;q=0.7\r\nKeep-Alive: 115\r\nConnection: keep-alive\r\n\
    Cookie: wp_ozh_wsa_visits=2; wp_ozh_wsa_visit_lasttime=xxxxxxxxxx; \
    __utma=xxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.x; \
    __utmz=xxxxxxxxx.xxxxxxxxxx.x.x.utmccn=(referral)|utmcsr=reader.livedoor.com|utmcct=/reader/|utmcmd=referral\r\n\r\n";

const CHROME: &str = "GET /search/results?q=event+loop&page=2 HTTP/1.1\r\nHost: www.example.com\r\n\
    Connection: keep-alive\r\nCache-Control: max-age=0\r\n\
    sec-ch-ua: \"Chromium\";v=\"126\", \"Google Chrome\";v=\"126\", \"Not-A.Brand\";v=\"99\"\r\n\
    sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,\
    application/signed-exchange;v=b3;q=0.7\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\nReferer: https://www.example.com/search\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en-US;q=0.9,en;q=0.8\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes; visited=1720000000; region=eu\r\n\
    If-None-Match: \"5f1e2d3c4b\"\r\n\r\n";

const POST: &str = "POST /api/v1/messages HTTP/1.1\r\nHost: api.example.com\r\n\
    User-Agent: python-requests/2.32.3\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\n\
    Content-Type: application/json\r\nAuthorization: Bearer 0123456789abcdef0123456789abcdef\r\n\
    Connection: keep-alive\r\nContent-Length: 0\r\n\r\n";

/// The head of a response.
pub(crate) const RESPONSE: &str = "HTTP/1.1 200 OK\r\nDate: Fri, 20 Nov 2026 19:44:14 GMT\r\n\
    Content-Type: text/html; charset=utf-8\r\nContent-Length: 14223\r\nConnection: keep-alive\r\n\
    Server: nginx\r\nVary: Accept-Encoding, Accept-Language, Cookie\r\nETag: \"5f1e2d3c4b5a69788796a5b4c3d2e1f0\"\r\n\
    Cache-Control: public, max-age=300, stale-while-revalidate=600\r\n\
    Last-Modified: Fri, 20 Nov 2026 18:00:00 GMT\r\n\
    Content-Security-Policy: default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'\r\n\
    Strict-Transport-Security: max-age=31536000; includeSubDomains\r\nX-Content-Type-Options: nosniff\r\n\
    X-Frame-Options: DENY\r\nReferrer-Policy: strict-origin-when-cross-origin\r\n\
    Set-Cookie: session=0123456789abcdef; Path=/; HttpOnly; Secure\r\n\r\n";

/// 41 fields of a few bytes each.
fn small_fields() -> String {
    let mut head = String::from("GET / HTTP/1.1\r\nHost: a.example\r\n");
    for number in 0..40 {
        head.push_str(&format!("X-Field-{number:02}: value-{number:03}\r\n"));
    }
    head + "\r\n"
}

/// Requests of all sizes, each with the name it is known by.
pub(crate) fn requests() -> Vec<(&'static str, String)> {
    vec![
        ("curl", CURL.into()),
        ("short", SHORT.into()),
        ("four fields", FOUR_FIELDS.into()),
        ("cookies", COOKIES.into()),
        ("Chrome", CHROME.into()),
        ("41 fields", small_fields()),
        ("POST", POST.into()),
        ("16 pipelined", FOUR_FIELDS.repeat(16)),
    ]
}
