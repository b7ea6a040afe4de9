//! `portcullis explain` as it is called: words, JSON, exit codes.

#![cfg(feature = "cli")]

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Output};

    use serde_json::Value;

    fn explain(arguments: &[&str]) -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .current_dir(root)
            .args(["explain", "--env-file", ".dev.vars.example", "--now", "1700000000"])
            .args(arguments)
            .output()
            .unwrap()
    }

    fn words(output: &Output) -> String {
        String::from_utf8(output.stdout.clone()).unwrap()
    }

    #[test]
    fn problems_name_the_file_that_was_given() {
        let here = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli_explain_named");
        fs::create_dir_all(&here).unwrap();
        let text = r#"{"authorizer": {"type": "jwt", "algorithm": "HS256", "secret": "$secret.S", "audience": "a"}, "paths": [{"method": "GET", "path": "/a", "auth": true, "response": 1}]}"#;
        fs::write(here.join("s2.json"), text).unwrap();
        for line in ["explain --path /a --config s2.json --token a.b.c", "token verify --config s2.json --token a.b.c"]
        {
            let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
            let output = command.args(line.split(' ')).current_dir(&here).output().unwrap();
            let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(told.contains("s2.json:1:") && !told.contains("gateway.json"), "{line}: {told}");
        }
    }

    #[test]
    fn the_words_are_pinned_and_the_exit_code_says_whether_it_passes() {
        for (name, arguments, code, expected) in [
            (
                "no token",
                vec!["--path", "/private"],
                1,
                "GET /private\n✔ route         GET /private is /private (authorizer default)\n✘ credential    there is no credential in the header `authorization` behind `Bearer `\n→ 401 missing_token\n  send one: `Authorization: Bearer TOKEN`\n",
            ),
            (
                "an open route",
                vec!["--path", "/health"],
                0,
                "GET /health\n✔ route         GET /health is /health (open)\n✔ credential    none is looked for: this route is open, and a token on it is not checked\n✔ answer        the configuration's own answer, status 200\n→ 200\n",
            ),
            (
                "another method",
                vec!["--path", "/health", "--method", "POST"],
                1,
                "POST /health\n✘ route         the path is there, but not with POST: it takes GET, HEAD\n→ 405 method_not_allowed\n  add the method to the path, or send one of those; a wider pattern is not tried\n",
            ),
            (
                "a curl line",
                vec!["--curl", "curl -X POST 'http://localhost:8787/health?x=1' \\\n  -H 'Accept: */*'"],
                1,
                "POST /health?x=1\n✘ route         the path is there, but not with POST: it takes GET, HEAD\n→ 405 method_not_allowed\n  add the method to the path, or send one of those; a wider pattern is not tried\n",
            ),
        ] {
            let output = explain(&arguments);
            assert_eq!(words(&output), expected, "{name}");
            assert_eq!(output.status.code(), Some(code), "{name}");
        }
    }

    #[test]
    fn json_has_every_step_and_the_cause() {
        let output = explain(&["--path", "/private", "-H", "Authorization: eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "--json"]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["code"], "malformed_authorization");
        assert_eq!(told["status"], 401);
        assert_eq!(told["cause"], "`Bearer` is missing before the token");
        assert_eq!(told["steps"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn wrong_use_is_told_on_stderr_with_exit_code_2() {
        for arguments in [
            vec!["--path", "/", "-H", "no colon"],
            vec!["--path", "/", "--config", "nothing.json"],
            vec!["--path", "no slash"],
            vec!["--curl", "wget http://h/"],
            vec!["--curl", "curl h/", "--path", "/"],
            vec![],
        ] {
            let output = explain(&arguments);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
        }
    }
}
