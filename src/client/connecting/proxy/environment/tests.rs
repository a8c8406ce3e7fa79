use super::*;
use alloc::string::ToString as _;

fn rules(variables: &[(&str, &str)]) -> Result<ProxyRules, ProxyError> {
    ProxyRules::read(|name| {
        let found = variables.iter().find(|it| it.0 == name);
        found.map(|it| it.1.to_string())
    })
}

fn found(variables: &[(&str, &str)], is_secure: bool, host: &str) -> Option<String> {
    let rules = rules(variables).unwrap();
    let proxy = rules.find(is_secure, host, 80);
    proxy.map(|it| it.to_string())
}

#[test]
fn each_scheme_has_its_own_and_all_have_one() {
    let variables = [
        ("http_proxy", "http://small:1"),
        ("HTTP_PROXY", "http://capital:1"),
        ("HTTPS_PROXY", "other:2"),
        ("NO_PROXY", ".local"),
    ];
    assert_eq!(found(&variables, false, "a").unwrap(), "http://small:1");
    assert_eq!(found(&variables, true, "a").unwrap(), "http://other:2");
    assert_eq!(found(&variables, true, "b.local"), None);
    let all = [("ALL_PROXY", "socks5h://s"), ("https_proxy", "")];
    assert_eq!(found(&all, false, "a").unwrap(), "socks5h://s:1080");
    assert_eq!(found(&all, true, "a"), None, "an empty one is none");
    assert_eq!(found(&[], false, "a"), None);
    let rules = rules(&variables).unwrap().except("b");
    let at = |host| rules.find(false, host, 80).is_some();
    assert!(at("a") && !at("b") && !at("c.local"), "both exclude");
}

#[test]
fn exceptions_hold_before_and_behind_the_proxy_that_they_are_for() {
    let proxy = Proxy::parse("p:1").unwrap();
    let mut choice = ProxyChoice::new();
    choice.except("b");
    choice.set(Some(proxy));
    let rules = choice.rules().unwrap();
    assert!(rules.find(true, "a", 443).is_some() && rules.find(false, "b", 80).is_none());
    choice.set(None);
    assert!(choice.rules().unwrap().find(true, "a", 443).is_none());
}

#[test]
fn a_request_to_a_cgi_program_sets_no_proxy() {
    let mut variables = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://evil:1")];
    assert_eq!(found(&variables, false, "a"), None);
    variables[1].0 = "http_proxy"; // a server does not write those
    assert!(found(&variables, false, "a").is_some());
    variables[1].0 = "HTTPS_PROXY"; // there is no such field as a scheme to it
    assert!(found(&variables, true, "a").is_some());
}

#[test]
fn a_proxy_that_is_none_is_an_error() {
    let error = rules(&[("all_proxy", "gopher://a")]).unwrap_err();
    assert_eq!(error, ProxyError::Scheme);
}
