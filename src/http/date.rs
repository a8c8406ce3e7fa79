//! HTTP dates (RFC 9110 §5.6.7).

use crate::wire::ascii;

const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const DAY: u64 = 86_400;
/// The last second of the year 9999, which the format can still write.
const LAST: u64 = 253_402_300_799;

/// A date in the IMF-fixdate format: 29 bytes, always in GMT.
///
/// ```
/// use barewire::http::date::Date;
///
/// assert_eq!(Date::from_unix(784_111_777).as_str(), "Sun, 06 Nov 1994 08:49:37 GMT");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date([u8; 29]);

impl Date {
    /// The date `seconds` after 1970-01-01 00:00:00 UTC; the year 9999 is the
    /// last.
    pub fn from_unix(seconds: u64) -> Self {
        let seconds = seconds.min(LAST);
        let (days, time) = (seconds / DAY, seconds % DAY);
        let (year, month, day) = civil_from_days(days);
        let mut text = *b"Thu, 01 Jan 1970 00:00:00 GMT";
        text[..3].copy_from_slice(DAYS[(days % 7) as usize]);
        put_two(&mut text, 5, day);
        text[8..11].copy_from_slice(MONTHS[month as usize - 1]); // month is 1 to 12
        put_two(&mut text, 12, year / 100);
        put_two(&mut text, 14, year % 100);
        put_two(&mut text, 17, time / 3600);
        put_two(&mut text, 20, time / 60 % 60);
        put_two(&mut text, 23, time % 60);
        Self(text)
    }

    /// The 29 bytes.
    #[inline]
    pub const fn as_bytes(&self) -> &[u8; 29] {
        &self.0
    }

    /// The date as text.
    #[inline]
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever written, so the fallback is never taken.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Parses a date in any of the three formats that a recipient must accept
/// (IMF-fixdate, RFC 850, asctime) into seconds since 1970. `now` places the
/// two-digit year of RFC 850 (RFC 9110 §5.6.7). `None` for anything else and
/// for dates before 1970.
///
/// ```
/// use barewire::http::date::parse;
///
/// let now = 1_800_000_000;
/// for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
///     assert_eq!(parse(text.as_bytes(), now), Some(784_111_777));
/// }
/// ```
pub fn parse(text: &[u8], now: u64) -> Option<u64> {
    match text.iter().position(|&b| b == b',') {
        Some(3) => parse_fixdate(text),
        Some(_) => parse_rfc850(text, now),
        None => parse_asctime(text),
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn parse_fixdate(text: &[u8]) -> Option<u64> {
    let text: &[u8; 29] = text.try_into().ok()?;
    let fixed = &text[3..5] == b", "
        && text[7] == b' '
        && text[11] == b' '
        && text[16] == b' '
        && &text[25..] == b" GMT";
    if !fixed || !DAYS.iter().any(|day| **day == text[..3]) {
        return None;
    }
    unix(
        number(&text[12..16])?,
        month(&text[8..11])?,
        number(&text[5..7])?,
        &text[17..25],
    )
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn parse_rfc850(text: &[u8], now: u64) -> Option<u64> {
    const LONG: [&[u8]; 7] = [
        b"Sunday",
        b"Monday",
        b"Tuesday",
        b"Wednesday",
        b"Thursday",
        b"Friday",
        b"Saturday",
    ];
    let comma = text.iter().position(|&b| b == b',')?;
    let (day, rest) = text.split_at_checked(comma)?;
    let rest: &[u8; 24] = rest.try_into().ok()?;
    let fixed = &rest[..2] == b", "
        && rest[4] == b'-'
        && rest[8] == b'-'
        && rest[11] == b' '
        && &rest[20..] == b" GMT";
    if !fixed || !LONG.contains(&day) {
        return None;
    }
    let (this_year, _, _) = civil_from_days(now.min(LAST) / DAY);
    let mut year = this_year / 100 * 100 + number(&rest[9..11])?;
    if year > this_year + 50 {
        year -= 100;
    }
    unix(
        year,
        month(&rest[5..8])?,
        number(&rest[2..4])?,
        &rest[12..20],
    )
}

/// `Sun Nov  6 08:49:37 1994`
fn parse_asctime(text: &[u8]) -> Option<u64> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let fixed = text[3] == b' ' && text[7] == b' ' && text[10] == b' ' && text[19] == b' ';
    if !fixed || !DAYS.iter().any(|day| **day == text[..3]) {
        return None;
    }
    let day = if text[8] == b' ' {
        &text[9..10]
    } else {
        &text[8..10]
    };
    unix(
        number(&text[20..])?,
        month(&text[4..7])?,
        number(day)?,
        &text[11..19],
    )
}

fn number(digits: &[u8]) -> Option<u64> {
    ascii::parse_decimal(digits)
}

fn month(name: &[u8]) -> Option<u64> {
    MONTHS
        .iter()
        .position(|month| *month == name)
        .map(|index| index as u64 + 1)
}

/// Seconds since 1970 of a civil date and `hh:mm:ss`; a leap second counts as
/// the one before it.
fn unix(year: u64, month: u64, day: u64, time: &[u8]) -> Option<u64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *time else {
        return None;
    };
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[m1, m2])?, number(&[s1, s2])?);
    if year < 1970
        || day == 0
        || day > days_in(year, month)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    Some(days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second.min(59))
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + is_leap(year) as u64,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month (1 to 12) and day (1 to 31) of a day counted from 1970-01-01.
/// Years run from March here, so that the leap day is the last of its year.
const fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468; // days since 0000-03-01
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (era * 400 + year_of_era + (month <= 2) as u64, month, day)
}

/// The inverse of [`civil_from_days`], for years from 1970 on.
const fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = year - (month <= 2) as u64;
    let (era, of_era) = (year / 400, year % 400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Writes the two digits of `n` (below 100) at `at`, which lies in the text.
fn put_two(text: &mut [u8; 29], at: usize, n: u64) {
    text[at] = b'0' + (n / 10) as u8;
    text[at + 1] = b'0' + (n % 10) as u8;
}

#[cfg(test)]
mod tests;
