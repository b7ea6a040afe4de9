//! Advice: what a gateway can do with as it is written, and hardly anybody means.
//!
//! Nothing here changes what is compiled, so it is told where somebody reads it, and neither weighs in a Worker nor is looked for by one.

mod authorizers;
mod paths;
mod twice;
mod unused;
mod values;

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
        self.server_advice(config);
        for at in config.authorizer.good().into_iter().chain(config.authorizers.elements()) {
            self.authorizer_advice(&at.value);
            self.value_advice(&at.value);
            self.twice_in_authorizer(&at.value);
        }
        self.cors_advice(&config.cors);
        self.twice_in_cors(&config.cors);
        for at in config.paths.elements() {
            self.path_advice(at, config);
            self.twice_in_path(&at.value);
            self.twice_in_cors(&at.value.cors);
        }
    }
}
