//! What the command does where its output cannot be written.

#![cfg(all(feature = "cli", unix))]

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output, Stdio};

    const GOOD: &str = r#"{"paths": [{"method": "GET", "path": "/a", "response": 1}]}"#;
    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.e30.AA";

    /// A line for each way to print, with the exit code that it has otherwise.
    const LINES: [(&str, i32); 16] = [
        ("check", 0),
        ("check --json", 0),
        ("check bad.json", 1),
        ("explain --path /a", 0),
        ("explain --path /b --json", 1),
        ("routes", 0),
        ("routes --svg", 0),
        ("route ls", 0),
        ("schema", 0),
        ("completions bash", 0),
        ("man", 0),
        ("key generate --alg EdDSA", 0),
        ("token sign --alg HS256 --claims {} --secret 0123456789abcdef0123456789abcdef", 0),
        ("token decode", 0),
        ("--help", 0),
        ("--version", 0),
    ];

    fn folder(name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli_output").join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("gateway.json"), GOOD).unwrap();
        fs::write(folder.join("bad.json"), GOOD.replace("/a", "a")).unwrap();
        folder
    }

    fn run(folder: &Path, line: &str, out: Stdio, err: Stdio) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.args(line.split(' ')).current_dir(folder).stdout(out).stderr(err);
        if line == "token decode" {
            command.arg(TOKEN);
        }
        command.output().unwrap()
    }

    /// A pipe that nobody reads.
    fn closed() -> Stdio {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer.into()
    }

    #[test]
    fn a_closed_pipe_ends_it_quietly_with_its_own_exit_code() {
        let here = folder("closed");
        for (line, code) in LINES {
            let output = run(&here, line, closed(), Stdio::piped());
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!((output.status.code(), told.as_ref()), (Some(code), ""), "{line}");
        }
    }

    #[test]
    fn a_closed_pipe_does_not_keep_the_work_from_being_done() {
        let here = folder("work");
        let output = run(&here, "check --output copy.json", closed(), Stdio::piped());
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(fs::read_to_string(here.join("copy.json")).unwrap(), GOOD);
    }

    #[test]
    fn nobody_to_read_what_is_wrong_changes_no_exit_code() {
        let here = folder("stderr");
        for (line, code) in [("check absent.json", 2), ("routes bad.json", 1), ("nothing", 2)] {
            assert_eq!(run(&here, line, closed(), closed()).status.code(), Some(code), "{line}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_told_and_is_exit_code_2() {
        if !cfg!(target_os = "linux") {
            return;
        }
        let here = folder("full");
        for (line, _) in LINES {
            let full = File::options().write(true).open("/dev/full").unwrap();
            let output = run(&here, line, full.into(), Stdio::piped());
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{line}: {told}");
            assert!(told.starts_with("portcullis: standard output: No space left"), "{line}: {told}");
        }
    }
}
