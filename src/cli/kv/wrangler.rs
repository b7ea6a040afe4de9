//! The program `wrangler`: the project's own before any other.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::folder;

/// What wrangler reads its settings from.
const SETTINGS: [&str; 3] = ["wrangler.toml", "wrangler.jsonc", "wrangler.json"];

/// Wrangler for one project.
pub(in super::super) struct Wrangler {
    program: PathBuf,
    folder: PathBuf,
}

impl Wrangler {
    /// That of the project which `config` belongs to.
    pub(in super::super) fn beside(config: &Path) -> Result<Self, String> {
        let folder = folder(config);
        let whole = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
        if settings(&folder).is_none() {
            let place = folder.display();
            return Err(format!(
                "no wrangler.toml is in {place}: run this in the project, or name its gateway.json with --config"
            ));
        }
        let name = if cfg!(windows) { "wrangler.cmd" } else { "wrangler" };
        let own =
            whole.ancestors().map(|folder| folder.join("node_modules/.bin").join(name)).find(|file| file.exists());
        Ok(Self { program: own.unwrap_or_else(|| PathBuf::from(name)), folder })
    }

    /// Runs it with `input`: what it printed, or the words that it failed with.
    pub(in super::super) fn run(&self, arguments: &[&str], input: Stdio, remote: bool) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder).stdin(input);
        command.env("NO_COLOR", "1").env("FORCE_COLOR", "0").env("WRANGLER_SEND_METRICS", "false");
        if !remote {
            // What is on this machine needs nothing of the account's.
            command.env("CLOUDFLARE_CF_FETCH_ENABLED", "false");
        }
        let output = command.output().map_err(|error| {
            let program = self.program.display();
            format!(
                "{program} cannot be run ({error}): `npm install` in the project gets it, `npm start` does that too"
            )
        })?;
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(told);
        }
        let words = format!("{}\n{told}", String::from_utf8_lossy(&output.stderr));
        Err(format!("wrangler: {}", reason(&words)))
    }
}

/// The file that wrangler reads in `folder`.
pub(in super::super) fn settings(folder: &Path) -> Option<PathBuf> {
    SETTINGS.iter().map(|name| folder.join(name)).find(|file| file.is_file())
}

/// What matters of what wrangler says of a failure: its errors, without colours, banners and where its own log is.
fn reason(words: &str) -> String {
    let plain = without_colours(words);
    let lines = plain.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_noise = |line: &str| {
        line.contains("Logs were written to")
            || line.contains("WARNING")
            || line.contains("⛅")
            || line.starts_with('─')
    };
    let kept: Vec<&str> = lines.filter(|line| !is_noise(line)).collect();
    let from = kept.iter().position(|line| line.contains("[ERROR]")).unwrap_or(0);
    let told = kept.get(from..).unwrap_or_default().join("\n");
    let told = told.trim_start_matches(['✘', ' ']).trim_start_matches("[ERROR]").trim();
    if told.is_empty() { "it failed and said nothing".to_owned() } else { told.to_owned() }
}

/// Text without terminal escapes (ECMA-48 section 5.4: from `ESC [` to a byte from `@` on).
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| ('@'..='~').contains(&letter)).map_or(part.len(), |place| place + 1);
        plain.push_str(part.get(end..).unwrap_or_default());
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_wranglers_words_and_no_others() {
        let words = "\u{1b}[31m✘ \u{1b}[41;31m[\u{1b}[41;97mERROR\u{1b}[41;31m]\u{1b}[0m \u{1b}[1mA namespace with binding name \"OTHER\" was not found.\u{1b}[0m\n\n\n🪵  Logs were written to \"/home/a/x.log\"\n";
        assert_eq!(reason(words), "A namespace with binding name \"OTHER\" was not found.");
        assert_eq!(reason("\n ⛅️ wrangler 4\n──────\nplain words\n"), "plain words");
        assert_eq!(reason(""), "it failed and said nothing");
    }
}
