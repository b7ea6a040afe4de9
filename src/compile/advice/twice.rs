//! What is there twice, where a second one does nothing.

use std::collections::BTreeMap;

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;

use crate::compile::Compiler;
use crate::config::field::{At, Field};
use crate::config::problem::Finding;
use crate::config::wire::{self, Auth, Jwt, List, OneOrMany, RateLimits, RetryOn, TokenFrom};

impl Compiler<'_> {
    pub(super) fn twice_in_authorizer(&self, authorizer: &wire::Authorizer) {
        if let wire::Authorizer::ApiKey(key) = authorizer {
            self.doubles(key.token_from.elements().filter_map(place));
        }
        let Some((_, jwt)) = authorizer.parts() else { return };
        let Jwt { algorithm, algorithms, issuer, audience, required_claims, token_types, .. } = jwt;
        for field in [algorithm, algorithms, issuer, audience] {
            self.doubles(words(field));
        }
        self.doubles(names(required_claims));
        self.doubles(token_types.elements().map(in_any_case));
        self.doubles(jwt.token_from.elements().filter_map(place));
        for (_, at) in jwt.claims.members() {
            let Some(Value::Array(values)) = self.source.value_at(at.value.0) else { continue };
            let text = |value: &Value<'_>| self.source.text().get(value.start()..value.end()).unwrap_or_default();
            self.doubles(values.elements.iter().map(|value| Item::new(value.start(), text(value))));
        }
    }

    pub(super) fn twice_in_cors(&self, cors: &Field<wire::Cors>) {
        let Some(cors) = cors.value() else { return };
        self.doubles(names(&cors.allow_methods));
        for list in [&cors.allow_origins, &cors.allow_headers, &cors.expose_headers] {
            self.doubles(list.elements().map(in_any_case));
        }
    }

    pub(super) fn twice_in_path(&self, path: &wire::Path) {
        match path.auth.value() {
            Some(Auth::List(list)) => self.doubles(list.iter().filter_map(Field::good).map(name)),
            Some(Auth::Object(settings)) => {
                for field in [&settings.authorizer, &settings.scopes, &settings.roles] {
                    self.doubles(words(field));
                }
            }
            _ => {}
        }
        if let Some(authorization) = path.authorization.value() {
            self.doubles(authorization.rules.elements().flat_map(|at| {
                let kinds = [("allow", &at.value.allow), ("deny", &at.value.deny), ("require", &at.value.require)];
                kinds.into_iter().filter_map(|(kind, field)| {
                    let source = field.good()?;
                    Some(Item { key: format!("{kind} {}", source.value.trim()), ..name(source) })
                })
            }));
        }
        let retries = match path.integration.value() {
            Some(wire::Integration::HttpProxy(proxy)) => proxy.retries.value(),
            Some(wire::Integration::ServiceBinding(service)) => service.retries.value(),
            None => None,
        };
        if let Some(retries) = retries {
            self.doubles(retries.on.elements().map(|on| match &on.value {
                RetryOn::Number(status) => Item::new(on.offset, &status.to_string()),
                RetryOn::String(word) => Item::new(on.offset, word),
            }));
        }
        self.twice_in_limits(path);
        self.any_and_more(&path.method);
    }

    fn twice_in_limits(&self, path: &wire::Path) {
        let limits: Vec<(usize, &wire::RateLimit)> = match path.rate_limit.good() {
            None => return,
            Some(At { value: RateLimits::Object(limit), offset }) => vec![(*offset, limit)],
            Some(At { value: RateLimits::List(list), .. }) => {
                list.iter().filter_map(Field::good).map(|at| (at.offset, &at.value)).collect()
            }
        };
        let mut known: BTreeMap<(&str, Vec<String>), usize> = BTreeMap::new();
        for (offset, limit) in limits {
            let words = limit.by.strings();
            let items: Vec<Item> = words.iter().map(counted).collect();
            let mut by: Vec<String> = items.iter().map(|item| item.key.clone()).collect();
            self.doubles(items);
            let Some(binding) = limit.binding.value() else { continue };
            by.sort_unstable();
            if let Some(other) = known.insert((binding, by), offset) {
                let message = "this limit is there twice: one request counts as two";
                self.report(Finding::remark(offset, other, message));
            }
        }
    }

    fn any_and_more(&self, methods: &Field<OneOrMany>) {
        let methods = methods.strings();
        let Some(any) = methods.iter().find(|at| at.value == "ANY").filter(|_| methods.len() > 1) else { return };
        self.warn(any.offset, "`ANY` has all other methods in it: it is enough by itself");
    }

    /// Tells of all but the first of what is the same.
    fn doubles(&self, items: impl IntoIterator<Item = Item>) {
        let mut known = BTreeMap::new();
        for Item { offset, key, written } in items {
            if let Some(other) = known.get(&key) {
                self.report(Finding::remark(offset, *other, format!("`{written}` is there twice")));
            } else {
                known.insert(key, offset);
            }
        }
    }
}

/// One of several that should differ.
struct Item {
    offset: usize,
    /// What is compared.
    key: String,
    /// As it is written: no reference is ever looked up here.
    written: String,
}

impl Item {
    fn new(offset: usize, written: &str) -> Self {
        Self { offset, key: written.to_owned(), written: written.to_owned() }
    }

    fn in_any_case(self) -> Self {
        Self { key: self.key.to_ascii_lowercase(), ..self }
    }
}

fn name(at: &At<String>) -> Item {
    Item::new(at.offset, &at.value)
}

fn in_any_case(at: &At<String>) -> Item {
    name(at).in_any_case()
}

fn names(list: &Field<List<String>>) -> impl Iterator<Item = Item> {
    list.elements().map(name)
}

fn words(field: &Field<OneOrMany>) -> impl Iterator<Item = Item> {
    field.strings().into_iter().map(|at| Item::new(at.offset, at.value))
}

/// A word of `by`: claims differ by case, headers do not.
fn counted(word: &At<&str>) -> Item {
    let item = Item::new(word.offset, word.value);
    if word.value.starts_with("header:") { item.in_any_case() } else { item }
}

/// A place of a token, by its kind and name.
fn place(at: &At<TokenFrom>) -> Option<Item> {
    let from = &at.value;
    if let Some(header) = from.header.good() {
        return Some(Item { key: format!("header {}", header.value.to_ascii_lowercase()), ..name(header) });
    }
    let kinds = [("cookie", &from.cookie), ("query", &from.query)];
    kinds.into_iter().find_map(|(kind, field)| {
        let other = field.good()?;
        Some(Item { key: format!("{kind} {}", other.value), ..name(other) })
    })
}
