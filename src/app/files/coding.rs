//! Which content coding a client prefers (RFC 9110 §12.5.3).

use crate::http::Fields;
use crate::wire::ascii;

/// A coding that files may lie beside others in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coding {
    /// Its name in Content-Encoding.
    pub(super) name: &'static str,
    /// What is put behind a file's name.
    pub(super) suffix: &'static str,
}

const BROTLI: Coding = Coding {
    name: "br",
    suffix: ".br",
};
const GZIP: Coding = Coding {
    name: "gzip",
    suffix: ".gz",
};

/// The codings that the client takes at least as gladly as none, the better
/// first.
pub(super) fn wanted(fields: Fields<'_>) -> impl Iterator<Item = Coding> {
    let weight = |name| weight(fields, name);
    let (brotli, gzip) = (weight("br").unwrap_or(0), weight("gzip").unwrap_or(0));
    // A client that does not speak of it takes what is not encoded last.
    let plain = weight("identity").unwrap_or(1);
    let order = match gzip > brotli {
        true => [(GZIP, gzip), (BROTLI, brotli)],
        false => [(BROTLI, brotli), (GZIP, gzip)],
    };
    let order = order.into_iter();
    order
        .filter(move |&(_, weight)| weight > 0 && weight >= plain)
        .map(|(coding, _)| coding)
}

/// The weight of a coding in thousandths; `None` if the client does not speak
/// of it.
fn weight(fields: Fields<'_>, name: &str) -> Option<u16> {
    let mut any = None;
    for element in fields.list("accept-encoding") {
        let (coding, parameters) = match element.iter().position(|&byte| byte == b';') {
            Some(at) => element.split_at(at),
            None => (element, &b""[..]),
        };
        let coding = ascii::trim_ows(coding);
        let is_gzip = name == "gzip" && coding.eq_ignore_ascii_case(b"x-gzip"); // §8.4.1.3
        if is_gzip || coding.eq_ignore_ascii_case(name.as_bytes()) {
            return Some(quality(parameters));
        }
        if coding == b"*" && name != "identity" {
            any = Some(quality(parameters));
        }
    }
    any
}

/// The value of `;q=` in thousandths (§12.4.2); none at all is one, and
/// nonsense is nought.
fn quality(parameters: &[u8]) -> u16 {
    let Some(text) = parameters.strip_prefix(b";").map(ascii::trim_ows) else {
        return 1000;
    };
    let value = text
        .strip_prefix(b"q=")
        .or_else(|| text.strip_prefix(b"Q="));
    let Some((&whole, rest)) = value.and_then(|value| value.split_first()) else {
        return 0;
    };
    let digits = match rest {
        [] => rest,
        [b'.', digits @ ..] if digits.len() <= 3 => digits,
        _ => return 0,
    };
    let mut thousandths = match whole {
        b'0' => 0,
        b'1' => 1000,
        _ => return 0,
    };
    for (digit, worth) in digits.iter().zip([100, 10, 1]) {
        match digit {
            b'0'..=b'9' => thousandths += u16::from(digit - b'0') * worth,
            _ => return 0,
        }
    }
    thousandths.min(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Field;
    use alloc::vec::Vec;

    fn names(value: &str) -> Vec<&'static str> {
        let list = [Field::new("Accept-Encoding", value)];
        wanted(Fields::new(&list)).map(|it| it.name).collect()
    }

    #[test]
    fn the_better_coding_goes_first_unless_the_client_says_otherwise() {
        assert_eq!(names("gzip, deflate, br, zstd"), ["br", "gzip"]);
        assert_eq!(names("gzip"), ["gzip"]);
        assert_eq!(names("br;q=0.5, gzip;q=0.8"), ["gzip", "br"]);
        assert_eq!(names("x-gzip"), ["gzip"]);
        assert_eq!(names("*"), ["br", "gzip"]);
        assert_eq!(names("*;q=0.5, br;q=0"), ["gzip"]);
        assert_eq!(names("GZIP ; Q=1.000"), ["gzip"]);
    }

    #[test]
    fn what_is_refused_or_less_liked_than_nothing_is_not_sent() {
        for none in [
            "",
            "identity",
            "deflate",
            "gzip;q=0",
            "gzip;q=0.000",
            "*;q=0",
            "identity, gzip;q=0.5",
        ] {
            assert!(names(none).is_empty(), "{none}");
        }
        assert_eq!(names("identity;q=0.5, gzip;q=0.5"), ["gzip"]);
        assert!(wanted(Fields::EMPTY).next().is_none());
    }

    #[test]
    fn nonsense_is_no_wish() {
        for bad in [
            "gzip;q=2",
            "gzip;q=0.1234",
            "gzip;q=.5",
            "gzip;q=",
            "gzip;level=9",
            "gzip;q=0,5;",
        ] {
            assert!(names(bad).is_empty(), "{bad}");
        }
    }
}
