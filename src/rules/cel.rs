//! Expressions, compiled and run by the crate `cel`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cel::common::ast::IdedExpr;
use cel::common::types::{CelBool, CelString, DYN_TYPE, LIST_TYPE, STRING_TYPE};
use cel::common::value::CowVal;
use cel::objects::{Key, Map};
use cel::parser::PrattParser;
use cel::{Context, Env, ExecutionError, Value};
use regex_lite::{Regex, RegexBuilder};
use serde_json::Value as Json;

use super::needs::Needs;
use super::{Facts, claims, member};
use crate::credential::form_values;

/// The longest expression. It is read and run by recursion, on a stack that in a Worker is short.
const MAX_SOURCE_BYTES: usize = 4096;

/// Most patterns that are kept compiled: rules have few, and a pattern out of a claim is not to fill the memory.
const MAX_PATTERNS: usize = 64;

/// The most that one compiled pattern may take, in bytes.
const MAX_PATTERN_BYTES: usize = 64 * 1024;

thread_local! {
    /// Functions and types: the same for every program, and costly to put together.
    static ENVIRONMENT: Result<Arc<Env>, String> = environment().map(Arc::new);
    static PATTERNS: RefCell<BTreeMap<String, Regex>> = const { RefCell::new(BTreeMap::new()) };
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Program {
    expression: IdedExpr,
    needs: Needs,
}

impl Program {
    /// Compiles `source`.
    ///
    /// # Errors
    /// A phrase: it is no expression, or asks for what does not exist.
    pub(super) fn compile(source: &str) -> Result<Self, String> {
        if source.len() > MAX_SOURCE_BYTES {
            return Err(format!("it is longer than {MAX_SOURCE_BYTES} bytes"));
        }
        let expression = PrattParser::new().parse(source).map_err(|errors| {
            let first = errors.errors.first();
            first
                .map_or_else(|| "it is no expression".to_owned(), |error| format!("it is no expression: {}", error.msg))
        })?;
        let needs = Needs::of(&expression)?;
        Ok(Self { expression, needs })
    }

    /// What it says, where that is the same for every request.
    pub(super) fn constant(&self) -> Option<Result<bool, String>> {
        self.needs.is_constant().then(|| self.evaluate(|_| Ok(())))
    }

    pub(super) fn headers(&self) -> Vec<String> {
        self.needs.headers.clone()
    }

    pub(super) fn asks_for(&self, variable: &str) -> bool {
        self.needs.has(variable)
    }

    /// What it says of a request.
    ///
    /// # Errors
    /// Why it says nothing: a claim that is not there, a value of the wrong type. Names, never values.
    pub(super) fn run(&self, facts: Facts<'_>) -> Result<bool, String> {
        self.evaluate(|context| {
            // Servers differ in which of two values they believe, so none of them is judged.
            for name in &self.needs.parameters {
                let mut values = form_values(facts.head.url, name);
                let first = values.next();
                if values.any(|value| Some(&value) != first.as_ref()) {
                    return Err(format!("the query has `{name}` twice"));
                }
            }
            let Needs { claims: names, all_claims, members, headers, parameters: wanted, .. } = &self.needs;
            if *all_claims || !names.is_empty() {
                let claims = claims(facts, (!all_claims).then_some(names));
                context.add_variable_from_value("jwt", value(&Json::Object(claims)));
            }
            for variable in ["request", "source", "consumer"] {
                let mut map = HashMap::new();
                for (_, name) in members.iter().filter(|(known, _)| *known == variable) {
                    put(&mut map, name, member(facts, variable, name).map(|member| value(&member)));
                }
                if variable == "request" {
                    let header = |name: &String| facts.head.headers.get(name).map(Cow::into_owned).map(text);
                    let parameter = |name: &String| form_values(facts.head.url, name).next().map(text);
                    part(&mut map, "headers", headers, header);
                    part(&mut map, "query", wanted, parameter);
                }
                context.add_variable_from_value(variable, Value::Map(Map { map: Arc::new(map) }));
            }
            Ok(())
        })
    }

    fn evaluate(&self, fill: impl FnOnce(&mut Context<'_, '_>) -> Result<(), String>) -> Result<bool, String> {
        let environment = ENVIRONMENT.with(Clone::clone)?;
        let mut context = Context::with_env(environment);
        fill(&mut context)?;
        match context.resolve(&self.expression) {
            Ok(Value::Bool(answer)) => Ok(answer),
            Ok(other) => Err(format!("it is no true or false, but a {}", other.type_of())),
            Err(error) => Err(words(&error)),
        }
    }
}

/// A part of `request` with the members that are asked for.
fn part(map: &mut HashMap<Key, Value>, name: &str, wanted: &[String], find: impl Fn(&String) -> Option<Value>) {
    if wanted.is_empty() {
        return;
    }
    let mut inner = HashMap::new();
    for name in wanted {
        put(&mut inner, name, find(name));
    }
    map.insert(key(name), Value::Map(Map { map: Arc::new(inner) }));
}

fn put(map: &mut HashMap<Key, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        map.insert(key(name), value);
    }
}

fn key(name: &str) -> Key {
    Key::String(Arc::new(name.to_owned()))
}

fn text(text: String) -> Value {
    Value::String(Arc::new(text))
}

/// A JSON value; whole numbers are `int`, as rules write them.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(int), ..) => Value::Int(int),
            (None, Some(uint), _) => Value::UInt(uint),
            (None, None, Some(float)) => Value::Float(float),
            (None, None, None) => Value::Null,
        },
        Json::String(string) => text(string.clone()),
        Json::Array(list) => Value::List(Arc::new(list.iter().map(value).collect())),
        Json::Object(members) => {
            let map = members.iter().map(|(name, member)| (key(name), value(member)));
            Value::Map(Map { map: Arc::new(map.collect()) })
        }
    }
}

/// What went wrong, without any value: claims have no place in a log.
fn words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(name) | ExecutionError::UndeclaredReference(name) => format!("there is no `{name}`"),
        ExecutionError::NoSuchOverload(overload) => {
            // Operators are called `_>_` and `@in` inside.
            let name = overload.function().trim_matches(['_', '@']);
            format!("`{name}` does not take {}", overload.argument_types().join(", "))
        }
        ExecutionError::UnexpectedType { got, want } => format!("a {want} is needed, and there is a {got}"),
        ExecutionError::FunctionError { function, .. } => format!("`{function}` fails"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "it divides by zero".into(),
        ExecutionError::Overflow(..) => "a number is too large".into(),
        ExecutionError::IndexOutOfBounds(_) => "a list is too short".into(),
        _ => "a value has the wrong type".into(),
    }
}

/// The standard functions and ours: `contains` of lists, and `matches`, which the crate has only with a much larger engine.
fn environment() -> Result<Env, String> {
    let mut environment = Env::stdlib();
    let told = |error: cel::DeclarationError| error.to_string();
    environment
        .add_member_overload("contains", "list_contains", LIST_TYPE, vec![DYN_TYPE], list_contains)
        .map_err(told)?;
    environment
        .add_member_overload("matches", "string_matches", STRING_TYPE, vec![STRING_TYPE], string_matches)
        .map_err(told)?;
    environment
        .add_overload("matches", "matches_string", vec![STRING_TYPE, STRING_TYPE], string_matches)
        .map_err(told)?;
    Ok(environment)
}

#[expect(clippy::needless_pass_by_value, reason = "the crate's type of functions")]
fn list_contains<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [list, wanted] = arguments.as_slice() else {
        return Err(ExecutionError::invalid_argument_count(2, arguments.len()));
    };
    let container = list.as_container().ok_or_else(ExecutionError::missing_argument_or_target)?;
    container.contains(wanted.as_ref()).map(|found| CowVal::owned(CelBool::from(found)))
}

#[expect(clippy::needless_pass_by_value, reason = "the crate's type of functions")]
fn string_matches<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let texts: Vec<&CelString<'_>> = arguments.iter().filter_map(|argument| argument.downcast_ref()).collect();
    let [text, pattern] = texts.as_slice() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let source = pattern.inner();
    let matches = PATTERNS.with_borrow_mut(|patterns| {
        if let Some(regex) = patterns.get(source) {
            return Ok(regex.is_match(text.inner()));
        }
        let regex = self::pattern(source).map_err(|_| ExecutionError::function_error("matches", "no pattern"))?;
        if patterns.len() >= MAX_PATTERNS {
            patterns.clear();
        }
        let found = regex.is_match(text.inner());
        patterns.insert(source.to_owned(), regex);
        Ok(found)
    });
    matches.map(|found| CowVal::owned(CelBool::from(found)))
}

/// A regular expression, compiled.
pub(super) fn pattern(source: &str) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(source).size_limit(MAX_PATTERN_BYTES).build()
}
