use super::*;
use alloc::format;

#[test]
fn an_error_quotes_what_was_given() {
    let refused = || io::Error::from(io::ErrorKind::AddrInUse);
    let (route, fault) = ("GET /a/:id".into(), "wrong".into());
    for (error, start) in [
        (
            Error::Listen {
                address: "127.0.0.1:80".into(),
                error: refused(),
            },
            "cannot listen on 127.0.0.1:80: ",
        ),
        (
            Error::Resolve {
                name: "nowhere".into(),
                error: refused(),
            },
            "cannot resolve \"nowhere\": ",
        ),
        (
            Error::Address {
                given: "nonsense".into(),
                expected: "IP:port",
            },
            "not an address: \"nonsense\" (expected IP:port)",
        ),
        (Error::Route { route, fault }, "route \"GET /a/:id\": wrong"),
        (
            Error::Files {
                directory: "/nowhere".into(),
                error: refused(),
            },
            "cannot serve the files of \"/nowhere\": ",
        ),
    ] {
        let (shown, debug) = (format!("{error}"), format!("{error:?}"));
        assert!(shown.starts_with(start), "{shown}");
        assert_eq!(shown, debug); // what `main` prints
    }
}
