//! `portcullis token`, the binary itself.

#![cfg(feature = "cli")]

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output};

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use hmac::{Hmac, KeyInit, Mac};
    use serde_json::{Value, json};
    use sha2::Sha256;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const NOW: u64 = 1_900_000_000;

    fn folder(name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("token").join(name);
        fs::create_dir_all(&folder).unwrap();
        let config = json!({
            "authorizer": {"type": "jwt", "algorithm": "HS256", "secret": "$secret.S", "issuer": "i", "audience": "a"},
            "authorizers": [
                {"name": "keys", "type": "jwt", "jwks_url": "https://i.example/jwks", "issuer": "i", "audience": "a"},
                {"name": "file", "type": "jwt", "jwks": {"file": "keys.json"}, "issuer": "i", "audience": "a"}
            ],
            "paths": []
        });
        fs::write(folder.join("gateway.json"), config.to_string()).unwrap();
        fs::write(folder.join("keys.json"), KEYS).unwrap();
        fs::write(folder.join("vars"), format!("S={SECRET}\n")).unwrap();
        folder
    }

    /// RFC 8037 appendix A.2.
    const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    fn token(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(header), part(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    fn run(here: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_portcullis")).current_dir(here).arg("token").args(arguments).output().unwrap()
    }

    fn good() -> Value {
        json!({"iss": "i", "aud": "a", "sub": "s", "exp": NOW + 60})
    }

    fn hs(claims: &Value) -> String {
        token(&json!({"alg": "HS256"}), claims)
    }

    #[test]
    fn the_exit_code_says_accepted_refused_or_wrong_use() {
        let here = folder("codes");
        let now = NOW.to_string();
        let base = ["verify", "--env-file", "vars", "--now", now.as_str()];
        let good = hs(&good());
        let past = hs(&json!({"iss": "i", "aud": "a", "exp": NOW - 31}));
        for (name, more, code, told) in [
            ("accepted", vec!["--token", good.as_str()], 0, "accepted"),
            ("expired", vec!["--token", past.as_str()], 1, "refused: token_expired: Token expired"),
            ("junk", vec!["--token", "junk"], 1, "refused: malformed_token"),
            ("no token", vec![], 2, "--token"),
            ("unknown authorizer", vec!["--token", "t", "--authorizer", "x"], 2, "there is no authorizer `x`"),
            ("keys not given", vec!["--token", "t", "--authorizer", "keys"], 2, "--jwks FILE"),
            ("no such file", vec!["--token-file", "nowhere"], 2, "nowhere"),
        ] {
            let output = run(&here, &[&base[..], &more].concat());
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert_eq!(output.status.code(), Some(code), "{name}: {said}");
            assert!(said.contains(told), "{name}: {said}");
        }
    }

    #[test]
    fn a_secret_that_is_not_bound_is_wrong_use_and_never_a_pass() {
        let here = folder("unbound");
        let output = run(&here, &["verify", "--token", &hs(&good())]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("`S` is not bound"));
    }

    #[test]
    fn json_says_the_code_and_the_claim() {
        let here = folder("json");
        let claims = json!({"iss": "i", "aud": "a", "exp": "later"});
        fs::write(here.join("token"), format!("{}\n", hs(&claims))).unwrap();
        let output = run(&here, &["verify", "--env-file", "vars", "--token-file", "token", "--json"]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let expected = json!({"accepted": false, "status": 401, "code": "invalid_claim", "message": "Invalid claim", "claim": "exp"});
        assert_eq!((output.status.code(), told), (Some(1), expected));
    }

    #[test]
    fn fetched_keys_come_from_a_file_and_so_do_those_that_the_configuration_names() {
        let here = folder("keys");
        let forged = token(&json!({"alg": "EdDSA"}), &good());
        let now = NOW.to_string();
        for arguments in [vec!["--authorizer", "keys", "--jwks", "keys.json"], vec!["--authorizer", "file"]] {
            let base = ["verify", "--env-file", "vars", "--now", now.as_str(), "--token", forged.as_str()];
            let output = run(&here, &[&base[..], &arguments].concat());
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(said.trim(), "refused: invalid_signature: Invalid signature", "{arguments:?}");
        }
    }

    #[test]
    fn the_scheme_that_a_token_is_sent_behind_is_no_part_of_it() {
        let here = folder("scheme");
        let now = NOW.to_string();
        let good = hs(&good());
        for (name, written, code) in [
            ("alone", good.clone(), 0),
            ("Bearer", format!("Bearer {good}"), 0),
            ("in another case, with white space", format!(" bEARER \t {good}\n"), 0),
            ("another scheme", format!("Token {good}"), 1),
            ("twice", format!("Bearer Bearer {good}"), 1),
            ("nothing behind it", "Bearer".to_owned(), 1),
        ] {
            fs::write(here.join("token"), &written).unwrap();
            let base = ["verify", "--env-file", "vars", "--now", now.as_str()];
            for arguments in [
                vec!["decode", written.as_str()],
                [&base[..], &["--token", written.as_str()]].concat(),
                [&base[..], &["--token-file", "token"]].concat(),
            ] {
                let output = run(&here, &arguments);
                assert_eq!(output.status.code(), Some(code), "{name}: {arguments:?}");
            }
        }
    }

    #[test]
    fn decode_shows_what_is_there_and_verifies_nothing() {
        let output = run(&folder("decode"), &["decode", &hs(&json!({"sub": "somebody"}))]);
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(shown, json!({"header": {"alg": "HS256"}, "claims": {"sub": "somebody"}}));
        assert_eq!(run(&folder("decode"), &["decode", "junk"]).status.code(), Some(1));
    }
}
