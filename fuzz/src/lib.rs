//! What the fuzz targets share. Each target is a function of bytes that asserts what must hold whatever they are.
//!
//! With `--cfg fuzzing` (`npm run fuzz`) a target is driven by libFuzzer. Without, it is an ordinary program that runs the files it is
//! given, so a finding can be looked at with nothing but cargo.

pub mod requests;
pub mod tokens;

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

/// Makes a program of a target: `target!(check)`, where `check` takes `&[u8]` and panics on what must not be.
#[macro_export]
macro_rules! target {
    ($check:path) => {
        #[cfg(fuzzing)]
        ::libfuzzer_sys::fuzz_target!(|data: &[u8]| $check(data));

        #[cfg(not(fuzzing))]
        fn main() -> ::std::process::ExitCode {
            $crate::replay($check)
        }
    };
}

/// Runs a target on the files that the command line names.
pub fn replay(check: fn(&[u8])) -> ExitCode {
    let files: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    if files.is_empty() {
        eprintln!("Which inputs? Name their files.");
        return ExitCode::FAILURE;
    }
    for file in files {
        match fs::read(&file) {
            Ok(data) => check(&data),
            Err(why) => {
                eprintln!("{}: {why}", file.display());
                return ExitCode::FAILURE;
            }
        }
        println!("{}: passed", file.display());
    }
    ExitCode::SUCCESS
}

/// Makes `the()`, the gateway of a configuration, once for each thread.
#[macro_export]
macro_rules! the_gateway {
    ($config:expr) => {
        fn the() -> &'static ::portcullis::gateway::Gateway {
            thread_local! {
                static GATEWAY: &'static ::portcullis::gateway::Gateway = $crate::requests::gateway($config);
            }
            GATEWAY.with(|gateway| *gateway)
        }
    };
}
