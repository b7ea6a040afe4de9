//! Where an authorizer's tokens are: `token_from`, or one header.

use super::{Compiler, as_written};
use crate::config::field::{At, Field};
use crate::config::problem::Finding;
use crate::config::wire::{self, Jwt};
use crate::credential::Place;
use crate::forward::is_token;

impl Compiler<'_> {
    /// The places of a token, in the order in which they are written.
    pub(super) fn places(&self, jwt: &Jwt) -> Option<Vec<Place>> {
        let single = [&jwt.header_name, &jwt.token_prefix].into_iter().find_map(Field::good);
        if let (Some(list), Some(one)) = (jwt.token_from.good(), single) {
            let message = "`token_from` takes the place of `header_name` and `token_prefix`: write one or the other";
            self.report(Finding::conflict(list.offset, one.offset, message));
        }
        if jwt.token_from.is_absent() {
            let name = match &jwt.header_name {
                Field::Absent => Some("authorization".to_owned()),
                Field::Bad => None,
                Field::Good(name) => self.header(name),
            };
            let scheme = self.prefix(&jwt.token_prefix, "Bearer");
            return Some(vec![Place::Header { name: name?, scheme: scheme? }]);
        }
        let places: Vec<Option<Place>> = jwt.token_from.elements().map(|at| self.place(at)).collect();
        if let (true, Some(at)) = (places.is_empty(), jwt.token_from.good()) {
            self.error(at.offset, "no place for a token: every request would be without one");
        }
        places.into_iter().collect()
    }

    fn place(&self, at: &At<wire::TokenFrom>) -> Option<Place> {
        let from = &at.value;
        match (from.header.good(), from.cookie.good(), from.query.good()) {
            (Some(header), None, None) => {
                let standard = if header.value.eq_ignore_ascii_case("authorization") { "Bearer" } else { "" };
                let name = self.header_name(header.offset, &header.value);
                let scheme = self.prefix(&from.prefix, standard);
                Some(Place::Header { name: name?, scheme: scheme? })
            }
            (None, Some(cookie), None) => {
                self.no_prefix(from);
                if !is_token(&cookie.value) {
                    self.error(
                        cookie.offset,
                        format!("`{}` is no cookie's name (RFC 6265 section 4.1.1)", cookie.value),
                    );
                }
                Some(Place::Cookie(cookie.value.clone()))
            }
            (None, None, Some(query)) => {
                self.no_prefix(from);
                if query.value.is_empty() {
                    self.error(query.offset, "a query parameter has a name");
                }
                Some(Place::Query(query.value.clone()))
            }
            _ => {
                self.error(at.offset, "a place is one of `header`, `cookie`, `query`");
                None
            }
        }
    }

    fn no_prefix(&self, from: &wire::TokenFrom) {
        if let Some(prefix) = from.prefix.good() {
            self.error(prefix.offset, "only a header has a prefix: a cookie or parameter holds the token alone");
        }
    }

    /// The name of a header in which references are looked up.
    fn header(&self, at: &At<String>) -> Option<String> {
        let name = self.text(at.offset, &at.value)?;
        if !is_token(&name) {
            self.error(at.offset, format!("{} is not a header name", as_written(&at.value)));
            return None;
        }
        Some(name.to_ascii_lowercase())
    }

    /// The word before a token in its header; empty: none.
    fn prefix(&self, field: &Field<String>, standard: &str) -> Option<String> {
        let at = match field {
            Field::Absent => return Some(standard.to_owned()),
            Field::Bad => return None,
            Field::Good(at) => at,
        };
        let text = self.text(at.offset, &at.value)?;
        let scheme = text.trim();
        if !scheme.is_empty() && !is_token(scheme) {
            let written = as_written(at.value.trim());
            self.error(at.offset, format!("{written} is not one word, as the scheme before a token is"));
            return None;
        }
        Some(scheme.to_owned())
    }
}
