//! Time as an argument.

pub mod calendar;

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(u64);

impl UnixTime {
    /// From milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// As RFC 3339 has it, in UTC and with milliseconds: `2026-11-22T08:00:00.000Z`.
    pub fn rfc3339(self) -> String {
        format!("{}.{:03}Z", calendar::written(self.0 / 1000, 'T'), self.0 % 1000)
    }

    /// As a `NumericDate` (RFC 7519 section 2): seconds, whole ones, as everybody else compares them.
    #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "exact below 2^53 seconds")]
    pub fn as_numeric_date(self) -> f64 {
        (self.0 / 1000) as f64
    }

    /// Milliseconds from `earlier` to here; none if `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The times between which something counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// From when on.
    pub not_before: Option<UnixTime>,
    /// When it ends.
    pub not_after: Option<UnixTime>,
}

impl Window {
    /// Whether `now` lies within.
    pub fn holds(&self, now: UnixTime) -> bool {
        self.not_before.is_none_or(|from| from <= now) && self.not_after.is_none_or(|until| now < until)
    }

    /// Whether it never ends and never began.
    pub const fn is_always(&self) -> bool {
        self.not_before.is_none() && self.not_after.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_everybody_writes_it() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (1_795_334_400_050, "2026-11-22T08:00:00.050Z"),
        ] {
            assert_eq!(UnixTime::from_millis(millis).rfc3339(), expected);
        }
    }
}
