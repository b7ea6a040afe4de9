//! Paths that are not what they seem.

use crate::compile::Compiler;
use crate::config::field::{At, Field};
use crate::config::wire::{self, Auth, OneOrMany};

impl Compiler<'_> {
    pub(super) fn path_advice(&self, at: &At<wire::Path>, config: &wire::Config) {
        let path = &at.value;
        self.default_in_a_list(path, config);
    }

    /// What is wrong with `[true, "partners"]` is told already, and not what to write.
    fn default_in_a_list(&self, path: &wire::Path, config: &wire::Config) {
        let list = match path.auth.value() {
            Some(Auth::List(list)) => list,
            Some(Auth::Object(settings)) => match settings.authorizer.value() {
                Some(OneOrMany::List(list)) => list,
                _ => return,
            },
            _ => return,
        };
        let nameless = config.authorizer.value().is_some_and(|authorizer| authorizer.name().is_absent());
        if let (true, true, Some(auth)) = (nameless, list.iter().any(Field::is_bad), path.auth.good()) {
            self.warn(auth.offset, "in a list, the top-level `authorizer` is called `default`");
        }
    }
}
