//! tinyproxy or squid, and microsocks, in front of an nginx.
//!
//! URLs: nginx by `http` and by `https`; the proxy of HTTP, and microsocks, each with user and
//! password.

use std::env;
use std::process::Command;

use barewire::client::{Client, ClientOptions, Phase, Proxy};

use super::{Outcome, Servers, Suite, equal, holds};

pub(crate) const CASES: Suite = &[
    ("http through a proxy", http),
    ("https through a proxy", https),
    ("https and http through SOCKS5", socks),
    ("credentials that a proxy refuses", refused),
    ("a proxy that cannot be reached", unreachable),
    ("a server that the proxy cannot reach", server_unreachable),
    ("servers that are left out", left_out),
    ("proxies of the environment", environment),
];

fn through(servers: &Servers, proxy: &str) -> Result<Client, Box<dyn std::error::Error>> {
    let options = ClientOptions::new().proxy(Proxy::parse(proxy)?);
    Ok(servers.client_with(options))
}

fn http(servers: &Servers) -> Outcome {
    let client = through(servers, &servers.urls[2])?;
    for _ in 0..5 {
        let response = client.get(servers.url("/hello")).send()?;
        equal!(response.status().code(), 200);
        holds!(response.header("via").is_some(), "{response:?}");
        equal!(response.text()?, "hello\n");
    }
    let response = client
        .put(servers.url("/hello"))
        .body(vec![b'x'; 200_000])
        .send()?;
    equal!(response.status().code(), 200);
    Ok(())
}

fn https(servers: &Servers) -> Outcome {
    let client = through(servers, &servers.urls[2])?;
    for _ in 0..5 {
        let response = client.get(servers.url_of(1, "/large.txt")).send()?;
        equal!(response.header("via"), None);
        holds!(response.bytes()?.len() > 100_000, "a short body");
    }
    equal!(client.metrics().connections_opened(), 1);
    Ok(())
}

fn socks(servers: &Servers) -> Outcome {
    for scheme in ["socks5://", "socks5h://"] {
        let client = through(servers, &servers.urls[3].replace("socks5://", scheme))?;
        for _ in 0..5 {
            equal!(client.get(servers.url("/hello")).send()?.text()?, "hello\n");
            equal!(
                client.get(servers.url_of(1, "/hello")).send()?.text()?,
                "hello\n"
            );
        }
        equal!(client.metrics().connections_opened(), 2);
    }
    Ok(())
}

fn refused(servers: &Servers) -> Outcome {
    for at in [2, 3] {
        let client = through(servers, &servers.urls[at].replace("secret", "wrong"))?;
        let error = client.get(servers.url_of(1, "/hello")).send().unwrap_err();
        equal!(error.phase(), Phase::Proxy);
        holds!(!error.may_have_been_processed(), "{error:?}");
        holds!(!format!("{error} {error:?}").contains("wrong"), "{error:?}");
    }
    // To http the proxy's answer is a response.
    let client = through(servers, &servers.urls[2].replace("secret", "wrong"))?;
    let status = client.get(servers.url("/hello")).send()?.status().code();
    holds!(matches!(status, 401 | 407), "{status}");
    Ok(())
}

fn unreachable(servers: &Servers) -> Outcome {
    for proxy in ["http://127.0.0.1:1", "socks5://127.0.0.1:1"] {
        let client = through(servers, proxy)?;
        let error = client.get(servers.url("/hello")).send().unwrap_err();
        holds!(
            error.is_connect() && !error.may_have_been_processed(),
            "{error:?}"
        );
    }
    Ok(())
}

fn server_unreachable(servers: &Servers) -> Outcome {
    for at in [2, 3] {
        let client = through(servers, &servers.urls[at])?;
        let error = client.get("https://127.0.0.1:1/").send().unwrap_err();
        equal!(error.phase(), Phase::Proxy);
        holds!(
            error.is_connect() && !error.may_have_been_processed(),
            "{error:?}"
        );
    }
    Ok(())
}

fn left_out(servers: &Servers) -> Outcome {
    let nowhere = || ClientOptions::new().proxy(Proxy::parse("127.0.0.1:1").expect("a proxy"));
    for except in [
        "127.0.0.0/8,localhost",
        "*",
        "example.org, 127.0.0.1, localhost",
    ] {
        let client = servers.client_with(nowhere().proxy_except(except));
        equal!(client.get(servers.url("/hello")).send()?.text()?, "hello\n");
        equal!(
            client.get(servers.url_of(1, "/hello")).send()?.text()?,
            "hello\n"
        );
    }
    let client = servers.client_with(nowhere().proxy_except("example.org"));
    holds!(
        client.get(servers.url("/hello")).send().is_err(),
        "it went past the proxy"
    );
    Ok(())
}

/// What a process of its own, with this environment, is answered by the proxy.
fn environment(servers: &Servers) -> Outcome {
    let (proxy, socks, dead) = (
        servers.urls[2].as_str(),
        servers.urls[3].as_str(),
        "http://127.0.0.1:1",
    );
    let (http, https) = (servers.url("/hello"), servers.url_of(1, "/hello"));
    for (variables, url, outcome) in [
        (&[("http_proxy", proxy)][..], &http, "200 by proxy"),
        (&[("HTTP_PROXY", proxy)], &http, "200 by proxy"),
        (
            &[("HTTP_PROXY", dead), ("REQUEST_METHOD", "GET")],
            &http,
            "200",
        ),
        (
            &[("http_proxy", proxy), ("HTTP_PROXY", dead)],
            &http,
            "200 by proxy",
        ),
        (&[("https_proxy", dead)], &http, "200"),
        (&[("HTTPS_PROXY", proxy)], &https, "200"),
        (&[("HTTPS_PROXY", dead)], &https, "error"),
        (&[("ALL_PROXY", socks)], &https, "200"),
        (&[("ALL_PROXY", dead)], &https, "error"),
        (
            &[("ALL_PROXY", dead), ("no_proxy", "localhost")],
            &https,
            "200",
        ),
        (
            &[("ALL_PROXY", dead), ("NO_PROXY", "127.0.0.0/8")],
            &http,
            "200",
        ),
        (
            &[("ALL_PROXY", dead), ("NO_PROXY", "127.0.0.1:1")],
            &http,
            "error",
        ),
        (&[("ALL_PROXY", dead), ("NO_PROXY", "*")], &http, "200"),
        (&[("http_proxy", "ftp://a")], &http, "error"),
    ] {
        let program = env::current_exe()?;
        let mut command = Command::new(program);
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command.args(["get", url]).envs(variables.iter().copied());
        let output = command.output()?;
        let told = String::from_utf8_lossy(&output.stdout);
        equal!((variables, told.trim()), (variables, outcome));
    }
    Ok(())
}

/// Asks as the environment has it, and tells whether a proxy has answered.
pub(crate) fn get(url: &str) {
    match Client::new().get(url).send() {
        Ok(response) => match response.header("via") {
            Some(_) => println!("{} by proxy", response.status().code()),
            None => println!("{}", response.status().code()),
        },
        Err(_) => println!("error"),
    }
}
