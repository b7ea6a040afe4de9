//! `cors`, compiled.

use super::Compiler;
use crate::config::field::{At, Field};
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
            let methods = (!wire.allow_methods.is_absent()).then(|| self.names(&wire.allow_methods, "method"));
            let cors = Cors {
                origins,
                methods,
                allow_headers: self.names(&wire.allow_headers, "header").join(","),
                expose_headers: self.names(&wire.expose_headers, "header").join(","),
                credentials,
                max_age: wire.max_age.value().copied(),
            };
            known.then_some(cors)
        })
    }

    fn names(&self, list: &Field<wire::List<String>>, kind: &str) -> Vec<String> {
        for at in list.elements().filter(|at| !is_token(&at.value)) {
            self.error(at.offset, format!("`{}` is not a {kind} name", at.value));
        }
        list.elements().map(|at| at.value.clone()).collect()
    }
}
