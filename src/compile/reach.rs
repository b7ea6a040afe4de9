//! Protected paths that can be had by the side: what they lead to is behind an open route too, under another spelling.
//!
//! Nothing here is a fault of the gateway, which matches letter for letter. It is what the author of a configuration may not have seen, so
//! it is a warning, told where somebody reads it and not in a Worker.

use std::collections::BTreeMap;

use super::Compiler;
use crate::config::reference::Env;
use crate::config::wire::{self, Auth, Integration, Mode};
use crate::gateway::{Gateway, Methods};
use crate::route::pattern::Pattern;

/// What stands in examples for a segment that may be anything.
const ANY_SEGMENT: &str = "any";

/// A route as far as it matters here.
struct Way<'c> {
    offset: usize,
    methods: Vec<&'c str>,
    path: &'c str,
    pattern: Pattern,
    /// Whether a request without a token always passes, never passes, or neither.
    guard: Guard,
    upstream: Option<Upstream<'c>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Guard {
    Open,
    Guarded,
    /// A token is looked at and none is needed: somebody has thought about it.
    Between,
}

struct Upstream<'c> {
    /// The URL as it is written, or the alias of another Worker.
    target: &'c str,
    /// Whether the request's path decides on the upstream's: a server without `rewrite`.
    follows_path: bool,
}

impl Upstream<'_> {
    /// Scheme and host.
    fn origin(&self) -> &str {
        let start = self.target.find("://").map_or(0, |place| place + 3);
        let end = self.target.get(start..).and_then(|rest| rest.find('/')).map(|place| start + place);
        end.and_then(|end| self.target.get(..end)).unwrap_or(self.target)
    }
}

impl Way<'_> {
    fn name(&self) -> String {
        format!("`{} {}`", self.methods.join(","), self.path)
    }

    /// A method of which both take notice, if there is one.
    fn shares_a_method(&self, other: &Self) -> bool {
        let any = |way: &Self| way.methods.contains(&"ANY");
        any(self) || any(other) || self.methods.iter().any(|method| other.methods.contains(method))
    }

    /// The routes of `found` that take requests of this route's methods.
    fn routes_at(&self, found: Option<&Methods>) -> Vec<usize> {
        let Some(found) = found else { return Vec::new() };
        if self.methods.contains(&"ANY") {
            return found.routes().collect();
        }
        self.methods.iter().filter_map(|method| found.route(method)).collect()
    }

    /// What the upstream gets of `path`, segment by segment: a final `{.+}` takes the literals before it off.
    fn sent_on<'s>(&self, path: &'s [String]) -> &'s [String] {
        let off = if self.pattern.has_rest() { self.pattern.literal_prefix() } else { 0 };
        path.get(off..).unwrap_or_default()
    }
}

impl Compiler<'_> {
    pub(super) fn reach(&self, config: &wire::Config, gateway: &Gateway) {
        if matches!(self.env, Env::Known(_)) {
            return;
        }
        let ways = ways(config, gateway);
        let mut open: BTreeMap<&str, Vec<&Way<'_>>> = BTreeMap::new();
        for way in ways.iter().flatten().filter(|way| way.guard == Guard::Open && way.pattern.has_rest()) {
            if let Some(upstream) = way.upstream.as_ref().filter(|upstream| upstream.follows_path) {
                open.entry(upstream.target.trim_end_matches('/')).or_default().push(way);
            }
        }
        for way in ways.iter().flatten().filter(|way| way.guard == Guard::Guarded) {
            self.other_methods(way, &ways, gateway);
            self.other_case(way, &ways, gateway);
            let target = way.upstream.as_ref().filter(|upstream| upstream.follows_path);
            let beside = target.and_then(|upstream| open.get(upstream.target.trim_end_matches('/')));
            self.other_prefix(way, beside.map_or(&[], Vec::as_slice), &ways, gateway);
        }
    }

    /// `GET` is protected, and `ANY` of the same path is not.
    fn other_methods(&self, way: &Way<'_>, ways: &[Option<Way<'_>>], gateway: &Gateway) {
        let any = methods_at(gateway, &way.pattern.sample(ANY_SEGMENT)).and_then(|methods| methods.any);
        let any = any.and_then(|number| ways.get(number)?.as_ref());
        if let Some(any) = any.filter(|any| any.guard == Guard::Open && any.pattern.fits_the_same(&way.pattern)) {
            self.warn(way.offset, format!("all other methods of this path are open: {} has no `auth`", any.name()));
        }
    }

    /// `/admin` is protected, and `/Admin` goes to an open route with the same upstream.
    fn other_case(&self, way: &Way<'_>, ways: &[Option<Way<'_>>], gateway: &Gateway) {
        let Some(upstream) = &way.upstream else { return };
        let sample = way.pattern.sample(ANY_SEGMENT);
        for place in 0..sample.len() {
            let mut varied = sample.clone();
            let Some(segment) = varied.get_mut(place) else { continue };
            let Some(flipped) = flipped(segment).filter(|_| segment != ANY_SEGMENT) else { continue };
            *segment = flipped;
            let found = methods_at(gateway, &varied);
            let numbers = way.routes_at(found);
            let beside = numbers.into_iter().filter_map(|number| ways.get(number)?.as_ref()).find(|other| {
                let origin = other.upstream.as_ref().map(Upstream::origin);
                other.guard == Guard::Open && origin == Some(upstream.origin())
            });
            if let Some(other) = beside {
                let message = format!(
                    "`/{}` goes to {}, which is open and leads to the same upstream: is it another path there too?",
                    varied.join("/"),
                    other.name()
                );
                self.warn(way.offset, message);
                return;
            }
        }
    }

    /// `/admin/{.+}` and `/public/{.+}` have one upstream, which gets `/x` from both.
    fn other_prefix(&self, way: &Way<'_>, open: &[&Way<'_>], ways: &[Option<Way<'_>>], gateway: &Gateway) {
        let sample = way.pattern.sample(ANY_SEGMENT);
        for other in open.iter().filter(|other| other.pattern.is_literal() && other.shares_a_method(way)) {
            let mut beside = other.pattern.sample(ANY_SEGMENT);
            beside.pop();
            beside.extend_from_slice(way.sent_on(&sample));
            let found = methods_at(gateway, &beside);
            let numbers = way.routes_at(found);
            let leads_there = numbers
                .into_iter()
                .filter_map(|number| ways.get(number)?.as_ref())
                .any(|found| found.guard == Guard::Open && found.offset == other.offset);
            if leads_there {
                let message = format!(
                    "`/{}` leads to the same place at the upstream, and is open by {}: a final `{{.+}}` takes off what is before it",
                    beside.join("/"),
                    other.name()
                );
                self.warn(way.offset, message);
                return;
            }
        }
    }
}

/// All routes by their numbers; none for one that could not be read.
fn ways<'c>(config: &'c wire::Config, gateway: &Gateway) -> Vec<Option<Way<'c>>> {
    let servers: BTreeMap<&str, &str> = config
        .servers
        .elements()
        .filter_map(|at| Some((at.value.alias.value()?.as_str(), at.value.url.value()?.as_str())))
        .collect();
    let mut routes = gateway.routes.iter();
    let all = config.paths.elements().map(|at| {
        let (path, route) = (&at.value, routes.next()?);
        let written = path.path.good()?;
        let strictest = || {
            let modes = route.auth.iter().map(|number| match gateway.authorizers.get(*number) {
                Some(Ok(authorizer)) => authorizer.mode,
                _ => Mode::Strict,
            });
            modes.max().unwrap_or(Mode::Strict)
        };
        let guard = match path.auth.value() {
            None | Some(Auth::Null | Auth::Boolean(false)) => Guard::Open,
            Some(_) if route.mode.unwrap_or_else(strictest) == Mode::Strict => Guard::Guarded,
            Some(_) => Guard::Between,
        };
        let upstream = match path.integration.value() {
            Some(Integration::HttpProxy(proxy)) => {
                let target = servers.get(proxy.server.value()?.as_str()).copied()?;
                Some(Upstream { target, follows_path: proxy.rewrite.is_absent() })
            }
            Some(Integration::ServiceBinding(service)) => {
                Some(Upstream { target: service.binding.value()?, follows_path: false })
            }
            None => None,
        };
        Some(Way {
            offset: written.offset,
            methods: path.method.strings().into_iter().map(|at| at.value).collect(),
            path: &written.value,
            pattern: Pattern::parse(&written.value).ok()?,
            guard,
            upstream,
        })
    });
    all.collect()
}

fn methods_at<'g>(gateway: &'g Gateway, segments: &[String]) -> Option<&'g Methods> {
    gateway.router.find(&format!("/{}", segments.join("/")))
}

/// `segment` with its first letter in the other case; none where it has no letter before its first escape.
fn flipped(segment: &str) -> Option<String> {
    let plain = segment.split('%').next()?;
    let place = plain.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (before, rest) = segment.split_at_checked(place)?;
    let mut letters = rest.chars();
    let first = letters.next()?;
    let other = if first.is_ascii_lowercase() { first.to_ascii_uppercase() } else { first.to_ascii_lowercase() };
    Some(format!("{before}{other}{}", letters.as_str()))
}
