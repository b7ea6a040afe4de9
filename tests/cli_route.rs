//! `portcullis route`, and what `consumer`, `jwt`, `revoke` and `infra` say where they can do nothing: each scene is a file, some commands,
//! and all that they print and leave. `UPDATE_GOLDEN=1 cargo test --test cli_route` writes what is expected anew.

#![cfg(feature = "cli")]

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    const EMPTY: &str = "{\n  \"paths\": []\n}\n";

    const JWT: &str = r#"{
  "authorizer": { "type": "jwt", "secret": "$secret.S", "algorithm": "HS256", "audience": "a" },
  "paths": [
    { "method": "GET", "path": "/private", "auth": true, "response": {} }
  ]
}
"#;

    const WIDE: &str = r#"{
    "servers": [
        {
            "alias": "app",
            "url": "https://app.example.com"
        }
    ],
    "service_bindings": [{ "alias": "hook", "binding": "HOOK" }],
    "authorizers": [{ "name": "keys", "type": "api_key" }, { "name": "mine", "type": "consumers" }],
    "paths": [
        {
            "method": "ANY",
            "path": "/{.+}",
            "integration": {
                "type": "http_proxy",
                "server": "app"
            }
        },
        {
            "method": ["GET", "POST", "DELETE"],
            "path": "/admin/{.+}",
            "auth": "keys",
            "integration": {
                "type": "http_proxy",
                "server": "app",
                "timeout_ms": 5
            }
        }
    ]
}
"#;

    /// Two namespaces of consumers, and two authorizers with revocations.
    const SEVERAL: &str = r#"{
  "authorizers": [
    { "name": "one", "type": "consumers", "binding": "ONE", "algorithms": ["ES256", "EdDSA"] },
    { "name": "two", "type": "consumers", "binding": "TWO" },
    { "name": "idp", "type": "auth0", "domain": "a.eu.auth0.com", "audience": "a", "revocation": {} },
    { "name": "other", "type": "auth0", "domain": "b.eu.auth0.com", "audience": "a", "revocation": { "binding": "MINE" } }
  ],
  "paths": []
}
"#;

    const REFERRED: &str = r#""authorizer": { "type": "consumers", "binding": "$env.WHERE" }, "paths""#;

    fn golden(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/route").join(format!("{name}.txt"))
    }

    /// A folder with the files of a scene and nothing above it that belongs to a project.
    fn folder(name: &str, config: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("portcullis-route-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("gateway.json"), config).unwrap();
        folder
    }

    /// Runs the commands one after another: what they print, their exit codes, and the file in the end.
    fn played(folder: &Path, lines: &[&str]) -> String {
        let mut told = String::new();
        for line in lines {
            let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
                .args(line.split(' '))
                .current_dir(folder)
                // No wrangler but the project's own.
                .env("PATH", "")
                .output()
                .unwrap();
            let _ = writeln!(told, "$ portcullis {line}");
            told.push_str(&String::from_utf8(output.stdout).unwrap());
            for line in String::from_utf8(output.stderr).unwrap().lines() {
                let _ = writeln!(told, "! {line}");
            }
            let _ = writeln!(told, "= {}", output.status.code().unwrap());
        }
        let _ = write!(told, "\n{}", fs::read_to_string(folder.join("gateway.json")).unwrap());
        let mut left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.retain(|name| name != "wrangler.toml" && name != "wrangler.jsonc");
        assert_eq!(left, ["gateway.json"], "nothing is left beside it");
        told
    }

    fn scene(name: &str, folder: &Path, lines: &[&str]) {
        let told = played(folder, lines);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(golden(name).parent().unwrap()).unwrap();
            fs::write(golden(name), &told).unwrap();
        }
        assert_eq!(told, fs::read_to_string(golden(name)).unwrap_or_default(), "{name}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_first_protected_route_brings_its_authorizer_and_again_changes_nothing() {
        let lines = [
            "route add /app --jwt",
            "route add /app --jwt",
            "route ls",
            "route add /other/ --jwt --method get,post --json",
        ];
        scene("first", &folder("first", EMPTY), &lines);
    }

    #[test]
    fn a_file_with_an_authorizer_of_another_kind_gets_one_by_name() {
        let lines = ["route add /app --jwt", "route add /mine --auth default --exact", "route add /x --auth nobody"];
        scene("beside", &folder("beside", JWT), &lines);
    }

    #[test]
    fn what_changes_is_told_and_takes_force() {
        let lines = [
            "route add /app --jwt",
            "route add /app",
            "route add /app --to https://orders.example.com/v2/ --jwt",
            "route add /app --to https://orders.example.com/v2/ --jwt --force",
            "route add /again --to https://orders.example.com/v2 --jwt",
            "route add /app --force --json",
            "route add /app --to nothing",
            "route add app",
            "route add /app --method BREW",
            "route add /a{b}",
        ];
        scene("force", &folder("force", EMPTY), &lines);
    }

    #[test]
    fn an_empty_path_is_none_and_a_method_counts_once() {
        // The words of a line are what is between its spaces: behind the last one of these is an empty one.
        let lines = [
            "route add ",
            "route add --exact ",
            "route add --jwt ",
            "route rm ",
            "route add /x --method GET,POST,get",
            "route add /x --method POST --method GET --method POST",
        ];
        scene("empty", &folder("empty", EMPTY), &lines);
    }

    #[test]
    fn routes_that_are_near_are_told_apart() {
        let lines = [
            "route add /private",
            "route add /private --exact --auth default --method GET",
            "route add /private --exact --auth default --method GET,POST",
            "route add /private --exact --auth default",
        ];
        scene("near", &folder("near", JWT), &lines);
    }

    #[test]
    fn removing_takes_methods_or_all_and_opens_nothing_without_force() {
        let lines = [
            "route add /hook --jwt --to hook --method POST",
            "route rm /admin --method GET",
            "route rm /admin --method GET --force",
            "route rm /admin --method POST --force",
            "route rm /admin --force",
            "route rm /hook --json --force",
            "route rm /nothing",
            "route rm / --exact",
            "route rm /",
        ];
        scene("remove", &folder("remove", WIDE), &lines);
    }

    #[test]
    fn a_file_that_has_problems_is_left_as_it_is() {
        let broken =
            "{\n  \"paths\": [{ \"method\": \"GET\", \"path\": \"/a\", \"auht\": true, \"response\": 1 }]\n}\n";
        scene("broken", &folder("broken", broken), &["route add /b", "route rm /a --exact --method GET", "route ls"]);
        scene(
            "cut-off",
            &folder("cut-off", "{\"paths\": ["),
            &["route add /b", "route add /b --json", "route add /b --config absent.json"],
        );
    }

    #[test]
    fn what_cannot_be_done_is_told_with_what_to_do() {
        let here = folder("nothing", EMPTY);
        scene("no-project", &here, &["consumer ls", "jwt add a", "infra endpoint --remote"]);
        let here = folder("no-wrangler", EMPTY);
        fs::write(here.join("wrangler.toml"), "name = \"mine\"\n[env.test]\n").unwrap();
        let lines = [
            "consumer ls",
            "consumer add a:b",
            "jwt add a --alg HS257",
            "jwt add a --public-key absent.pem --alg ES256",
            "jwt add a --public-key gateway.json",
            "jwt add a --expires-in 0",
            "jwt rotate a --overlap soon",
            "revoke --sub a",
            "revoke",
            "revoke --jti a --sub b",
            "revoke --jti a --before now",
            "revoke --all --before yesterday",
            "revoke --all --ttl 0s",
            "infra endpoint --remote",
            "infra endpoint --remote --env test --json",
            "route add /app --jwt",
        ];
        scene("no-wrangler", &here, &lines);
        let here = folder("several", SEVERAL);
        fs::write(here.join("wrangler.toml"), "name = \"mine\"\n").unwrap();
        let lines = [
            "consumer ls",
            "jwt add a --binding ONE",
            "jwt add a --binding TWO",
            "route add /x --jwt",
            "revoke --all",
            "revoke --all --authorizer one",
            "revoke --all --authorizer nobody",
            "revoke ls --authorizer idp",
        ];
        scene("several", &here, &lines);
        let here = folder("referred", &EMPTY.replace("\"paths\"", REFERRED));
        fs::write(here.join("wrangler.toml"), "").unwrap();
        scene("referred", &here, &["consumer ls", "infra endpoint --remote"]);
        let here = folder("routed", EMPTY);
        fs::write(
            here.join("wrangler.jsonc"),
            "{\n  // where it is\n  \"routes\": [{ \"pattern\": \"api.example.com\", \"custom_domain\": true }],\n}\n",
        )
        .unwrap();
        scene("routed", &here, &["infra endpoint --remote", "infra endpoint --remote --json"]);
    }

    #[test]
    fn edits_at_the_same_time_wait_for_each_other() {
        let folder = std::env::temp_dir().join(format!("portcullis-at-once-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("gateway.json");
        fs::write(&file, EMPTY).unwrap();
        let add = |number: usize| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
            command.args(["route", "add", &format!("/p{number}"), "--config"]).arg(&file);
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
        };
        let running: Vec<_> = (0..12).map(add).collect();
        for mut one in running {
            assert!(one.wait().unwrap().success());
        }
        let text = fs::read_to_string(&file).unwrap();
        let lost: Vec<usize> = (0..12).filter(|number| !text.contains(&format!("\"/p{number}/{{.+}}\""))).collect();
        assert_eq!(lost, Vec::<usize>::new(), "{text}");
        fs::remove_dir_all(folder).unwrap();
    }
}
