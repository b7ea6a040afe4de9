//! Records in KV: credentials and revocations.

use std::rc::Rc;

use js_sys::{Array, Function, Map, Promise, Reflect};
use portcullis::records::RecordKey;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use crate::convert::now;
use crate::log;
use crate::state::State;

/// Reads `wanted`, which are all in one namespace, in one call, and lets the state remember what came of it.
pub(crate) async fn load(state: &Rc<State>, wanted: Vec<RecordKey>, env: &Env) {
    match read(&wanted, env).await {
        Ok(texts) => state.change_records(|records| {
            for (key, text) in wanted.into_iter().zip(texts) {
                records.store(key, text.as_deref(), now());
            }
        }),
        Err(Failure::Unbound) => state.change_records(|records| {
            for key in wanted {
                records.unbound(key, now());
            }
        }),
        Err(Failure::Away(error)) => {
            let binding = wanted.first().map_or("", |key| key.binding.as_str());
            log::error(&format!("records in {binding} cannot be read: {}", words(&error)));
            state.change_records(|records| {
                for key in wanted {
                    records.failed(key, now());
                }
            });
        }
    }
}

/// The texts of `wanted`, in their order. The crate `worker` has no call for several keys, which the platform counts as one read.
async fn read(wanted: &[RecordKey], env: &Env) -> Result<Vec<Option<String>>, Failure> {
    let Some(first) = wanted.first() else { return Ok(Vec::new()) };
    let namespace = Reflect::get(env, &JsValue::from_str(&first.binding))?;
    if !namespace.is_object() {
        return Err(Failure::Unbound);
    }
    // Unchecked: what is no function throws when it is called.
    let get: Function = Reflect::get(&namespace, &JsValue::from_str("get"))?.unchecked_into();
    let keys: Array = wanted.iter().map(|key| JsValue::from_str(&key.key)).collect();
    let promise = Promise::resolve(&get.call1(&namespace, &keys)?);
    let texts: Map = JsFuture::from(promise).await?.dyn_into()?;
    Ok(wanted.iter().map(|key| texts.get(&JsValue::from_str(&key.key)).as_string()).collect())
}

/// Why nothing was read.
enum Failure {
    /// Nothing is bound under the name.
    Unbound,
    /// What is bound did not answer.
    Away(JsValue),
}

impl From<JsValue> for Failure {
    fn from(error: JsValue) -> Self {
        Self::Away(error)
    }
}

fn words(error: &JsValue) -> String {
    error
        .dyn_ref::<js_sys::Error>()
        .map_or_else(|| "it gave no answer".to_owned(), |error| String::from(error.message()))
}
