//! Dates of the Gregorian calendar, in UTC.

/// Days from 1970-01-01 to a date of the Gregorian calendar. The year begins in March, so that the leap day is its last.
pub const fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year / 4 - year / 100 + year / 400;
    (365 * year + leaps + (153 * month + 2) / 5 + day).saturating_sub(719_469)
}

/// The date so many days after 1970-01-01.
pub const fn civil(days: u64) -> (u64, u64, u64) {
    // 400 years have 146 097 days; what follows is the inverse of `days`.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

/// Date and time of day, with `between` between them: `2026-11-22T08:00:00`.
pub fn written(seconds: u64, between: char) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}")
}
