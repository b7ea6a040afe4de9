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

#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Literal(&'t str),
    Binding(&'t str),
}

/// The kinds of reference, `secrets` being an accepted spelling of `secret`. Both read the same bindings: a Worker's variables and
/// secrets share one namespace.
const KINDS: [&str; 3] = ["env", "secret", "secrets"];

/// Looks up every reference in `text`.
pub fn resolve(text: &str, env: Env<'_>) -> Result<Resolved, InvalidReference> {
    let pieces = parse(text)?;
    let mut value = String::with_capacity(text.len());
    let mut missing = Vec::new();
    let mut open = false;
    for piece in pieces {
        match (piece, env) {
            (Piece::Literal(literal), _) => value.push_str(literal),
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

fn parse(text: &str) -> Result<Vec<Piece<'_>>, InvalidReference> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('$') {
        pieces.push(Piece::Literal(literal));
        if let Some(after) = after.strip_prefix('$') {
            pieces.push(Piece::Literal("$"));
            rest = after;
            continue;
        }
        let (kind, tail) = split_name(after);
        match tail.strip_prefix('.') {
            Some(tail) if KINDS.contains(&kind) => {
                let (name, tail) = split_name(tail);
                if name.is_empty() {
                    return Err(InvalidReference(format!("`${kind}.` names nothing")));
                }
                pieces.push(Piece::Binding(name));
                rest = tail;
            }
            Some(_) if !kind.is_empty() => {
                let why = match kind {
                    "request" | "config" => format!("`${kind}.` cannot be used here"),
                    _ => format!("unknown reference {}", quoted_with_suggestion(kind, KINDS)),
                };
                return Err(InvalidReference(format!("{why} (a literal dollar is written `$$`)")));
            }
            _ => {
                pieces.push(Piece::Literal("$"));
                rest = after;
            }
        }
    }
    pieces.push(Piece::Literal(rest));
    Ok(pieces)
}

fn split_name(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.split_at(end)
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
        for text in ["$evn.HOST", "$env.", "$request.jwt.sub", "a $config.x"] {
            assert!(resolve(text, Env::Unknown).is_err(), "{text}");
        }
    }
}
