//! How long a server asks a client to wait (RFC 9110 §10.2.3).

use core::time::Duration;

use crate::http::{Fields, date};
use crate::wire::ascii;

/// What the fields of a response ask for: seconds, or a date, which counts from that of
/// the response.
pub(super) fn read(fields: Fields<'_>) -> Option<Duration> {
    let value = fields.get("retry-after")?;
    if let Some(seconds) = ascii::parse_decimal(value) {
        return Some(Duration::from_secs(seconds));
    }
    let sent = date::parse(fields.get("date")?, 0)?;
    let at = date::parse(value, sent)?;
    Some(Duration::from_secs(at.saturating_sub(sent)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Field;

    #[test]
    fn seconds_and_dates_are_read_and_nothing_else() {
        let sent = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let read = |value, date: Option<(&'static str, &'static str)>| {
            let mut fields = alloc::vec![Field::new("retry-after", value)];
            fields.extend(date.map(|(name, value)| Field::new(name, value)));
            super::read(Fields::new(&fields)).map(|it| it.as_secs())
        };
        assert_eq!(read("120", None), Some(120));
        assert_eq!(read("0", None), Some(0));
        assert_eq!(read("-1", None), None);
        assert_eq!(read("1.5", None), None);
        assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT", Some(sent)), Some(60));
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT", Some(sent)), Some(0));
        assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT", None), None);
        assert_eq!(super::read(Fields::EMPTY), None);
    }
}
