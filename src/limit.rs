//! Rate limits: what a request is counted by. The counting is the platform's.

use std::marker::PhantomData;

use serde_json::{Value, json};

use crate::authn::Identity;
use crate::digest::short;
use crate::reject::Reject;
use crate::request::{CLIENT_ADDRESS, Head};
use crate::route::path::folded;

/// The longest key that is used as it is; longer ones are counted by their digest.
const MAX_KEY_BYTES: usize = 256;

/// A limit of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The name of the rate limiting binding.
    pub binding: String,
    /// What is counted by; all of it together is one key.
    pub by: Vec<By>,
    /// Seconds after which the count begins anew, for `Retry-After`.
    pub period_seconds: u64,
}

/// One thing that requests are counted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The client's address; of IPv6 the first 64 bits, since a client has all of the rest.
    Ip,
    /// The path.
    Path,
    /// The route, as its pattern is written.
    Route,
    /// Who is asking.
    User,
    /// A claim.
    Claim(String),
    /// A header.
    Header(String),
}

impl By {
    /// Whether it is known only after authentication.
    pub const fn is_identity(&self) -> bool {
        matches!(self, Self::User | Self::Claim(_))
    }
}

impl RateLimit {
    /// Whether it counts after authentication. All others count before it, so that guesses are limited too.
    pub fn is_after_authentication(&self) -> bool {
        self.by.iter().any(By::is_identity)
    }

    /// What a request is counted as: a key in which no two different requests can meet.
    pub(crate) fn counter(
        &self,
        head: &Head<'_>,
        path: &str,
        route: &str,
        identity: Option<&Identity<'_>>,
    ) -> Counter<'_> {
        let address = || Value::from(head.headers.get(CLIENT_ADDRESS).map(|address| network(&address)));
        // Whom nobody knows is counted by address: a count that all strangers share could be used up by one of them.
        let or_address = |value: Option<Value>| value.unwrap_or_else(|| json!(["ip", address()]));
        let value = |by: &By| match by {
            By::Ip => json!(["ip", address()]),
            // A trailing slash makes no other path, nor does another spelling of one: each guess would count anew.
            By::Path => json!(["path", folded(path)]),
            By::Route => json!(["route", route]),
            By::Header(name) => json!(["header", name, head.headers.get(name).map(|value| distinct(&value))]),
            By::User => or_address(identity.and_then(|identity| {
                let authorizer = identity.authorizer.number;
                let consumer = identity.consumer().map(|consumer| json!(["consumer", authorizer, consumer.id]));
                consumer.or_else(|| identity.claims().get("sub").map(|subject| json!(["user", authorizer, subject])))
            })),
            By::Claim(name) => or_address(identity.and_then(|identity| {
                let authorizer = identity.authorizer.number;
                identity.claims().find(name).map(|value| json!(["claim", authorizer, name, value]))
            })),
        };
        let key = Value::from(self.by.iter().map(value).collect::<Vec<_>>()).to_string();
        Counter { limit: self, key: short(key, MAX_KEY_BYTES) }
    }
}

/// What a request counts as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter<'g> {
    /// The limit.
    pub limit: &'g RateLimit,
    /// The key.
    pub key: String,
}

/// The limits before authentication.
#[derive(Clone, Copy, Debug)]
pub enum Before {}

/// The limits after it.
#[derive(Clone, Copy, Debug)]
pub enum After {}

/// What a request has to be counted as at one stage.
#[derive(Debug)]
pub struct Counters<'g, Stage>(pub(crate) Vec<Counter<'g>>, pub(crate) PhantomData<Stage>);

/// Proof that the limits of one stage leave room for a request. The next stage takes nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Counted<Stage>(PhantomData<Stage>);

impl<'g, Stage> Counters<'g, Stage> {
    /// What the platform is to be asked.
    pub fn list(&self) -> &[Counter<'g>] {
        &self.0
    }

    /// Where there is nothing to count.
    pub const fn none(&self) -> Option<Counted<Stage>> {
        if self.0.is_empty() { Some(Counted(PhantomData)) } else { None }
    }

    /// Whether there is room, according to `answers`: one for each counter, in their order.
    ///
    /// # Errors
    /// The refusal where there is none, and where an answer is missing.
    pub fn judge(&self, answers: &[bool]) -> Result<Counted<Stage>, Reject> {
        for (index, counter) in self.0.iter().enumerate() {
            if answers.get(index) != Some(&true) {
                return Err(Reject::rate_limited(counter.limit.period_seconds));
            }
        }
        Ok(Counted(PhantomData))
    }
}

/// The different values of a header's lines, in one order: copies of one value are not another count.
fn distinct(value: &str) -> String {
    let mut values: Vec<&str> = value.split(',').map(str::trim).filter(|value| !value.is_empty()).collect();
    values.sort_unstable();
    values.dedup();
    values.join(",")
}

/// An address as it is counted.
fn network(address: &str) -> String {
    let Ok(parsed) = address.parse::<std::net::Ipv6Addr>() else { return address.to_owned() };
    if let Some(address) = parsed.to_ipv4_mapped() {
        return address.to_string();
    }
    let [a, b, c, d, ..] = parsed.segments();
    format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{headers, request};

    fn key(by: &[By], list: &[(&str, &str)], path: &str) -> String {
        let limit = RateLimit { binding: "L".into(), by: by.to_vec(), period_seconds: 60 };
        let list = headers(list);
        let head = request("GET", "https://h/", &list);
        limit.counter(&head, path, "/r", None).key
    }

    #[test]
    fn what_requests_are_counted_by_tells_them_apart() {
        let from = |address: &str| key(&[By::Ip], &[("cf-connecting-ip", address)], "/");
        for (name, one, other, same) in [
            ("one address", from("1.2.3.4"), from("1.2.3.4"), true),
            ("two addresses", from("1.2.3.4"), from("1.2.3.5"), false),
            ("one IPv6 network", from("2001:db8:1:2::1"), from("2001:db8:1:2:ffff::9"), true),
            ("two IPv6 networks", from("2001:db8:1:2::1"), from("2001:db8:1:3::1"), false),
            ("IPv4 inside IPv6", from("::ffff:1.2.3.4"), from("1.2.3.4"), true),
            ("two paths", key(&[By::Path], &[], "/a"), key(&[By::Path], &[], "/b"), false),
            ("one route", key(&[By::Route], &[], "/a"), key(&[By::Route], &[], "/b"), true),
            (
                "two headers",
                key(&[By::Header("k".into())], &[("k", "1")], "/"),
                key(&[By::Header("k".into())], &[("k", "2")], "/"),
                false,
            ),
            (
                "copies of one header",
                key(&[By::Header("k".into())], &[("k", "1"), ("k", " 1"), ("k", "")], "/"),
                key(&[By::Header("k".into())], &[("k", "1")], "/"),
                true,
            ),
            ("a trailing slash", key(&[By::Path], &[], "/a/"), key(&[By::Path], &[], "/a"), true),
            (
                "a header that is not there",
                key(&[By::Header("k".into())], &[], "/"),
                key(&[By::Header("k".into())], &[("k", "null")], "/"),
                false,
            ),
            (
                "a value that looks like two",
                key(&[By::Header("a".into()), By::Header("b".into())], &[("a", "1\",\"2"), ("b", "")], "/"),
                key(&[By::Header("a".into()), By::Header("b".into())], &[("a", "1"), ("b", "2")], "/"),
                false,
            ),
            ("a parameter of a path", key(&[By::Path], &[], "/login;1"), key(&[By::Path], &[], "/login"), true),
            ("a parameter inside", key(&[By::Path], &[], "/a;x=1/b;y"), key(&[By::Path], &[], "/a/b/"), true),
            ("percent signs", key(&[By::Path], &[], "/a%3Ab%3B2"), key(&[By::Path], &[], "/a:b"), true),
            ("percent signs that say something", key(&[By::Path], &[], "/a%20b"), key(&[By::Path], &[], "/ab"), false),
            (
                "nobody, by address",
                key(&[By::User], &[("cf-connecting-ip", "1.1.1.1")], "/"),
                key(&[By::User], &[("cf-connecting-ip", "2.2.2.2")], "/"),
                false,
            ),
        ] {
            assert_eq!(one == other, same, "{name}: {one} {other}");
        }
    }

    #[test]
    fn long_keys_are_counted_by_their_digest() {
        let long = key(&[By::Path], &[], &format!("/{}", "a".repeat(300)));
        assert!(long.starts_with("sha256:") && long.len() == 71, "{long}");
    }

    #[test]
    fn a_missing_answer_is_a_refusal() {
        let limit = RateLimit { binding: "L".into(), by: vec![By::Ip], period_seconds: 10 };
        let counter = || Counter { limit: &limit, key: "k".into() };
        let counters = Counters::<Before>(vec![counter(), counter()], PhantomData);
        assert!(counters.none().is_none());
        assert!(counters.judge(&[true, true]).is_ok());
        for answers in [&[][..], &[true][..], &[true, false][..], &[false, true][..]] {
            let reject = counters.judge(answers).unwrap_err();
            assert_eq!(reject, Reject::rate_limited(10), "{answers:?}");
        }
    }
}
