//! Advice: what a gateway can do with as it is written, and hardly anybody means.
//!
//! Nothing here changes what is compiled, so it is told where somebody reads it, and neither weighs in a Worker nor is looked for by one.

mod paths;
mod unused;

use super::Compiler;
use crate::config::reference::Env;
use crate::config::wire;
use crate::gateway::Gateway;

impl Compiler<'_> {
    /// Looks at a configuration as it is written, with the `gateway` that came of it.
    pub(super) fn advise(&self, config: &wire::Config, gateway: &Gateway) {
        if matches!(self.env, Env::Known(_)) {
            return;
        }
        self.unused(config, gateway);
        for at in config.paths.elements() {
            self.path_advice(at, config);
        }
    }
}
