//! What no path uses: in other gateways an authorizer protects by being there.

use crate::compile::Compiler;
use crate::config::field::{At, Field};
use crate::config::wire::{self, Auth, Integration, PreProcess};
use crate::gateway::{Gateway, Route};

impl Compiler<'_> {
    pub(super) fn unused(&self, config: &wire::Config, gateway: &Gateway) {
        let paths = &config.paths;
        // A file without paths has only begun, and a path that could not be read may use anything.
        if paths.has_bad() || paths.elements().next().is_none() {
            return;
        }
        self.unused_authorizers(config, gateway);
        let used: Vec<Used<'_>> = paths.elements().flat_map(|at| used(&at.value)).collect();
        let servers: Vec<&At<String>> = config.servers.elements().filter_map(|at| at.value.alias.good()).collect();
        self.unused_aliases(Kind::Server, &servers, &used);
        let services = config.service_bindings.elements().filter_map(|at| at.value.alias.good());
        self.unused_aliases(Kind::Service, &services.collect::<Vec<_>>(), &used);
    }

    fn unused_authorizers(&self, config: &wire::Config, gateway: &Gateway) {
        let unclear = |(at, route): (&At<wire::Path>, &Route)| {
            let off = matches!(at.value.auth, Field::Absent)
                || matches!(at.value.auth.value(), Some(Auth::Null | Auth::Boolean(false)));
            !off && route.auth.is_empty()
        };
        // A name that is not known has been told of, and may have been meant for any of them.
        if config.paths.elements().zip(&gateway.routes).any(unclear) {
            return;
        }
        let default = config.authorizer.good().map(|at| (at, "true".to_owned()));
        let named = config.authorizers.elements().map(|at| {
            let name = at.value.name().value();
            (at, format!("\"{}\"", name.map_or("NAME", String::as_str)))
        });
        for (number, (at, auth)) in default.into_iter().chain(named).enumerate() {
            if gateway.routes.iter().all(|route| !route.auth.contains(&number)) {
                let message = format!(
                    "no path uses this authorizer, and it protects nothing by being here: `\"auth\": {auth}` in a path does"
                );
                self.warn(at.offset, message);
            }
        }
    }

    fn unused_aliases(&self, kind: Kind, known: &[&At<String>], used: &[Used<'_>]) {
        let used: Vec<Option<&str>> = used.iter().filter(|used| used.0 == kind).map(|used| used.1).collect();
        // One that is not known has been told of, and may have been meant for any of these.
        if !used.iter().all(|used| used.is_some_and(|used| known.iter().any(|at| at.value == used))) {
            return;
        }
        for at in known.iter().filter(|at| !used.contains(&Some(at.value.as_str()))) {
            let what = if kind == Kind::Server { "server" } else { "service binding" };
            self.warn(at.offset, format!("no path uses this {what}"));
        }
    }
}

/// An alias that a path names; none where it is not as it should be.
struct Used<'u>(Kind, Option<&'u str>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Server,
    Service,
}

fn used(path: &wire::Path) -> Vec<Used<'_>> {
    let upstream = match &path.integration {
        Field::Absent => vec![],
        Field::Bad => vec![Used(Kind::Server, None), Used(Kind::Service, None)],
        Field::Good(At { value: Integration::HttpProxy(proxy), .. }) => {
            vec![Used(Kind::Server, name_of(&proxy.server))]
        }
        Field::Good(At { value: Integration::ServiceBinding(service), .. }) => {
            vec![Used(Kind::Service, name_of(&service.binding))]
        }
    };
    let hook = match &path.pre_process {
        Field::Absent => None,
        Field::Bad => Some(Used(Kind::Service, None)),
        Field::Good(At { value: PreProcess::String(alias), .. }) => Some(Used(Kind::Service, Some(alias))),
        Field::Good(At { value: PreProcess::Object(hook), .. }) => Some(Used(Kind::Service, name_of(&hook.binding))),
    };
    upstream.into_iter().chain(hook).collect()
}

fn name_of(alias: &Field<String>) -> Option<&str> {
    alias.value().map(String::as_str)
}
