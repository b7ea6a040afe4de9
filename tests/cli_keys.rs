//! `portcullis key` and `portcullis token sign`, the binary itself: what it signs is held against what it verifies.

#![cfg(feature = "cli")]

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output};

    use portcullis::jwt::alg::{Algorithm, Family};
    use portcullis::jwt::key::PublicKey;
    use portcullis::jwt::pem;
    use serde_json::{Value, json};

    const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const NOW: u64 = 1_900_000_000;

    fn folder(name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keys").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn run(here: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_portcullis")).current_dir(here).args(arguments).output().unwrap()
    }

    fn out(output: &Output) -> String {
        assert!(output.status.success(), "{}", err(output));
        String::from_utf8(output.stdout.clone()).unwrap()
    }

    fn err(output: &Output) -> String {
        String::from_utf8(output.stderr.clone()).unwrap()
    }

    fn keys(name: &str) -> String {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name).display().to_string()
    }

    /// What `token verify` says of `token`, for an authorizer of `algorithm` with these settings.
    fn verify(here: &Path, algorithm: Algorithm, settings: &[(&str, Value)], token: &str) -> Value {
        let mut authorizer = json!({"type": "jwt", "algorithm": algorithm.name(), "audience": "a", "issuer": "i"});
        for (name, value) in settings {
            authorizer[name] = value.clone();
        }
        fs::write(here.join("gateway.json"), json!({"authorizer": authorizer, "paths": []}).to_string()).unwrap();
        let output =
            run(here, &["token", "verify", "--token", token.trim(), "--now", &(NOW + 299).to_string(), "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{algorithm}: {}", err(&output)))
    }

    fn sign(here: &Path, algorithm: Algorithm, more: &[&str]) -> Output {
        let now = NOW.to_string();
        let claims = r#"{"iss": "i", "aud": "a", "sub": "s"}"#;
        let base = ["token", "sign", "--alg", algorithm.name(), "--claims", claims, "--now", now.as_str()];
        run(here, &[&base[..], more].concat())
    }

    #[test]
    fn a_token_of_every_algorithm_is_accepted_by_the_authorizer_of_its_key_and_of_no_other() {
        let here = folder("all");
        for &algorithm in Algorithm::ALL {
            if algorithm.family() == Family::Hmac {
                let token = out(&sign(&here, algorithm, &["--secret", SECRET]));
                let good = verify(&here, algorithm, &[("secret", json!(SECRET))], &token);
                assert_eq!(good["claims"], json!({"iss": "i", "aud": "a", "sub": "s", "iat": NOW, "exp": NOW + 300}));
                let other = verify(&here, algorithm, &[("secret", json!(SECRET.to_uppercase()))], &token);
                assert_eq!(other["code"], "invalid_signature", "{algorithm}");
                continue;
            }
            let name = algorithm.name();
            out(&run(&here, &["key", "generate", "--alg", name, "--out", name]));
            out(&run(&here, &["key", "generate", "--alg", name, "--out", "other"]));
            let token = out(&sign(&here, algorithm, &["--key", &format!("{name}.private.pem")]));
            for (file, accepted) in [(format!("{name}.public.pem"), true), ("other.public.pem".to_owned(), false)] {
                let public = fs::read_to_string(here.join(&file)).unwrap();
                let told = verify(&here, algorithm, &[("public_key", json!(public))], &token);
                assert_eq!(told["accepted"], accepted, "{file}: {told}");
                // The key set of the same key says the same.
                let set: Value =
                    serde_json::from_str(&out(&run(&here, &["key", "jwks", &file, "--alg", name]))).unwrap();
                let told = verify(&here, algorithm, &[("jwks", set)], &token);
                assert_eq!(told["accepted"], accepted, "{file}: {told}");
            }
            for ending in ["private.pem", "public.pem", "jwk.json"] {
                fs::remove_file(here.join(format!("other.{ending}"))).unwrap();
            }
        }
    }

    #[test]
    fn private_keys_are_read_in_the_forms_that_tools_write() {
        let here = folder("forms");
        for (private, public, algorithm) in [
            ("rsa.pem", "rsa-public.pem", Algorithm::Rs256),
            ("rsa-pkcs8.pem", "rsa-public.pem", Algorithm::Ps512),
            ("p256.pem", "p256-public.pem", Algorithm::Es256),
            ("p384.pem", "p384-public.pem", Algorithm::Es384),
            ("p521.pem", "p521-public.pem", Algorithm::Es512),
            ("ed25519.pem", "ed25519-public.pem", Algorithm::EdDsa),
        ] {
            let token = out(&sign(&here, algorithm, &["--key", &keys(private)]));
            let public = fs::read_to_string(keys(public)).unwrap();
            let told = verify(&here, algorithm, &[("public_key", json!(public))], &token);
            assert_eq!(told["accepted"], true, "{private}: {told}");
        }
    }

    #[test]
    fn a_generated_key_pair_is_one_and_its_kid_is_its_thumbprint_or_the_given_one() {
        let here = folder("pair");
        for name in ["RS256", "ES256", "ES384", "ES512", "EdDSA"] {
            let made: Value =
                serde_json::from_str(&out(&run(&here, &["key", "generate", "--alg", name, "--json"]))).unwrap();
            let from_pem = pem::public_key(made["public_key"].as_str().unwrap()).unwrap().to_jwk();
            let from_jwk = PublicKey::from_jwk(made["jwk"].as_object().unwrap()).unwrap().to_jwk();
            assert_eq!(from_pem, from_jwk, "{name}");
            assert_eq!(
                (&made["alg"], &made["jwk"]["alg"], &made["jwk"]["use"]),
                (&json!(name), &json!(name), &json!("sig"))
            );
            assert_eq!(made["kid"], made["jwk"]["kid"], "{name}");
            fs::write(here.join("public.pem"), made["public_key"].as_str().unwrap()).unwrap();
            let set: Value = serde_json::from_str(&out(&run(&here, &["key", "jwks", "public.pem"]))).unwrap();
            assert_eq!(set["keys"][0], made["jwk"], "{name}");
        }
        let named: Value =
            serde_json::from_str(&out(&run(&here, &["key", "generate", "--alg", "EdDSA", "--kid", "k", "--json"])))
                .unwrap();
        assert_eq!((&named["kid"], &named["jwk"]["kid"]), (&json!("k"), &json!("k")));
    }

    #[test]
    fn a_generated_secret_is_as_long_as_its_hash_and_never_the_same() {
        let here = folder("secret");
        for (name, letters) in [("HS256", 43), ("HS384", 64), ("HS512", 86)] {
            let made = || out(&run(&here, &["key", "generate", "--alg", name]));
            let secret = made();
            assert_eq!(secret.trim().len(), letters, "{name}");
            assert_ne!(secret, made(), "{name}");
            fs::write(here.join("secret"), secret).unwrap();
            let signed = sign(
                &here,
                Algorithm::named(name).unwrap(),
                &["--secret-file", "secret", "--secret-encoding", "base64url"],
            );
            assert!(signed.status.success() && err(&signed).is_empty(), "{name}: {}", err(&signed));
        }
    }

    #[test]
    fn out_writes_files_prints_nothing_secret_and_overwrites_nothing() {
        let here = folder("out");
        for (name, secret_file) in [("ES256", "k.private.pem"), ("HS256", "k.secret")] {
            for more in [&[][..], &["--json"]] {
                let base = ["key", "generate", "--alg", name, "--out", "k"];
                let told = out(&run(&here, &[&base[..], more].concat()));
                let secret = fs::read_to_string(here.join(secret_file)).unwrap();
                assert!(
                    !told.contains("PRIVATE") && !told.contains(secret.lines().nth_back(1).unwrap_or(&secret).trim()),
                    "{told}"
                );
                assert!(told.contains(secret_file), "{told}");
                #[cfg(unix)]
                {
                    use std::os::unix::fs::PermissionsExt;
                    let mode = fs::metadata(here.join(secret_file)).unwrap().permissions().mode();
                    assert_eq!(mode & 0o777, 0o600, "{secret_file} is for its owner alone");
                }
                assert_eq!(run(&here, &base).status.code(), Some(2), "a key that is there stays");
                assert_eq!(fs::read_to_string(here.join(secret_file)).unwrap(), secret);
                for file in fs::read_dir(&here).unwrap() {
                    fs::remove_file(file.unwrap().path()).unwrap();
                }
            }
        }
    }

    #[test]
    fn times_are_added_unless_they_are_there() {
        let here = folder("times");
        let claims = |claims: &str, more: &[&str]| {
            let base =
                ["token", "sign", "--alg", "HS256", "--secret", SECRET, "--now", "100", "--json", "--claims", claims];
            let told: Value = serde_json::from_str(&out(&run(&here, &[&base[..], more].concat()))).unwrap();
            told["claims"].clone()
        };
        fs::write(here.join("claims.json"), r#"{"sub": "file"}"#).unwrap();
        for (name, written, more, expected) in [
            ("both", "{}", &[][..], json!({"iat": 100, "exp": 400})),
            ("iat is there", r#"{"iat": 1}"#, &[], json!({"iat": 1, "exp": 400})),
            ("exp is there", r#"{"exp": 1}"#, &[], json!({"iat": 100, "exp": 1})),
            ("longer", "{}", &["--expires", "3600"], json!({"iat": 100, "exp": 3700})),
            ("no end", "{}", &["--no-exp"], json!({"iat": 100})),
            ("from a file", "@claims.json", &[], json!({"sub": "file", "iat": 100, "exp": 400})),
        ] {
            assert_eq!(claims(written, more), expected, "{name}");
        }
    }

    #[test]
    fn a_secret_that_is_too_short_signs_with_a_warning_and_is_not_shown() {
        let here = folder("short");
        for (algorithm, secret, warned) in [
            (Algorithm::Hs256, &SECRET[..31], true),
            (Algorithm::Hs256, &SECRET[..32], false),
            (Algorithm::Hs512, &SECRET[..63], true),
            (Algorithm::Hs512, SECRET, false),
        ] {
            let output = sign(&here, algorithm, &["--secret", secret]);
            assert!(output.status.success());
            assert_eq!(err(&output).contains("RFC 7518 section 3.2"), warned, "{algorithm}: {}", err(&output));
            assert!(!err(&output).contains(secret), "{algorithm}");
        }
    }

    #[test]
    fn wrong_use_is_told_in_words() {
        let here = folder("wrong");
        let [rsa, rsa_public, p256, weak] =
            ["rsa.pem", "rsa-public.pem", "p256.pem", "rsa-1024-certificate.pem"].map(keys);
        let claims = ["token", "sign", "--claims", "{}", "--alg"];
        for (name, base, more, told) in [
            ("unknown algorithm", &["key", "generate", "--alg"][..], vec!["none"], "HS256, HS384"),
            ("a private key in a set", &["key", "jwks"], vec![rsa.as_str()], "this is a private key"),
            ("a key too short", &["key", "jwks"], vec![&weak], "2048 to 8192 bits"),
            ("another algorithm's key", &["key", "jwks"], vec![&rsa_public, "--alg", "ES256"], "a key of this kind"),
            ("one name for two", &["key", "jwks"], vec!["--kid", "k", "a", "b"], "several files"),
            ("a key twice", &["key", "jwks"], vec![&rsa_public, &rsa_public], "there twice"),
            ("no such file", &["key", "jwks"], vec!["nowhere.pem"], "nowhere.pem"),
            ("nothing to sign with", &claims, vec!["RS256"], "--key"),
            ("a secret for RS256", &claims, vec!["RS256", "--secret", SECRET], "--key FILE"),
            ("a key for HS256", &claims, vec!["HS256", "--key", &rsa], "shared secret"),
            ("the key of another algorithm", &claims, vec!["RS256", "--key", &p256], "a key of this kind"),
            ("a public key", &claims, vec!["RS256", "--key", &rsa_public], "this is a public key"),
            ("an empty secret", &claims, vec!["HS256", "--secret", ""], "the secret is empty"),
            ("odd hex", &claims, vec!["HS256", "--secret", "abc", "--secret-encoding", "hex"], "--secret-encoding"),
            (
                "claims that are no object",
                &["token", "sign", "--alg", "HS256", "--secret", SECRET, "--claims"],
                vec!["[]"],
                "no object",
            ),
            (
                "a name twice",
                &["token", "sign", "--alg", "HS256", "--secret", SECRET, "--claims"],
                vec![r#"{"a":1,"a":2}"#],
                "a name twice",
            ),
            (
                "two ends",
                &["token", "sign", "--alg", "HS256", "--secret", SECRET, "--claims"],
                vec![r#"{"exp":1}"#, "--expires", "1"],
                "`exp` already",
            ),
        ] {
            let output = run(&here, &[base, &more].concat());
            assert_eq!(output.status.code(), Some(2), "{name}: {}", err(&output));
            assert!(err(&output).contains(told) && output.stdout.is_empty(), "{name}: {}", err(&output));
            assert!(!err(&output).contains(SECRET), "{name}");
        }
    }
}
