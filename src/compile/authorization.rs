//! `authorization`, and what `auth` demands beside an authorizer, compiled.

use super::callers::Callers;
use super::{Compiler, Reported};
use crate::authorization::Authorization;
use crate::config::field::{At, Field};
use crate::config::reference::{Env, has_reference};
use crate::config::wire::{self, Auth, Match};
use crate::rules::{Kind, Rule};

/// The claim that lists roles, unless `roles_claim` names another.
const ROLES_CLAIM: &str = "roles";

impl Compiler<'_> {
    /// What a path demands of its `callers`.
    pub(super) fn authorization(&self, path: &wire::Path, callers: Callers) -> Result<Option<Authorization>, Reported> {
        let mut authorization = Authorization { roles_claim: ROLES_CLAIM.to_owned(), ..Authorization::default() };
        if let Some(Auth::Object(settings)) = path.auth.value() {
            authorization.scopes = self.scopes(&settings.scopes).ok_or(Reported)?;
            authorization.any_scope = settings.scopes_match.value() == Some(&Match::Any);
            authorization.roles = self.texts(&settings.roles).ok_or(Reported)?;
            if let Some(claim) = settings.roles_claim.good().and_then(|at| self.name(at, "a claim")) {
                authorization.roles_claim.clone_from(claim);
            }
            for (field, name) in [(&settings.scopes, "scopes"), (&settings.roles, "roles")] {
                if let (Some(at), true) = (field.good(), field.strings().is_empty()) {
                    self.error(at.offset, format!("`{name}` names none"));
                } else if let Some(empty) = field.strings().iter().find(|at| at.value.is_empty() && name == "roles") {
                    self.error(empty.offset, "an empty text is no role");
                } else if let (Some(at), Some(why)) = (field.good(), callers.without_claims()) {
                    self.error(
                        at.offset,
                        format!("{why}, so nobody has these `{name}`: `consumer` in a rule is what is known"),
                    );
                }
            }
        }
        match &path.authorization {
            Field::Absent => {}
            Field::Bad => return Err(Reported),
            Field::Good(at) => {
                if !callers.known {
                    self.warn(
                        at.offset,
                        "these rules judge requests of which nobody is known: the path has no authorizer",
                    );
                }
                authorization.rules = self.rules_of(at, callers).ok_or(Reported)?;
            }
        }
        let demands =
            !(authorization.scopes.is_empty() && authorization.roles.is_empty() && authorization.rules.is_empty());
        Ok(demands.then_some(authorization))
    }

    /// Scopes, each a `scope-token` of RFC 6749 section 3.3, since they end up in a header.
    fn scopes(&self, field: &Field<wire::OneOrMany>) -> Option<Vec<String>> {
        for at in field.strings() {
            let fits = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
            if at.value.is_empty() || !at.value.bytes().all(fits) {
                self.error(at.offset, format!("`{}` is no scope: one word, without quotes and `\\`", at.value));
            }
        }
        self.texts(field)
    }

    fn rules_of(&self, at: &At<wire::Authorization>, callers: Callers) -> Option<Vec<Rule>> {
        let list = self.required(&at.value.rules, at.offset, "rules")?;
        if list.value.is_empty() {
            self.warn(list.offset, "there is no rule: nothing is demanded");
        }
        let rules: Vec<Option<Rule>> = list.value.iter().map(|rule| self.rule(rule.good()?, callers)).collect();
        rules.into_iter().collect()
    }

    fn rule(&self, at: &At<wire::Rule>, callers: Callers) -> Option<Rule> {
        let kinds = [(Kind::Allow, &at.value.allow), (Kind::Deny, &at.value.deny), (Kind::Require, &at.value.require)];
        let written: Vec<_> = kinds.into_iter().filter(|(_, field)| !field.is_absent()).collect();
        let [(kind, field)] = written.as_slice() else {
            self.error(at.offset, "a rule is one of `allow`, `deny`, `require`");
            return None;
        };
        let source = field.good()?;
        if has_reference(&source.value) {
            self.error(source.offset, "a rule is written out: references cannot be used in it");
            return None;
        }
        let rule = Rule::new(*kind, source.value.clone());
        // A Worker has a checked configuration, and compiles a rule when it is first asked.
        if !matches!(self.env, Env::Known(_)) {
            if let Err(why) = rule.check() {
                self.error(source.offset, format!("this rule cannot be used: {why}"));
                return None;
            }
            let reads = rule.headers().into_iter().map(|name| (source.offset, name));
            self.header_reads.borrow_mut().extend(reads);
            let no_consumers = (!callers.consumers).then_some("no authorizer of the path has consumers");
            for (variable, lacking) in [("jwt", callers.without_claims()), ("consumer", no_consumers)] {
                if let (Some(why), true) = (lacking, rule.asks_for(variable)) {
                    self.warn(source.offset, format!("`{variable}` is never there: {why}"));
                }
            }
        }
        Some(rule)
    }
}
