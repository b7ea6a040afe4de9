//! Templates and mappings, compiled: variables and secrets are filled in, and what is left refers to the request alone.

use super::Compiler;
use super::callers::Callers;
use crate::config::field::{At, Field};
use crate::config::nearest::quoted_with_suggestion;
use crate::config::reference::{self, Piece as Written};
use crate::config::wire::{self, Table};
use crate::forward::{Mapped, NOT_FORWARDED, breaks_header, is_token};
use crate::route::path::RequestPath;
use crate::route::pattern::Pattern;
use crate::template::{Piece, Template};

/// What templates call the part of a path that `{.+}` stands for.
const REST: &str = "rest";

/// What a template of one path may refer to.
#[derive(Clone, Copy)]
pub(super) struct Scope<'p> {
    pub(super) pattern: Option<&'p Pattern>,
    /// The path's own variables, then the file's.
    pub(super) variables: [&'p Field<Table<String>>; 2],
    /// Whether there are claims.
    pub(super) callers: Callers,
}

/// Headers of an answer that are for its connection, or that say how its body is to be read.
const NOT_MAPPED_BACK: [&str; 9] = [
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
];

impl Compiler<'_> {
    /// The request headers of a mapping. What carries a claim is the gateway's alone from now on: it goes to `reserved`.
    pub(super) fn mapped_headers(
        &self,
        table: &Field<Table<wire::Template>>,
        scope: Scope<'_>,
        reserved: &mut Vec<String>,
    ) -> Option<Vec<Mapped>> {
        let mapped = self.mapped(table, scope, |offset, name| self.free_header(offset, name), Self::header_text)?;
        for (name, template) in &mapped {
            let claims = template.iter().flat_map(Template::pieces).any(|piece| matches!(piece, Piece::Claim(_)));
            if claims && !reserved.contains(name) {
                reserved.push(name.clone());
            }
        }
        Some(mapped)
    }

    /// The name of a request header that is not the gateway's own business.
    pub(super) fn free_header(&self, offset: usize, name: &str) -> Option<String> {
        let name = self.header_name(offset, name)?;
        if NOT_FORWARDED.contains(&name.as_str()) || matches!(name.as_str(), "content-length" | "upgrade") {
            self.error(offset, format!("`{name}` is set by the gateway itself"));
            return None;
        }
        Some(name)
    }

    /// The query parameters of a mapping.
    pub(super) fn mapped_query(&self, table: &Field<Table<wire::Template>>, scope: Scope<'_>) -> Option<Vec<Mapped>> {
        let name_of = |offset, name: &str| {
            if name.is_empty() {
                self.error(offset, "a query parameter has a name");
                return None;
            }
            self.written_out(offset, name, "a query parameter");
            Some(name.to_owned())
        };
        self.mapped(table, scope, name_of, Self::template)
    }

    /// The response headers of a mapping.
    pub(super) fn mapped_response(
        &self,
        table: &Field<Table<wire::Template>>,
        scope: Scope<'_>,
    ) -> Option<Vec<Mapped>> {
        let name_of = |offset, name: &str| {
            let name = self.header_name(offset, name)?;
            if NOT_MAPPED_BACK.contains(&name.as_str()) {
                self.error(offset, format!("`{name}` is set by the gateway itself"));
                return None;
            }
            Some(name)
        };
        self.mapped(table, scope, name_of, Self::header_text)
    }

    /// The members of a mapping, each name judged by `name_of` and each text by `text_of`. Each is gone through before any of them can end this.
    fn mapped(
        &self,
        table: &Field<Table<wire::Template>>,
        scope: Scope<'_>,
        name_of: impl Fn(usize, &str) -> Option<String>,
        text_of: impl Fn(&Self, usize, &str, Scope<'_>) -> Option<Template>,
    ) -> Option<Vec<Mapped>> {
        let mut mapped: Vec<Mapped> = Vec::new();
        let mut whole =
            !table.is_bad() && table.value().is_none_or(|table| table.0.iter().all(|(_, value)| !value.is_bad()));
        for (name, at) in table.members() {
            let name = name_of(at.offset, name);
            let template = match &at.value {
                wire::Template::Null => Some(None),
                wire::Template::String(text) => text_of(self, at.offset, text, scope).map(Some),
            };
            match (name, template) {
                (Some(name), Some(_)) if mapped.iter().any(|(known, _)| *known == name) => {
                    self.error(at.offset, format!("`{name}` is there twice, in two spellings"));
                }
                (Some(name), Some(template)) => mapped.push((name, template)),
                _ => whole = false,
            }
        }
        whole.then_some(mapped)
    }

    /// A template of a header's value. One that holds control characters could never be sent, whatever the request is.
    fn header_text(&self, offset: usize, text: &str, scope: Scope<'_>) -> Option<Template> {
        let template = self.template(offset, text, scope)?;
        if template.pieces().iter().any(|piece| matches!(piece, Piece::Literal(text) if breaks_header(text))) {
            self.error(offset, "a header's value has no control characters");
        }
        Some(template)
    }

    /// A path made anew. All that can be judged without a request is judged here.
    pub(super) fn rewrite(&self, at: &At<String>, scope: Scope<'_>) -> Option<Template> {
        let template = self.template(at.offset, &at.value, scope)?;
        let mut sample = String::new();
        for piece in template.pieces() {
            match piece {
                Piece::Literal(text) if cfg!(feature = "explain") && text.contains('{') => {
                    self.warn(
                        at.offset,
                        "braces are taken letter for letter here: a parameter is `$request.path.NAME`",
                    );
                    sample.push_str(text);
                }
                Piece::Literal(text) => sample.push_str(text),
                _ => sample.push('x'),
            }
        }
        if !sample.starts_with('/') {
            self.error(at.offset, "a rewritten path starts with `/`");
        } else if sample.contains('?') {
            self.error(at.offset, "a rewritten path has no query: `mapping.query` sets parameters");
        } else if RequestPath::parse(&sample).is_err() {
            self.error(at.offset, "this makes a path with dot segments, backslashes, `#` or odd percent signs");
        } else {
            return Some(template);
        }
        None
    }

    /// A template; `None` where it is wrong or refers to an environment that is not at hand.
    pub(super) fn template(&self, offset: usize, text: &str, scope: Scope<'_>) -> Option<Template> {
        let written = reference::parse(text).map_err(|invalid| self.error(offset, invalid.0)).ok()?;
        let pieces: Vec<Option<Vec<Piece>>> =
            written.into_iter().map(|piece| self.piece(offset, piece, scope)).collect();
        let pieces: Option<Vec<Vec<Piece>>> = pieces.into_iter().collect();
        Some(Template::new(pieces?.into_iter().flatten().collect()))
    }

    fn piece(&self, offset: usize, written: Written<'_>, scope: Scope<'_>) -> Option<Vec<Piece>> {
        let piece = match written {
            Written::Literal("") => return Some(Vec::new()),
            Written::Literal(text) => Piece::Literal(text.to_owned()),
            Written::Binding(name) => Piece::Literal(self.text(offset, &format!("$env.{name}"))?),
            Written::Variable(key) => Piece::Literal(self.variable(offset, key, scope)?),
            Written::Request("method", _) => Piece::Method,
            Written::Request("ip", _) => Piece::Ip,
            Written::Request("id", _) => Piece::Id,
            Written::Request("header", name) => {
                if !is_token(name) {
                    self.error(offset, format!("`{name}` is not a header name"));
                    return None;
                }
                let name = name.to_ascii_lowercase();
                self.header_reads.borrow_mut().push((offset, name.clone()));
                Piece::Header(name)
            }
            Written::Request("query", name) => Piece::Query(name.to_owned()),
            Written::Request("path", name) => self.parameter(offset, name, scope.pattern?)?,
            Written::Request(_, claim) => {
                if let Some(why) = scope.callers.without_claims() {
                    self.warn(offset, format!("`{claim}` is never there: {why}"));
                }
                Piece::Claim(claim.to_owned())
            }
        };
        Some(vec![piece])
    }

    fn variable(&self, offset: usize, key: &str, scope: Scope<'_>) -> Option<String> {
        let variables = || scope.variables.into_iter().flat_map(Field::members);
        let Some((_, at)) = variables().find(|(name, _)| *name == key) else {
            if !scope.variables.iter().any(|field| field.is_bad()) {
                let name = quoted_with_suggestion(key, variables().map(|(name, _)| name));
                self.error(offset, format!("there is no variable {name} among `variables`"));
            }
            return None;
        };
        self.text(at.offset, &at.value)
    }

    fn parameter(&self, offset: usize, name: &str, pattern: &Pattern) -> Option<Piece> {
        if let Some(number) = pattern.parameter(name) {
            return Some(Piece::Segment(number));
        }
        if name == REST && pattern.has_rest() {
            return Some(Piece::Rest(pattern.len()));
        }
        let known = pattern.parameters().chain(pattern.has_rest().then_some(REST));
        let name = quoted_with_suggestion(name, known);
        self.error(offset, format!("the path has no parameter {name} (`{{.+}}` is called `{REST}`)"));
        None
    }

    /// Headers that only the gateway may set say nothing where a client sent them.
    pub(super) fn check_header_reads(&self, reserved: &[String]) {
        for (offset, name) in self.header_reads.take() {
            if reserved.iter().any(|known| known.replace('_', "-") == name.replace('_', "-")) {
                let message = format!("`{name}` carries claims here, so a client's own copy of it is nothing to go by");
                self.error(offset, message);
            }
        }
    }
}
