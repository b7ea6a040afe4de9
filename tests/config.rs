//! Golden files: each `tests/config/NAME.json` has exactly the problems that `NAME.problems` says.
//!
//! `UPDATE_GOLDEN=1 cargo test --test config` writes them anew; read the difference before you believe it.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use portcullis::compile::{Compiled, Prepared, compile};
    use portcullis::config::problem::Severity;
    use portcullis::config::reference::Env;
    use serde_json::Value;

    fn folder(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
    }

    fn compiled(file: &Path) -> Compiled {
        compile(&fs::read_to_string(file).unwrap(), Env::Unknown)
    }

    fn lines(compiled: &Compiled) -> String {
        compiled.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    fn examples() -> Vec<PathBuf> {
        let entries = fs::read_dir(folder("tests/config")).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        files
    }

    #[test]
    fn every_configuration_has_the_problems_that_its_golden_file_says() {
        let update = std::env::var_os("UPDATE_GOLDEN").is_some();
        let mut different = Vec::new();
        let files = examples();
        for file in &files {
            let found = lines(&compiled(file));
            let golden = file.with_extension("problems");
            if update {
                let end = if found.is_empty() { "" } else { "\n" };
                fs::write(&golden, format!("{found}{end}")).unwrap();
            }
            let expected = fs::read_to_string(&golden).unwrap_or_else(|error| panic!("{}: {error}", golden.display()));
            if found.trim_end() != expected.trim_end() {
                different.push(format!("{}\n--- expected\n{expected}\n--- found\n{found}", file.display()));
            }
        }
        assert!(different.is_empty(), "{}", different.join("\n\n"));
        assert!(files.len() >= 25, "only {} files ran", files.len());
    }

    #[test]
    fn every_golden_file_belongs_to_a_configuration() {
        for entry in fs::read_dir(folder("tests/config")).unwrap() {
            let file = entry.unwrap().path();
            assert!(file.with_extension("json").exists(), "{} has no configuration", file.display());
        }
    }

    #[test]
    fn a_configuration_with_problems_is_not_good_and_good_ones_have_a_gateway() {
        let (mut good, mut bad) = (0, 0);
        for file in examples() {
            let compiled = compiled(&file);
            let errors = compiled.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
            assert_eq!(compiled.is_good(), errors == 0, "{}", file.display());
            if errors == 0 {
                assert!(compiled.gateway.is_some(), "{}", file.display());
                good += 1;
            } else {
                bad += 1;
            }
        }
        assert!(good >= 1 && bad >= 25, "{good} good, {bad} bad");
    }

    #[test]
    fn what_a_build_prepares_becomes_the_same_gateway_in_every_environment() {
        let everything = |name: &str| Some(format!("https://{}.example", name.to_lowercase().replace('_', "-")));
        let nothing = |_: &str| None;
        let mut good = 0;
        for file in examples() {
            let text = fs::read_to_string(&file).unwrap();
            if !compile(&text, Env::Unknown).is_good() {
                continue;
            }
            good += 1;
            for env in [Env::Known(&everything), Env::Known(&nothing)] {
                let (prepared, direct) = (Prepared::new(&text).bind(env), compile(&text, env));
                assert_eq!(format!("{prepared:?}"), format!("{direct:?}"), "{}", file.display());
            }
        }
        assert!(good >= 5, "{good} good ones");
    }

    /// What a secret of a deployment could hold: a word, and what the fields that take text would look into.
    const KEPT_SECRETS: [&str; 6] = [
        "zz-kept-secret-zz",
        "Not one word: ZZ-KEPT-SECRET-ZZ",
        "https://zz-kept-secret-zz.example/?query",
        "-----BEGIN PUBLIC KEY-----\nzz-kept-secret-zz",
        r#"{"keys":[{"kty":"oct","kid":"zz-kept-secret-zz","k":"AA"}]}"#,
        "$env.zz-kept-secret-zz $$ ${secret.",
    ];

    /// The places of all texts in `value`, by the name of the field that they are in.
    fn texts(value: &Value, pointer: String, field: &str, places: &mut Vec<(String, String)>) {
        match value {
            Value::String(_) => places.push((pointer, field.to_owned())),
            Value::Array(elements) => elements
                .iter()
                .enumerate()
                .for_each(|(index, element)| texts(element, format!("{pointer}/{index}"), field, places)),
            Value::Object(members) => members.iter().for_each(|(name, member)| {
                let name_in_pointer = name.replace('~', "~0").replace('/', "~1");
                texts(member, format!("{pointer}/{name_in_pointer}"), name, places);
            }),
            _ => {}
        }
    }

    #[test]
    fn no_problem_tells_what_a_reference_stands_for() {
        let mut tried = 0;
        let mut told = Vec::new();
        for file in examples() {
            let Ok(document) = serde_json::from_str::<Value>(&fs::read_to_string(&file).unwrap()) else { continue };
            let mut places = Vec::new();
            texts(&document, String::new(), "", &mut places);
            let mut fields: Vec<&String> = places.iter().map(|(_, field)| field).collect();
            fields.sort_unstable();
            fields.dedup();
            // All the texts of a field at once, so that doubles are told of too.
            for field in fields {
                let mut document = document.clone();
                for (pointer, _) in places.iter().filter(|(_, other)| other == field) {
                    *document.pointer_mut(pointer).unwrap() = "$secret.KEPT".into();
                }
                let text = document.to_string();
                for kept in KEPT_SECRETS {
                    let lookup = |_: &str| Some(kept.to_owned());
                    for env in [Env::Known(&lookup), Env::Judged(&lookup)] {
                        tried += 1;
                        let problems = lines(&compile(&text, env));
                        let leaks = problems.lines().filter(|line| line.to_lowercase().contains("zz-kept-secret-zz"));
                        told.extend(leaks.map(|line| format!("{} {field}: {line}", file.display())));
                    }
                }
            }
        }
        told.dedup();
        assert!(told.is_empty(), "{}", told.join("\n"));
        assert!(tried > 2_000, "only {tried} were tried");
    }

    #[test]
    fn ten_different_faults_are_told_in_one_go() {
        let compiled = compiled(&folder("tests/config/ten-faults.json"));
        let mut messages: Vec<&str> = compiled.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages.len(), 10, "{}", lines(&compiled));
        assert!(compiled.problems.iter().all(|problem| problem.severity == Severity::Error), "{}", lines(&compiled));
        messages.sort_unstable();
        messages.dedup();
        assert_eq!(messages.len(), 10, "each is another: {}", lines(&compiled));
    }

    #[test]
    fn the_shared_examples_have_no_problems() {
        let shared = folder("../shared/examples");
        if !shared.is_dir() {
            println!("{} does not exist here: nothing to check", shared.display());
            return;
        }
        for name in ["hs256", "orders", "claims-to-headers"] {
            let compiled = compiled(&shared.join(name).with_extension("json"));
            assert!(compiled.is_good(), "{name}:\n{}", lines(&compiled));
            assert!(compiled.gateway.is_some(), "{name}");
        }
    }
}
