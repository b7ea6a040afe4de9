//! Times and spans as people write and read them.

use portcullis::time::calendar::{self, civil, days};

use super::token::clock;

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    clock().as_millis() / 1000
}

/// `90s`, `15m`, `24h`, `30d`, `2w`, or seconds alone.
pub(super) fn span(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err("a span is 90s, 15m, 24h, 30d or 2w".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "a span is 90s, 15m, 24h, 30d or 2w".to_owned())?;
    number.checked_mul(unit).filter(|span| *span < 1 << 40).ok_or_else(|| "this is too long".to_owned())
}

/// The same for what begins now: without a length it would have ended already.
pub(super) fn lifetime(text: &str) -> Result<u64, String> {
    match span(text)? {
        0 => Err("this has no length: it would end before it begins".to_owned()),
        span => Ok(span),
    }
}

/// Seconds since 1970, `now`, or a time as RFC 3339 has it in UTC: `2026-11-22T08:00:00Z`, or its day alone.
pub(super) fn time(text: &str) -> Result<u64, String> {
    if text == "now" {
        return Ok(now());
    }
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    read(text).ok_or_else(|| "a time is `now`, seconds since 1970, or 2026-11-22T08:00:00Z".to_owned())
}

fn read(text: &str) -> Option<u64> {
    let (day, clock) = match text.split_once(['T', 't', ' ']) {
        Some((day, clock)) => (day, clock.strip_suffix(['Z', 'z'])?),
        None => (text, "00:00:00"),
    };
    let three = |text: &str, mark: char| -> Option<[u64; 3]> {
        let numbers: Option<Vec<u64>> = text.split(mark).map(|part| part.parse().ok()).collect();
        numbers?.try_into().ok()
    };
    let ([year, month, date], [hour, minute, second]) = (three(day, '-')?, three(clock, ':')?);
    let fits = (1970..=9999).contains(&year) && (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60;
    // The one day that comes out as it was written: 31 April is none.
    let days = days(year, month, date);
    (fits && civil(days) == (year, month, date)).then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// `2026-11-22T08:00:00Z`.
pub(super) fn written(seconds: u64) -> String {
    calendar::written(seconds, 'T') + "Z"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("15m", 900), ("24h", 86_400), ("30d", 2_592_000), ("0s", 0)] {
            assert_eq!(span(text), Ok(seconds), "{text}");
        }
        for text in ["", "h", "1y", "-1h", "1.5h", "1 h", "99999999999999999999s", "999999999999w"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_begins_now_lasts_for_some_time() {
        assert_eq!(lifetime("1s"), Ok(1));
        for text in ["0", "0s", "00m", "0w", "", "soon"] {
            assert!(lifetime(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_come_out_as_they_went_in() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2026-11-22T08:00:00Z", 1_795_334_400),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(time(text), Ok(seconds), "{text}");
            assert_eq!(written(seconds), text);
        }
        assert_eq!(time("2026-11-22"), Ok(1_795_305_600));
        assert_eq!(time("1900000000"), Ok(1_900_000_000));
        for text in [
            "",
            "yesterday",
            "2026-02-29",
            "2026-13-01",
            "2026-04-31",
            "2026-01-00",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00+01:00",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
