//! `portcullis routes`, `completions` and `man`, the binary itself. `UPDATE_GOLDEN=1` writes what is expected anew.

#![cfg(feature = "cli")]

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output};

    use serde_json::Value;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn run(arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_portcullis")).current_dir(root()).args(arguments).output().unwrap()
    }

    fn golden(name: &str) -> PathBuf {
        root().join("tests/routes").join(name)
    }

    #[test]
    fn every_form_of_a_route_is_shown_as_it_was() {
        for (name, more) in [
            ("every-path.txt", &[][..]),
            ("every-path-open.txt", &["--open"]),
            ("every-path.json", &["--json"]),
            ("every-path.svg", &["--svg"]),
        ] {
            let output = run(&[&["routes", "tests/config/every-path.json"], more].concat());
            assert_eq!(output.status.code(), Some(0), "{name}");
            let told = String::from_utf8(output.stdout).unwrap();
            assert!(!told.contains('\u{1b}'), "{name}: colours are for terminals");
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                fs::create_dir_all(golden("")).unwrap();
                fs::write(golden(name), &told).unwrap();
            }
            assert_eq!(told, fs::read_to_string(golden(name)).unwrap_or_default(), "{name}");
        }
    }

    #[test]
    fn open_shows_what_needs_no_token_and_nothing_else() {
        let paths = |more: &[&str]| {
            let output = run(&[&["routes", "tests/config/every-path.json", "--json"], more].concat());
            let told: Value = serde_json::from_slice(&output.stdout).unwrap();
            told["routes"].as_array().unwrap().clone()
        };
        let open: Vec<Value> = paths(&[]).into_iter().filter(|route| route["needs_token"] == false).collect();
        assert_eq!(paths(&["--open"]), open);
        assert!(!open.is_empty() && open.len() < paths(&[]).len());
    }

    #[test]
    fn a_configuration_with_problems_has_no_routes_to_show() {
        let output = run(&["routes", "tests/config/auth-without-authorizer.json"]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        assert!(String::from_utf8_lossy(&output.stderr).contains("error: "));
        for arguments in [&["routes", "nowhere.json"][..], &["routes", "gateway.json", "--json", "--svg"]] {
            assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
        }
    }

    #[test]
    fn completions_and_the_manual_name_every_command() {
        for arguments in [&["completions", "bash"][..], &["completions", "zsh"], &["completions", "fish"], &["man"]] {
            let output = run(arguments);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}");
            let told = String::from_utf8(output.stdout).unwrap();
            for command in [
                "check", "routes", "generate", "jwks", "decode", "verify", "sign", "schema", "route", "consumer",
                "rotate", "revoke", "endpoint",
            ] {
                assert!(told.contains(command), "{arguments:?} lacks {command}");
            }
        }
        assert_eq!(run(&["completions", "no-such-shell"]).status.code(), Some(2));
    }
}
