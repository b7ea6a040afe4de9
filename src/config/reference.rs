//! `$env.NAME` and `$secret.NAME` inside string values; `$$` is a literal dollar.

use super::nearest::quoted_with_suggestion;

/// The variables and secrets a configuration may refer to.
#[derive(Clone, Copy)]
pub enum Env<'e> {
    /// Not at hand, as in a build: references are left open and what depends on their value is not checked.
    Unknown,
    /// At hand, as in a Worker.
    Known(&'e dyn Fn(&str) -> Option<String>),
    /// At hand to be judged, as with `--env-file`: what a Worker would make do with is a problem here.
    Judged(&'e dyn Fn(&str) -> Option<String>),
}

/// A string value after its references were looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// All of it is known.
    Value(String),
    /// It refers to an environment that is not at hand.
    Open,
    /// It refers to names that are not bound.
    Missing(Vec<String>),
}

/// A dollar sign that reads like a reference but is none; a phrase.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidReference(pub String);

/// A piece of a string value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    /// Text as it is.
    Literal(&'t str),
    /// `$env.NAME`, `$secret.NAME`.
    Binding(&'t str),
    /// `$config.KEY`: one of the configuration's variables.
    Variable(&'t str),
    /// `$request.PART` or `$request.PART.NAME`: something of the request, with a name where the part has several.
    Request(&'t str, &'t str),
}

/// The kinds of reference that every value takes, `secrets` being an accepted spelling of `secret`. Both read the same bindings: a Worker's
/// variables and secrets share one namespace.
const KINDS: [&str; 3] = ["env", "secret", "secrets"];

/// The parts of a request that have a name each, and those that have none.
pub(crate) const NAMED_PARTS: [&str; 4] = ["header", "query", "path", "jwt"];
pub(crate) const BARE_PARTS: [&str; 3] = ["method", "ip", "id"];

/// Looks up every reference in `text`.
pub fn resolve(text: &str, env: Env<'_>) -> Result<Resolved, InvalidReference> {
    let pieces = parse(text)?;
    let mut value = String::with_capacity(text.len());
    let mut missing = Vec::new();
    let mut open = false;
    for piece in pieces {
        match (piece, env) {
            (Piece::Literal(literal), _) => value.push_str(literal),
            (Piece::Variable(_), _) => return Err(InvalidReference::misplaced("config")),
            (Piece::Request(..), _) => return Err(InvalidReference::misplaced("request")),
            (Piece::Binding(_), Env::Unknown) => open = true,
            (Piece::Binding(name), Env::Known(lookup) | Env::Judged(lookup)) => match lookup(name) {
                Some(bound) => value.push_str(&bound),
                None => missing.push(name.to_owned()),
            },
        }
    }
    Ok(if !missing.is_empty() {
        Resolved::Missing(missing)
    } else if open {
        Resolved::Open
    } else {
        Resolved::Value(value)
    })
}

/// Whether `text` holds a reference, well-formed or not.
pub fn has_reference(text: &str) -> bool {
    !matches!(parse(text), Ok(pieces) if pieces.iter().all(|piece| matches!(piece, Piece::Literal(_))))
}

impl InvalidReference {
    fn misplaced(kind: &str) -> Self {
        Self(format!("`${kind}.` cannot be used here (a literal dollar is written `$$`)"))
    }
}

/// Takes `text` apart. A reference ends with its name, or is put in braces: `${request.jwt.https://example.com/role}`.
pub(crate) fn parse(text: &str) -> Result<Vec<Piece<'_>>, InvalidReference> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('$') {
        pieces.push(Piece::Literal(literal));
        if let Some(after) = after.strip_prefix('$') {
            pieces.push(Piece::Literal("$"));
            rest = after;
        } else if let Some(inner) = after.strip_prefix('{') {
            let unknown =
                || InvalidReference("`${` begins a reference in braces (a literal dollar is written `$$`)".into());
            let (inner, tail) = inner.split_once('}').ok_or_else(unknown)?;
            let (kind, name) = inner.split_once('.').ok_or_else(unknown)?;
            let (piece, taken) = reference(kind, name, str::len)?;
            if taken < name.len() {
                return Err(InvalidReference(format!("`${{{inner}}}` has more than its name in the braces")));
            }
            pieces.push(piece);
            rest = tail;
        } else {
            let (kind, tail) = after.split_at(word(after, "_"));
            match tail.strip_prefix('.') {
                Some(name) if !kind.is_empty() => {
                    let (piece, taken) = reference(kind, name, |name| match kind {
                        "env" | "secret" | "secrets" => word(name, "_"),
                        _ => dotted(name),
                    })?;
                    pieces.push(piece);
                    rest = name.get(taken..).unwrap_or_default();
                }
                _ => {
                    pieces.push(Piece::Literal("$"));
                    rest = after;
                }
            }
        }
    }
    pieces.push(Piece::Literal(rest));
    Ok(pieces)
}

/// The reference of this `kind` at the front of `text`, with its length; `end` says how long its name is.
fn reference<'t>(
    kind: &str,
    text: &'t str,
    end: impl Fn(&str) -> usize,
) -> Result<(Piece<'t>, usize), InvalidReference> {
    let named = |prefix: &str, text: &'t str| match text.get(..end(text)) {
        Some(name) if !name.is_empty() => Ok(name),
        _ => Err(InvalidReference(format!("`${prefix}.` names nothing"))),
    };
    match kind {
        _ if KINDS.contains(&kind) => named(kind, text).map(|name| (Piece::Binding(name), name.len())),
        "config" => named(kind, text).map(|name| (Piece::Variable(name), name.len())),
        "request" => {
            let (part, tail) = text.split_at(word(text, "_"));
            if BARE_PARTS.contains(&part) {
                return Ok((Piece::Request(part, ""), part.len()));
            }
            if !NAMED_PARTS.contains(&part) {
                let known = NAMED_PARTS.into_iter().chain(BARE_PARTS);
                let part = quoted_with_suggestion(part, known);
                return Err(InvalidReference(format!("a request has no {part} (a literal dollar is written `$$`)")));
            }
            let prefix = format!("request.{part}");
            let name = named(&prefix, tail.strip_prefix('.').unwrap_or_default())?;
            let name = if part == "header" || part == "path" { name.split('.').next().unwrap_or(name) } else { name };
            Ok((Piece::Request(part, name), part.len() + 1 + name.len()))
        }
        _ => {
            let known = KINDS.into_iter().chain(["request", "config"]);
            let kind = quoted_with_suggestion(kind, known);
            Err(InvalidReference(format!("unknown reference {kind} (a literal dollar is written `$$`)")))
        }
    }
}

/// Bytes of the word at the front of `text`: letters, digits and `more`.
fn word(text: &str, more: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || more.contains(c))).unwrap_or(text.len())
}

/// Bytes of the words at the front of `text` that dots join: a full stop behind the last is not its.
fn dotted(text: &str) -> usize {
    let end = word(text, "_-:.");
    text.get(..end).unwrap_or_default().trim_end_matches(['.', ':', '-']).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("api.example.com".into()),
            "EMPTY" => Some(String::new()),
            "DOLLAR" => Some("$env.HOST".into()),
            _ => None,
        }
    }

    #[test]
    fn references_are_looked_up_whole_and_inside_text() {
        for (text, expected) in [
            ("plain", "plain"),
            ("$env.HOST", "api.example.com"),
            ("https://$env.HOST/v$$1", "https://api.example.com/v$1"),
            ("$secret.HOST$secrets.HOST", "api.example.comapi.example.com"),
            ("$5 and $", "$5 and $"),
            ("[$env.EMPTY]", "[]"),
            // What a variable holds is text, never a reference of its own.
            ("$env.DOLLAR", "$env.HOST"),
        ] {
            assert_eq!(resolve(text, Env::Known(&lookup)), Ok(Resolved::Value(expected.into())), "{text}");
        }
    }

    #[test]
    fn names_that_are_not_bound_are_told_and_never_become_empty() {
        let missing = resolve("$env.A/$secret.HOST/$secret.B", Env::Known(&lookup));
        assert_eq!(missing, Ok(Resolved::Missing(vec!["A".into(), "B".into()])));
        assert_eq!(resolve("$env.A", Env::Unknown), Ok(Resolved::Open));
    }

    #[test]
    fn what_reads_like_a_reference_but_is_none_is_refused() {
        for text in ["$evn.HOST", "$env.", "$request.jwt.sub", "a $config.x", "${env.HOST", "${HOST}"] {
            assert!(resolve(text, Env::Unknown).is_err(), "{text}");
        }
    }

    #[test]
    fn a_reference_ends_with_its_name_or_with_its_brace() {
        use Piece::{Binding, Literal, Request, Variable};
        for (text, expected) in [
            ("Bearer $config.api-token", vec![Literal("Bearer "), Variable("api-token"), Literal("")]),
            ("$request.jwt.realm_access.roles.", vec![Literal(""), Request("jwt", "realm_access.roles"), Literal(".")]),
            ("$request.header.x-id.json", vec![Literal(""), Request("header", "x-id"), Literal(".json")]),
            (
                "/v2/$request.path.id/$request.method",
                vec![Literal("/v2/"), Request("path", "id"), Literal("/"), Request("method", ""), Literal("")],
            ),
            (
                "$request.path.a-$request.path.b",
                vec![Literal(""), Request("path", "a"), Literal("-"), Request("path", "b"), Literal("")],
            ),
            ("${request.jwt.https://a.b/role}!", vec![Literal(""), Request("jwt", "https://a.b/role"), Literal("!")]),
            ("${env.HOST}name", vec![Literal(""), Binding("HOST"), Literal("name")]),
            ("$env.HOST.name", vec![Literal(""), Binding("HOST"), Literal(".name")]),
            (
                "$request.ip, $request.id",
                vec![Literal(""), Request("ip", ""), Literal(", "), Request("id", ""), Literal("")],
            ),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        for text in [
            "$request.jwt",
            "$request.header.",
            "$request.body.x",
            "${request.jwt.}",
            "${request.header.a.b}",
            "$config.",
            "${a.b}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
