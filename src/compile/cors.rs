//! `cors`, compiled.

use super::Compiler;
use super::paths::named_methods;
use crate::config::field::{At, Field};
use crate::config::nearest::quoted_with_suggestion;
use crate::config::wire;
use crate::cors::{Cors, Origin};
use crate::forward::is_token;
use crate::gateway::Fault;

impl Compiler<'_> {
    pub(super) fn cors(&self, at: &At<wire::Cors>) -> Result<Cors, Fault> {
        self.scoped(|| {
            let wire = &at.value;
            self.required(&wire.allow_origins, at.offset, "allow_origins")?;
            let mut origins = Vec::new();
            let mut known = true;
            let credentials = wire.allow_credentials.value().copied().unwrap_or(false);
            for origin in wire.allow_origins.elements() {
                match self.text(origin.offset, &origin.value).map(|text| Origin::parse(&text)) {
                    Some(Ok(Origin::Any)) if credentials => self.error(
                        origin.offset,
                        "`*` with `allow_credentials` would let every site act as the user; name the origins",
                    ),
                    Some(Ok(origin)) => origins.push(origin),
                    Some(Err(why)) => self.error(origin.offset, why),
                    None => known = false,
                }
            }
            let methods = (!wire.allow_methods.is_absent()).then(|| self.cors_methods(&wire.allow_methods));
            let cors = Cors {
                origins,
                methods,
                allow_headers: self.header_names(&wire.allow_headers).join(","),
                expose_headers: self.header_names(&wire.expose_headers).join(","),
                credentials,
                max_age: wire.max_age.value().copied(),
            };
            known.then_some(cors)
        })
    }

    /// What the path's methods are narrowed to. Methods are case-sensitive (RFC 9110 section 9.1), in browsers' questions too.
    fn cors_methods(&self, list: &Field<wire::List<String>>) -> Vec<String> {
        for at in list.elements() {
            let known = named_methods();
            if at.value == "ANY" {
                self.error(at.offset, "unknown method `ANY`: did you mean `*`?");
            } else if at.value != "*" && known.clone().all(|name| name != at.value) {
                self.error(at.offset, format!("unknown method {}", quoted_with_suggestion(&at.value, known)));
            }
        }
        if let Some(at) = list.good().filter(|at| at.value.is_empty()) {
            self.error(
                at.offset,
                "`allow_methods` names none: unless it is written, all methods of a path are allowed",
            );
        }
        list.elements().map(|at| at.value.clone()).collect()
    }

    fn header_names(&self, list: &Field<wire::List<String>>) -> Vec<String> {
        for at in list.elements() {
            if !is_token(&at.value) {
                self.error(at.offset, format!("`{}` is not a header name", at.value));
            }
            self.written_out(at.offset, &at.value, "a header");
        }
        list.elements().map(|at| at.value.clone()).collect()
    }
}
