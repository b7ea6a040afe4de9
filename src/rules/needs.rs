//! What an expression asks about: found out once, so that a request is only asked for that.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};

use super::cel::pattern;
use crate::config::nearest::quoted_with_suggestion;

/// The variables, each with its members; `jwt` has what the token has.
const VARIABLES: [(&str, &[&str]); 4] = [
    ("request", &["method", "path", "host", "scheme", "id", "headers", "query"]),
    ("jwt", &[]),
    ("consumer", &["id", "username", "credential"]),
    ("source", &["ip", "address"]),
];

/// Functions that the language has here, beside operators and macros: how each is written, with its operands.
const FUNCTIONS: [(&str, &[&str]); 13] = [
    ("size", &["size(x)", "x.size()"]),
    ("contains", &["x.contains(y)"]),
    ("startsWith", &["x.startsWith(y)"]),
    ("endsWith", &["x.endsWith(y)"]),
    ("matches", &["x.matches(y)", "matches(x, y)"]),
    ("int", &["int(x)"]),
    ("uint", &["uint(x)"]),
    ("double", &["double(x)"]),
    ("string", &["string(x)"]),
    ("bool", &["bool(x)"]),
    ("bytes", &["bytes(x)"]),
    ("type", &["type(x)"]),
    ("dyn", &["dyn(x)"]),
];

/// Names of types, which `type(x) == string` compares with.
const TYPES: [&str; 9] = ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "uint"];

/// How deep an expression may be nested: running it takes stack for each step down.
const MAX_DEPTH: usize = 100;

/// What a program asks a request for.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Claims by name.
    pub(super) claims: Vec<String>,
    /// All claims: `jwt` is used as a whole.
    pub(super) all_claims: bool,
    /// Members of the other variables.
    pub(super) members: Vec<(&'static str, &'static str)>,
    /// Headers, in lower case.
    pub(super) headers: Vec<String>,
    /// Query parameters.
    pub(super) parameters: Vec<String>,
    /// How deep the walk is just now.
    depth: usize,
}

impl Needs {
    /// Of `expression`, or why it asks for something that does not exist.
    pub(super) fn of(expression: &IdedExpr) -> Result<Self, String> {
        let mut needs = Self::default();
        needs.walk(expression, &mut Vec::new())?;
        Ok(needs)
    }

    /// Whether nothing of a request matters to it.
    pub(super) const fn is_constant(&self) -> bool {
        self.claims.is_empty()
            && !self.all_claims
            && self.members.is_empty()
            && self.headers.is_empty()
            && self.parameters.is_empty()
    }

    pub(super) fn has(&self, variable: &str) -> bool {
        match variable {
            "jwt" => self.all_claims || !self.claims.is_empty(),
            "request" => !self.headers.is_empty() || !self.parameters.is_empty() || self.uses("request"),
            other => self.uses(other),
        }
    }

    fn uses(&self, variable: &str) -> bool {
        self.members.iter().any(|(known, _)| *known == variable)
    }

    /// `bound` are the variables of the comprehensions around `expression`.
    fn walk(&mut self, expression: &IdedExpr, bound: &mut Vec<String>) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("it is nested more than {MAX_DEPTH} deep (each further `+` of a row counts)"));
        }
        let walked = self.look(expression, bound);
        self.depth -= 1;
        walked
    }

    fn look(&mut self, expression: &IdedExpr, bound: &mut Vec<String>) -> Result<(), String> {
        if let Some((of, name)) = member_access(&expression.expr)
            && self.take(&of.expr, name, bound)?
        {
            return Ok(());
        }
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.whole(name, bound),
            Expr::Call(call) => self.call(call, bound),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, bound),
            Expr::Select(select) => {
                if let Expr::Select(inner) = &select.operand.expr
                    && let (Expr::Ident(variable), member) = (&inner.operand.expr, &inner.field)
                    && !bound.contains(variable)
                    && is_text(variable, member)
                {
                    return Err(format!("`{variable}.{member}` is a text, which has no `{}`", select.field));
                }
                self.walk(&select.operand, bound)
            }
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.walk(element, bound)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| self.entry(&entry.expr, bound)),
            Expr::Struct(made) => Err(format!("there is no type `{}` to be made", made.type_name)),
        }
    }

    fn call(&mut self, call: &CallExpr, bound: &mut Vec<String>) -> Result<(), String> {
        let name = call.func_name.as_str();
        let is_operator = !name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !is_operator {
            function(call)?;
        }
        call.target.iter().map(AsRef::as_ref).chain(&call.args).try_for_each(|part| self.walk(part, bound))
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr, bound: &mut Vec<String>) -> Result<(), String> {
        let ComprehensionExpr { iter_range, iter_var, iter_var2, accu_var, accu_init, loop_cond, loop_step, result } =
            comprehension;
        self.walk(iter_range, bound)?;
        self.walk(accu_init, bound)?;
        let outside = bound.len();
        bound.extend([iter_var.clone(), accu_var.clone()]);
        bound.extend(iter_var2.clone());
        let inside = [loop_cond, loop_step, result].into_iter().try_for_each(|part| self.walk(part, bound));
        bound.truncate(outside);
        inside
    }

    fn entry(&mut self, entry: &EntryExpr, bound: &mut Vec<String>) -> Result<(), String> {
        match entry {
            EntryExpr::StructField(field) => self.walk(&field.value, bound),
            EntryExpr::MapEntry(entry) => {
                self.walk(&entry.key, bound)?;
                self.walk(&entry.value, bound)
            }
        }
    }

    /// A variable that stands alone.
    fn whole(&mut self, name: &str, bound: &[String]) -> Result<(), String> {
        if bound.iter().any(|known| known == name) || name.starts_with('@') || TYPES.contains(&name) {
            return Ok(());
        }
        match VARIABLES.iter().find(|(known, _)| *known == name) {
            Some(("jwt", _)) => {
                self.all_claims = true;
                Ok(())
            }
            Some((variable, members)) => {
                Err(format!("`{variable}` cannot be used as a whole: name one of {}", members.join(", ")))
            }
            None => {
                let known = VARIABLES.into_iter().map(|(known, _)| known);
                Err(format!("there is no variable {}", quoted_with_suggestion(name, known)))
            }
        }
    }

    /// The member `name` of `of`; `false` where that is no variable of ours.
    fn take(&mut self, of: &Expr, name: &str, bound: &[String]) -> Result<bool, String> {
        match of {
            Expr::Ident(variable) if !bound.contains(variable) => {
                let Some((variable, members)) = VARIABLES.into_iter().find(|(known, _)| known == variable) else {
                    return Ok(false);
                };
                if variable == "jwt" {
                    push(&mut self.claims, name.to_owned());
                    return Ok(true);
                }
                let Some(member) = members.iter().find(|member| **member == name) else {
                    let name = quoted_with_suggestion(name, members.iter().copied());
                    return Err(format!("`{variable}` has no {name}"));
                };
                if matches!(*member, "headers" | "query") {
                    return Err(format!(
                        "`request.{member}` cannot be used as a whole: name one, `request.{member}[\"x\"]`"
                    ));
                }
                push(&mut self.members, (variable, member));
                Ok(true)
            }
            Expr::Select(select) => match (&select.operand.expr, select.field.as_str()) {
                (Expr::Ident(variable), "headers") if variable == "request" && !bound.contains(variable) => {
                    if name.chars().any(|c| c.is_ascii_uppercase()) {
                        return Err(format!("headers are in lower case here: `{}`", name.to_ascii_lowercase()));
                    }
                    push(&mut self.headers, name.to_owned());
                    Ok(true)
                }
                (Expr::Ident(variable), "query") if variable == "request" && !bound.contains(variable) => {
                    push(&mut self.parameters, name.to_owned());
                    Ok(true)
                }
                _ => Ok(false),
            },
            _ => Ok(false),
        }
    }
}

/// Whether `variable` has this member: all but `headers` and `query`, which are no texts, and claims, which may be anything.
fn is_text(variable: &str, member: &str) -> bool {
    VARIABLES.iter().any(|(known, members)| *known == variable && members.contains(&member))
}

/// Whether there is such a function, and what it is given can be that: what is wrong with it for every request would refuse every request.
fn function(call: &CallExpr) -> Result<(), String> {
    let name = call.func_name.as_str();
    let Some((_, forms)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
        let known = FUNCTIONS.into_iter().map(|(known, _)| known);
        return Err(format!("there is no function {}", quoted_with_suggestion(name, known)));
    };
    let fits = |form: &&str| {
        let operands = form.split(['(', ')', ',']).filter(|part| part.trim() == "x" || part.trim() == "y").count();
        form.starts_with("x.") == call.target.is_some() && operands == call.args.len()
    };
    if !forms.iter().any(fits) {
        let forms: Vec<String> = forms.iter().map(|form| format!("`{form}`")).collect();
        return Err(format!("`{name}` is written {}", forms.join(" or ")));
    }
    match call.args.last().map(|pattern| &pattern.expr) {
        Some(Expr::Literal(LiteralValue::String(text))) if name == "matches" => {
            pattern(text.inner()).map(drop).map_err(|why| format!("`matches` cannot use this pattern: {why}"))
        }
        _ => Ok(()),
    }
}

/// `a.name`, `has(a.name)`, `a["name"]`, `"name" in a`.
fn member_access(expression: &Expr) -> Option<(&IdedExpr, &str)> {
    match expression {
        Expr::Select(select) => Some((&select.operand, &select.field)),
        Expr::Call(CallExpr { func_name, args, .. }) => match (func_name.as_str(), args.as_slice()) {
            (operators::INDEX, [of, name]) | (operators::IN, [name, of]) => match &name.expr {
                Expr::Literal(LiteralValue::String(name)) => Some((of, name.inner())),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn push<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
