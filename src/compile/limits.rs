//! `rate_limit` and `log`, compiled.

use super::Compiler;
use super::callers::Callers;
use crate::config::field::{At, Field};
use crate::config::nearest::quoted_with_suggestion;
use crate::config::wire::{self, RateLimits};
use crate::limit::{By, RateLimit};
use crate::record::LogRules;

/// What requests can be counted by.
pub(crate) const WORDS: [&str; 4] = ["ip", "path", "route", "user"];

/// The periods that the platform has, in seconds.
const PERIODS: [u64; 2] = [10, 60];

/// The Analytics Engine binding that is used where it is bound, unless `log.analytics` names another.
const ANALYTICS: &str = "ANALYTICS";

impl Compiler<'_> {
    /// The limits of a path; `callers` says what is known of those who are counted.
    pub(super) fn rate_limits(&self, field: &Field<RateLimits>, callers: Callers) -> Vec<RateLimit> {
        let one = |at: &At<&wire::RateLimit>| self.rate_limit(at, callers);
        match field.good() {
            None => Vec::new(),
            Some(At { value: RateLimits::Object(limit), offset }) => {
                one(&At { value: limit, offset: *offset }).into_iter().collect()
            }
            Some(At { value: RateLimits::List(list), .. }) => {
                let limits = list.iter().filter_map(Field::good).map(|at| At { value: &at.value, offset: at.offset });
                limits.filter_map(|at| one(&at)).collect()
            }
        }
    }

    fn rate_limit(&self, at: &At<&wire::RateLimit>, callers: Callers) -> Option<RateLimit> {
        let binding = self.required(&at.value.binding, at.offset, "binding").and_then(|at| self.binding(at));
        self.required(&at.value.by, at.offset, "by")?;
        let mut by = Vec::new();
        for word in at.value.by.strings() {
            by.extend(self.by(&word));
        }
        if by.is_empty() {
            self.error(at.offset, "`by` names nothing to count by");
        }
        if !callers.known && by.iter().any(By::is_identity) {
            self.error(at.offset, "this path has no authorizer, so nobody is known to count by");
        } else if let (true, Some(why)) = (by.iter().any(|by| matches!(by, By::Claim(_))), callers.without_claims()) {
            self.warn(at.offset, format!("{why}, so this counts by address"));
        }
        let period_seconds = at.value.period_seconds.good().map_or(60, |at| {
            if !PERIODS.contains(&at.value) {
                self.error(at.offset, "the platform counts for 10 or 60 seconds");
            }
            at.value
        });
        Some(RateLimit { binding: binding?.clone(), by, period_seconds })
    }

    fn by(&self, word: &At<&str>) -> Option<By> {
        let by = match word.value {
            "ip" => By::Ip,
            "path" => By::Path,
            "route" => By::Route,
            "user" => By::User,
            other => match other.split_once(':') {
                Some(("claim", name)) if !name.is_empty() => {
                    self.written_out(word.offset, name, "a claim");
                    By::Claim(name.to_owned())
                }
                Some(("header", name)) if !name.is_empty() => {
                    let name = self.header_name(word.offset, name)?;
                    self.header_reads.borrow_mut().push((word.offset, name.clone()));
                    By::Header(name)
                }
                _ => {
                    let name = quoted_with_suggestion(other, WORDS);
                    let message = format!(
                        "requests cannot be counted by {name} (known: ip, path, route, user, claim:NAME, header:NAME)"
                    );
                    self.error(word.offset, message);
                    return None;
                }
            },
        };
        Some(by)
    }

    pub(super) fn log(&self, config: &wire::Config) -> LogRules {
        let Some(log) = config.log.value() else {
            return LogRules { analytics: ANALYTICS.to_owned(), ..LogRules::default() };
        };
        LogRules {
            level: log.level.value().copied().unwrap_or_default(),
            subject: log.subject.value().copied().unwrap_or_default(),
            server_timing: log.server_timing.value().copied().unwrap_or(false),
            analytics: log
                .analytics
                .good()
                .and_then(|at| self.binding(at))
                .map_or(ANALYTICS, String::as_str)
                .to_owned(),
        }
    }
}
