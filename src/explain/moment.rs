//! Times in words.

use crate::time::calendar::written;

/// Seconds in words.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3600.0),
        s if s < 63_072_000.0 => format!("{:.0} days", s / 86_400.0),
        s => format!("{:.0} years", s / 31_557_600.0),
    }
}

/// The last second of the year 9999: what is later is no date that anybody means.
const LAST: f64 = 253_402_300_799.0;

/// Whether a number of seconds is no date, and one as milliseconds: the commonest mistake, since clocks of JavaScript and Java give these.
pub(super) fn are_millis(seconds: f64) -> bool {
    !(0.0..=LAST).contains(&seconds) && (0.0..=LAST).contains(&(seconds / 1000.0))
}

/// A claim's number of seconds as a date, and how far it is from `now`; for one that is no date, why.
pub(super) fn in_words(seconds: f64, now: f64) -> String {
    if !(0.0..=LAST).contains(&seconds) {
        let millis = are_millis(seconds);
        return if millis { "no date; are these milliseconds? A time is in seconds" } else { "no date" }.to_owned();
    }
    let relation = match seconds.floor() - now.floor() {
        0.0 => "now".to_owned(),
        ahead if ahead > 0.0 => format!("in {}", duration(ahead)),
        behind => format!("{} ago", duration(-behind)),
    };
    format!("{} — {relation}", date(seconds))
}

/// `2026-11-22 08:00:00 UTC`, of seconds up to [`LAST`].
fn date(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::as_conversions, reason = "0 to LAST")]
    let seconds = seconds as u64;
    format!("{} UTC", written(seconds, ' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_dates() {
        for (seconds, expected) in [
            (0.0, "1970-01-01 00:00:00 UTC"),
            (951_782_399.0, "2000-02-28 23:59:59 UTC"),
            (951_782_400.0, "2000-02-29 00:00:00 UTC"),
            (951_868_800.0, "2000-03-01 00:00:00 UTC"),
            (1_700_000_000.5, "2023-11-14 22:13:20 UTC"),
            (1_735_689_599.0, "2024-12-31 23:59:59 UTC"),
            (4_107_542_400.0, "2100-03-01 00:00:00 UTC"),
            (LAST, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }

    #[test]
    fn a_time_is_told_with_its_distance_from_now() {
        let now = 1_700_000_000.0;
        for (seconds, expected) in [
            (now, "2023-11-14 22:13:20 UTC — now"),
            (now - 40.0, "2023-11-14 22:12:40 UTC — 40 s ago"),
            (now + 300.0, "2023-11-14 22:18:20 UTC — in 5 min"),
            (now + 31_557_600.0 * 10.0, "2033-11-14 10:13:20 UTC — in 10 years"),
            (now * 1000.0, "no date; are these milliseconds? A time is in seconds"),
            (-1.0, "no date"),
            (f64::NAN, "no date"),
            (1e300, "no date"),
        ] {
            assert_eq!(in_words(seconds, now), expected);
        }
    }
}
