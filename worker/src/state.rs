//! What an isolate keeps between requests: plain data, never a promise of some request.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use js_sys::Reflect;
use portcullis::authn::Context;
use portcullis::compile::Prepared;
use portcullis::config::problem::Severity;
use portcullis::config::reference::Env as References;
use portcullis::gateway::{BindingKind, Gateway};
use portcullis::jwks::KeyRing;
use portcullis::memory::{Memo, Memory};
use portcullis::records::Records;
use portcullis::time::UnixTime;
use wasm_bindgen::JsValue;
use worker::Env;

use crate::{convert, log};

thread_local! {
    /// What the build made of gateway.json. It is part of the wasm that is deployed: `scripts/lib/prepare.mjs`.
    static PREPARED: Cell<Option<Prepared<'static>>> = const { Cell::new(None) };
    static STATE: OnceCell<Rc<State>> = const { OnceCell::new() };
}

/// Compiles the checked text of gateway.json as far as it goes without an environment.
pub(crate) fn prepare(text: &str) {
    PREPARED.set(Some(Prepared::new(String::leak(text.to_owned()))));
}

/// The compiled configuration, and the keys that were fetched for it.
pub(crate) struct State {
    gateway: Option<Gateway>,
    ring: RefCell<KeyRing>,
    memory: RefCell<Memory>,
    records: RefCell<Records>,
    /// The Analytics Engine binding, where there is one.
    analytics: Option<String>,
}

/// The isolate's state, made at its first request: an isolate has one configuration and one environment.
pub(crate) fn of(env: impl FnOnce() -> Env) -> Rc<State> {
    STATE.with(|state| Rc::clone(state.get_or_init(|| Rc::new(State::new(&env())))))
}

impl State {
    fn new(env: &Env) -> Self {
        // Without it there is no gateway, and everything is refused.
        let prepared = PREPARED.take().unwrap_or_else(|| Prepared::new(""));
        let compiled = prepared.bind(References::Known(&|name| binding(env, name)));
        for problem in &compiled.problems {
            let say = if problem.severity == Severity::Error { log::error } else { log::warn };
            say(&format!("gateway.json:{problem}"));
        }
        let gateway = compiled.gateway;
        for (name, kind) in gateway.iter().flat_map(Gateway::bindings) {
            let (method, what) = match kind {
                BindingKind::Service => ("fetch", "service"),
                BindingKind::RateLimit => ("limit", "rate limit"),
                BindingKind::Namespace => ("getWithMetadata", "KV namespace"),
            };
            if !has_method(env, name, method) {
                log::error(&format!("gateway.json: no {what} is bound as `{name}`; requests that need it are refused"));
            }
        }
        let analytics = gateway.as_ref().map(|gateway| gateway.log().analytics.clone());
        let sources = gateway.as_ref().map_or(0, |gateway| gateway.sources().len());
        Self {
            gateway,
            ring: RefCell::new(KeyRing::new(sources)),
            memory: RefCell::new(Memory::new(convert::random())),
            records: RefCell::default(),
            analytics: analytics.filter(|name| has_method(env, name, "writeDataPoint")),
        }
    }

    /// The gateway, unless its configuration is refused as a whole.
    pub(crate) const fn gateway(&self) -> Option<&Gateway> {
        self.gateway.as_ref()
    }

    /// The Analytics Engine binding, where there is one.
    pub(crate) fn analytics(&self) -> Option<&str> {
        self.analytics.as_deref()
    }

    /// Looks at the keys, and no longer than `look` takes: never across an await.
    pub(crate) fn with_ring<T>(&self, look: impl FnOnce(&KeyRing) -> T) -> T {
        look(&self.ring.borrow())
    }

    /// Looks at all that the isolate has, and no longer than `look` takes.
    pub(crate) fn with_context<T>(&self, gateway: &Gateway, now: UnixTime, look: impl FnOnce(Context<'_>) -> T) -> T {
        let (ring, memory, records) = (self.ring.borrow(), self.memory.borrow(), self.records.borrow());
        look(Context { ring: &ring, memory: &memory, records: &records, sources: gateway.sources(), now })
    }

    /// Remembers a token that was verified.
    pub(crate) fn remember(&self, memo: Memo) {
        self.memory.borrow_mut().remember(memo);
    }

    /// Changes the records, and no longer than `change` takes.
    pub(crate) fn change_records(&self, change: impl FnOnce(&mut Records)) {
        change(&mut self.records.borrow_mut());
    }

    /// Changes the keys, and no longer than `change` takes.
    pub(crate) fn change_ring<T>(&self, change: impl FnOnce(&mut KeyRing) -> T) -> T {
        change(&mut self.ring.borrow_mut())
    }
}

/// Whether something is bound as `name` that has this method.
fn has_method(env: &Env, name: &str, method: &str) -> bool {
    let bound = Reflect::get(env, &JsValue::from_str(name)).unwrap_or_default();
    bound.is_object() && Reflect::get(&bound, &JsValue::from_str(method)).is_ok_and(|method| method.is_function())
}

/// A variable or secret. Other bindings (KV namespaces, services) and empty names are none.
fn binding(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?;
    let number = || value.as_f64().map(|number| number.to_string());
    value.as_string().or_else(number).or_else(|| value.as_bool().map(|flag| flag.to_string()))
}
