//! docs/commands.md is held against the command: each `$ portcullis …` of a `console` block is run, and what follows it must be its output.

#![cfg(feature = "cli")]

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    fn page() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md")
    }

    /// A folder with the files that the page speaks of.
    fn folder() -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commands");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (from, to) in [
            ("gateway.json", "gateway.json"),
            (".dev.vars.example", ".dev.vars"),
            ("tests/keys/ed25519-public.pem", "partner.pem"),
        ] {
            fs::copy(root.join(from), folder.join(to)).unwrap();
        }
        let vars = fs::read_to_string(folder.join(".dev.vars")).unwrap();
        let secret = vars.split("JWT_SECRET=\"").nth(1).unwrap().split('"').next().unwrap();
        fs::write(folder.join("secret.txt"), format!("{secret}\n")).unwrap();
        folder
    }

    /// The words of a line, those in single quotes as one.
    fn words(line: &str) -> Vec<String> {
        let parts = line.split('\'').enumerate();
        let words = parts.flat_map(|(number, part)| {
            let whole = number % 2 == 1;
            if whole { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
        });
        words.collect()
    }

    #[test]
    fn the_page_shows_what_the_command_prints() {
        let (page, folder) = (fs::read_to_string(page()).unwrap(), folder());
        let mut ran = 0;
        for block in page.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
            for shown in block.strip_prefix("$ ").unwrap().split("\n$ ") {
                let (line, expected) = shown.split_once('\n').unwrap_or((shown, ""));
                let words = words(line.strip_prefix("portcullis ").unwrap());
                let output =
                    Command::new(env!("CARGO_BIN_EXE_portcullis")).current_dir(&folder).args(words).output().unwrap();
                let told = [output.stdout, output.stderr].concat();
                assert_eq!(String::from_utf8(told).unwrap().trim_end(), expected.trim_end(), "{line}");
                ran += 1;
            }
        }
        assert!(ran >= 8, "only {ran} commands were found");
    }
}
