//! The `portcullis` command as people and scripts call it: exit code 0 good, 1 the answer is no, 2 wrong use.

#![cfg(feature = "cli")]

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output};

    use serde_json::{Value, json};

    const GOOD: &str = r#"{"paths": [{"method": "GET", "path": "/a", "response": 1}]}"#;
    const BAD: &str = "{\n  \"paths\": [{\"method\": \"GET\", \"path\": \"a\", \"response\": 1, \"auht\": true}]\n}";
    const NEEDS_ENV: &str = r#"{
        "servers": [{"alias": "s", "url": "$env.URL"}],
        "authorizer": {"type": "jwt", "algorithm": "HS256", "secret": "$secret.JWT_SECRET", "audience": "a"},
        "paths": [{"method": "GET", "path": "/a", "auth": true, "integration": {"type": "http_proxy", "server": "s"}}]
    }"#;

    /// An empty folder of this name.
    fn folder(name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Runs the command in `folder`.
    fn run(folder: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_portcullis")).args(arguments).current_dir(folder).output().unwrap()
    }

    fn out(output: &Output) -> String {
        String::from_utf8(output.stdout.clone()).unwrap()
    }

    fn err(output: &Output) -> String {
        String::from_utf8(output.stderr.clone()).unwrap()
    }

    fn json_of(output: &Output) -> Value {
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn listed(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn exit_codes_tell_good_from_bad_from_wrong_use() {
        let here = folder("exit_codes");
        fs::write(here.join("gateway.json"), GOOD).unwrap();
        fs::write(here.join("bad.json"), BAD).unwrap();
        fs::write(here.join("latin1.json"), b"{\"paths\": \"\xe9\"}").unwrap();
        for (arguments, code) in [
            (&["check"][..], 0),
            (&["check", "gateway.json"], 0),
            (&["check", "--json"], 0),
            (&["check", "bad.json"], 1),
            (&["check", "--json", "bad.json"], 1),
            (&["check", "absent.json"], 2),
            (&["check", "latin1.json"], 2),
            (&["check", "."], 2),
            (&["check", "--env-file", "absent.vars"], 2),
            (&["check", "--no-such-option"], 2),
            (&["check", "gateway.json", "bad.json"], 2),
            (&["no-such-command"], 2),
            (&[], 2),
        ] {
            let output = run(&here, arguments);
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}{}", out(&output), err(&output));
            if code == 2 {
                assert!(
                    !err(&output).is_empty() && out(&output).is_empty(),
                    "{arguments:?}: wrong use is told on stderr"
                );
            } else {
                assert_eq!(err(&output), "", "{arguments:?}");
            }
        }
    }

    #[test]
    fn every_problem_is_printed_with_file_line_and_column() {
        let here = folder("printed");
        fs::write(here.join("bad.json"), BAD).unwrap();
        let output = run(&here, &["check", "bad.json"]);
        let expected = [
            "bad.json:2:39: error: a path starts with `/` [/paths/0/path]",
            "bad.json:2:59: error: unknown field `auht`: did you mean `auth`? [/paths/0/auht]",
            "bad.json: 2 problems, no warnings",
        ];
        assert_eq!(out(&output).lines().collect::<Vec<_>>(), expected);
        fs::write(here.join("good.json"), GOOD).unwrap();
        assert_eq!(out(&run(&here, &["check", "good.json"])), "good.json: no problems, no warnings\n");
    }

    #[test]
    fn warnings_are_told_and_are_no_failure() {
        let here = folder("warnings");
        let text = r#"{"authorizer": {"type": "jwt", "algorithm": "HS256", "secret": "$env.S"}, "paths": [
            {"method": "GET", "path": "/:id", "auth": true, "response": {}}]}"#;
        fs::write(here.join("gateway.json"), text).unwrap();
        let output = run(&here, &["check"]);
        assert_eq!(output.status.code(), Some(0));
        assert!(out(&output).ends_with("gateway.json: no problems, 2 warnings\n"), "{}", out(&output));
        assert_eq!(out(&output).matches(": warning: ").count(), 2);
        assert!(!out(&output).contains("short"), "no secret is printed: {}", out(&output));
        // What a Worker makes do with, and logs, is a problem for those who can still mend it.
        fs::write(here.join("vars"), "S=short").unwrap();
        let judged = run(&here, &["check", "--env-file", "vars"]);
        assert_eq!(judged.status.code(), Some(1));
        assert!(out(&judged).contains("error: the secret has 5 bytes"), "{}", out(&judged));
        assert!(!out(&judged).contains("short"), "no secret is printed: {}", out(&judged));
    }

    #[test]
    fn json_says_the_same_for_programs() {
        let here = folder("json");
        fs::write(here.join("bad.json"), BAD).unwrap();
        let told = json_of(&run(&here, &["check", "--json", "bad.json"]));
        let finding = |pointer: &str, column: u64, message: &str| json!({"severity": "error", "pointer": pointer, "line": 2, "column": column, "message": message});
        assert_eq!(
            told,
            json!({
                "file": "bad.json",
                "problems": 2,
                "warnings": 0,
                "findings": [
                    finding("/paths/0/path", 39, "a path starts with `/`"),
                    finding("/paths/0/auht", 59, "unknown field `auht`: did you mean `auth`?"),
                ],
            })
        );
        fs::write(here.join("good.json"), GOOD).unwrap();
        let told = json_of(&run(&here, &["check", "good.json", "--json"]));
        assert_eq!(told, json!({"file": "good.json", "problems": 0, "warnings": 0, "findings": []}));
    }

    #[test]
    fn an_env_file_finds_names_that_are_not_bound() {
        let here = folder("env_file");
        fs::write(here.join("gateway.json"), NEEDS_ENV).unwrap();
        let secret = format!("JWT_SECRET={}\n", "s".repeat(32));
        for (name, vars, unbound) in [
            ("none", String::new(), &["`URL`", "`JWT_SECRET`"][..]),
            ("one", "URL=https://up.example.com\n".to_owned(), &["`JWT_SECRET`"]),
            ("the other", secret.clone(), &["`URL`"]),
            ("in a remark", format!("# URL=https://up.example.com\n{secret}"), &["`URL`"]),
            ("all", format!("{secret}export URL=\"https://up.example.com\" # here\n"), &[]),
        ] {
            fs::write(here.join(".dev.vars"), vars).unwrap();
            let output = run(&here, &["check", "--env-file", ".dev.vars"]);
            let code = i32::from(!unbound.is_empty());
            assert_eq!(output.status.code(), Some(code), "{name}: {}", out(&output));
            for known in ["`URL`", "`JWT_SECRET`"] {
                let told = out(&output).contains(&format!("{known} is not bound"));
                assert_eq!(told, unbound.contains(&known), "{name}: {known}: {}", out(&output));
            }
        }
        assert_eq!(run(&here, &["check"]).status.code(), Some(0), "without one, names are left open");
    }

    #[test]
    fn an_env_file_finds_values_that_cannot_be_used() {
        let here = folder("env_values");
        fs::write(here.join("gateway.json"), NEEDS_ENV).unwrap();
        for (name, vars, told) in [
            (
                "no URL",
                "URL=up.example.com\nJWT_SECRET=0123456789abcdef0123456789abcdef\n",
                "an absolute URL is needed",
            ),
            ("an empty secret", "URL=https://up.example.com\nJWT_SECRET=\n", "the secret is empty"),
        ] {
            fs::write(here.join("vars"), vars).unwrap();
            let output = run(&here, &["check", "--env-file", "vars"]);
            assert_eq!(output.status.code(), Some(1), "{name}");
            assert!(out(&output).contains(told), "{name}: {}", out(&output));
        }
    }

    #[test]
    fn what_is_odd_about_an_env_file_is_told_on_stderr_and_changes_nothing_else() {
        let here = folder("env_remarks");
        fs::write(here.join("gateway.json"), NEEDS_ENV).unwrap();
        let vars = "URL=https://a.example.com\nURL=https://up.example.com\nJWT_SECRET=0123456789abcdef0123456789abcdef#more\nsome words\nA=\"b\n";
        fs::write(here.join("vars"), vars).unwrap();
        let token = ["token", "verify", "--env-file", "vars", "--token", "a.b.c"];
        for (arguments, code) in [
            (&["check", "--env-file", "vars", "--json"][..], 0),
            (&["explain", "--path", "/a", "--env-file", "vars"], 1),
            (&token, 1),
        ] {
            let output = run(&here, arguments);
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", out(&output));
            let expected = [
                "vars:2: warning: `URL` is there twice: the one in line 1 does not count",
                "vars:3: warning: `#` ends the value of `JWT_SECRET`: quotes would keep what follows",
                "vars:4: warning: this is no assignment, and it is passed over",
                "vars:5: warning: the value of `A` begins with a quote that its end does not close: it is part of the value",
            ];
            assert_eq!(err(&output).lines().collect::<Vec<_>>(), expected, "{arguments:?}");
        }
    }

    #[test]
    fn output_gets_good_files_alone_and_keeps_the_last_good_one() {
        let here = folder("output");
        let (source, copy) = (here.join("gateway.json"), here.join("build/deep/gateway.json"));
        let arguments = ["check", "--output", "build/deep/gateway.json"];
        let also_good = GOOD.replace("/a", "/b");
        for (name, text, code, expected) in [
            ("bad at first", BAD, 1, None),
            ("good", GOOD, 0, Some(GOOD)),
            ("bad", BAD, 1, Some(GOOD)),
            ("not JSON", "{", 1, Some(GOOD)),
            ("good again", &also_good, 0, Some(also_good.as_str())),
            ("the same", &also_good, 0, Some(also_good.as_str())),
        ] {
            fs::write(&source, text).unwrap();
            let output = run(&here, &arguments);
            assert_eq!(output.status.code(), Some(code), "{name}: {}{}", out(&output), err(&output));
            assert_eq!(fs::read_to_string(&copy).ok().as_deref(), expected, "{name}");
        }
        assert_eq!(listed(&here.join("build/deep")), ["gateway.json"], "nothing is left beside it");
        let nowhere = run(&here, &["check", "--output", "gateway.json/x"]);
        assert_eq!(nowhere.status.code(), Some(2), "it cannot be written");
        assert!(err(&nowhere).contains("gateway.json/x"), "{}", err(&nowhere));
        fs::remove_file(&source).unwrap();
        assert_eq!(run(&here, &arguments).status.code(), Some(2), "no source");
        assert_eq!(fs::read_to_string(&copy).unwrap(), also_good);
    }

    #[test]
    fn an_output_that_is_the_same_is_not_written_again() {
        let here = folder("unchanged");
        fs::write(here.join("gateway.json"), GOOD).unwrap();
        let arguments = ["check", "--output", "copy.json"];
        assert_eq!(run(&here, &arguments).status.code(), Some(0));
        let copy = here.join("copy.json");
        let mut permissions = fs::metadata(&copy).unwrap().permissions();
        let modified = fs::metadata(&copy).unwrap().modified().unwrap();
        permissions.set_readonly(true);
        fs::set_permissions(&copy, permissions).unwrap();
        assert_eq!(run(&here, &arguments).status.code(), Some(0));
        let now = fs::metadata(&copy).unwrap();
        assert_eq!(now.modified().unwrap(), modified);
        assert!(now.permissions().readonly(), "a new file in its place would not be");
    }

    #[test]
    fn help_and_version_are_there() {
        let here = folder("help");
        for (arguments, told) in [
            (&["--help"][..], "check"),
            (&["-h"], "check"),
            (&["check", "--help"], "--env-file"),
            (&["help", "check"], "--output"),
            (&["--version"], env!("CARGO_PKG_VERSION")),
            (&["-V"], env!("CARGO_PKG_VERSION")),
        ] {
            let output = run(&here, arguments);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}");
            assert!(out(&output).contains(told), "{arguments:?}: {}", out(&output));
        }
    }
}
