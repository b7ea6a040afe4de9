//! Who may do what: scopes, roles and rules, once it is known who is asking.

use serde_json::Value;

use crate::authn::Identity;
use crate::reject::{Code, Reject};
use crate::rules::{self, Facts, Rule};

/// What a path demands of those whom its authorizers let pass.
#[derive(Debug, Default)]
pub struct Authorization {
    /// Scopes that a token must grant.
    pub scopes: Vec<String>,
    /// Whether one of them is enough.
    pub any_scope: bool,
    /// Roles, of which one is enough.
    pub roles: Vec<String>,
    /// The claim that lists roles, by its name or along dots.
    pub roles_claim: String,
    /// Rules.
    pub rules: Vec<Rule>,
}

impl Authorization {
    /// Whether it asks for something that nobody unknown has.
    pub const fn asks_for_somebody(&self) -> bool {
        !self.scopes.is_empty() || !self.roles.is_empty()
    }

    /// Whether a request may do what it asks for.
    ///
    /// # Errors
    /// `insufficient_scope` or `access_denied`. The client learns neither rule nor role; the log does.
    pub fn judge(&self, facts: Facts<'_>) -> Result<(), Reject> {
        self.judge_scopes(facts.identity)?;
        self.judge_roles(facts.identity)?;
        if self.rules.is_empty() { Ok(()) } else { rules::judge(&self.rules, facts) }
    }

    /// `scope` is one text (RFC 8693 section 4.2), `scp` a text or a list.
    fn judge_scopes(&self, identity: Option<&Identity<'_>>) -> Result<(), Reject> {
        if self.scopes.is_empty() {
            return Ok(());
        }
        let claim =
            identity.and_then(|identity| identity.claims().get("scope").or_else(|| identity.claims().get("scp")));
        let granted = claim.map(words).unwrap_or_default();
        let is_granted = |scope: &String| granted.contains(&scope.as_str());
        let enough =
            if self.any_scope { self.scopes.iter().any(is_granted) } else { self.scopes.iter().all(is_granted) };
        if enough {
            return Ok(());
        }
        let lacking: Vec<&str> = self.scopes.iter().filter(|scope| !is_granted(scope)).map(String::as_str).collect();
        let why = format!("the scopes {} are not granted", lacking.join(if self.any_scope { " or " } else { ", " }));
        Err(Reject::insufficient_scope(self.scopes.join(" ")).because(why))
    }

    fn judge_roles(&self, identity: Option<&Identity<'_>>) -> Result<(), Reject> {
        if self.roles.is_empty() {
            return Ok(());
        }
        let claim = identity.and_then(|identity| identity.claims().find(&self.roles_claim));
        // A text is one role: `super admin` is no `admin`.
        let has = match claim {
            Some(Value::String(role)) => vec![role.as_str()],
            Some(list) => words(list),
            None => Vec::new(),
        };
        if self.roles.iter().any(|role| has.contains(&role.as_str())) {
            return Ok(());
        }
        let why = format!("`{}` holds none of the roles {}", self.roles_claim, self.roles.join(", "));
        Err(Reject::new(Code::AccessDenied).because(why))
    }
}

/// The words of a text, or the texts of a list.
fn words(claim: &Value) -> Vec<&str> {
    match claim {
        Value::String(text) => text.split(' ').filter(|word| !word.is_empty()).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
