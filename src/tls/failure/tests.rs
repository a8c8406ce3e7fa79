use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use super::*;

fn said(fault: Fault) -> String {
    ConnectionError::new("a.example".into(), fault).to_string()
}

#[test]
fn an_error_names_the_server_and_what_is_wrong() {
    let day = UNIX_EPOCH + Duration::from_secs(86_400);
    for (fault, text) in [
        (
            Fault::Expired { until: Some(day) },
            "the certificate of a.example has expired on Fri, 02 Jan 1970 00:00:00 GMT",
        ),
        (
            Fault::NotYetValid { from: None },
            "the certificate of a.example is not valid yet",
        ),
        (
            Fault::UnknownIssuer {
                issuer: Some("x\n".into()),
            },
            "the certificate of a.example leads to no root that is trusted; its issuer is x\\n",
        ),
        (
            Fault::Alert { code: 48 },
            "a.example refuses the TLS connection: alert 48 (unknown_ca)",
        ),
        (
            Fault::Alert { code: 116 },
            "a.example refuses the TLS connection: alert 116 (certificate_required)",
        ),
        (
            Fault::Alert { code: 250 },
            "a.example refuses the TLS connection: alert 250 (unknown)",
        ),
        (
            Fault::NoProtocol {
                offered: vec!["h2".into()],
            },
            "a.example does not agree by ALPN to speak h2",
        ),
        (Fault::NotTls, "a.example does not speak TLS there"),
    ] {
        assert_eq!(said(fault), text);
    }
}

#[test]
fn hundreds_of_names_are_cut_short() {
    let names = |count| (0..count).map(|it| format!("{it}.b")).collect();
    let wrong = |count| {
        said(Fault::WrongName {
            names: names(count),
        })
    };
    let start = "the certificate of a.example is for other names: ";
    assert_eq!(wrong(0), format!("{start}it has none"));
    assert_eq!(wrong(2), format!("{start}0.b, 1.b"));
    assert_eq!(
        wrong(7),
        format!("{start}0.b, 1.b, 2.b, 3.b, 4.b and 2 more")
    );
    let long = Fault::WrongName {
        names: vec!["x".repeat(60_000)],
    };
    assert_eq!(said(long), format!("{start}{}...", "x".repeat(100)));
}
