//! The page of `portcullis debug` in the browser: texts in, JSON out. Everything is in `portcullis::page`, which tests natively.

use wasm_bindgen::prelude::wasm_bindgen;

/// What a configuration holds: its problems, its routes, its picture.
#[wasm_bindgen]
pub fn configuration(setup: &str) -> String {
    portcullis::page::configuration(setup)
}

/// What becomes of a request, and why.
#[wasm_bindgen]
pub fn answer(inquiry: &str) -> String {
    portcullis::page::answer(inquiry)
}

/// The request of a curl line.
#[wasm_bindgen]
pub fn curl(line: &str) -> String {
    portcullis::page::curl(line)
}
