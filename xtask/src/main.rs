//! `cargo run -p xtask -- INPUT.wasm OUT_DIR`: the wasm-bindgen step of the build.
//!
//! Writes `portcullis.js` and `portcullis_bg.wasm` into `OUT_DIR`, for `worker/entry.js` to load.

use std::path::PathBuf;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(input), Some(out), None) = (args.next(), args.next(), args.next()) else {
        eprintln!("usage: xtask INPUT.wasm OUT_DIR");
        return ExitCode::from(2);
    };
    match generate(&input, &out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn generate(input: &PathBuf, out: &PathBuf) -> Result<(), Box<dyn std::error::Error>> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(input)
        .out_name("portcullis")
        .web(true)?
        // The Worker imports its module itself, so no default path is wanted.
        .omit_default_module_path(true)
        .typescript(false)
        // `__wbg_reset_state`: what lets the entry point start a fresh instance after a trap.
        .reset_state_function(true);
    bindgen.generate(out)?;
    Ok(())
}
