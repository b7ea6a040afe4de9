//! Variables and secrets in a file, exactly as wrangler reads `.dev.vars`: by the one regular expression of dotenv 16.
//!
//! ```text
//! ^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"…"|\s*`…`|[^#\n]+)?\s*(?:#.*)?$
//! ```
//!
//! White space is JavaScript's, and line ends are among it: a name may stand a line before its `=`. What the expression does not match is
//! passed over without a word; [`read`] has one.

use std::collections::BTreeMap;

/// A file that was read.
#[derive(Debug, Default)]
pub struct EnvFile {
    /// The names with their values.
    pub names: BTreeMap<String, String>,
    /// What somebody should look at, in the order of the file. No value is quoted.
    pub remarks: Vec<Remark>,
}

/// Something that is read otherwise than it looks.
#[derive(Debug, PartialEq, Eq)]
pub struct Remark {
    /// Counted from one.
    pub line: usize,
    /// A lowercase phrase.
    pub message: String,
}

/// The names that `text` binds.
pub fn parse(text: &str) -> BTreeMap<String, String> {
    read(text).names
}

/// The names that `text` binds, and what is odd about it.
pub fn read(text: &str) -> EnvFile {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let line = |rest: &str| {
        let before = text.len().checked_sub(rest.len()).and_then(|at| text.get(..at));
        before.map_or(1, |before| before.matches('\n').count() + 1)
    };
    let mut file = EnvFile::default();
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let Some(Assignment { at, name, value, after }) = assignment(rest) else {
            let (first, after) = cut(rest, is_line_end);
            let first = first.trim_matches(is_space);
            if !first.is_empty() && !first.starts_with('#') {
                let message = "this is no assignment, and it is passed over".to_owned();
                file.remarks.push(Remark { line: line(rest), message });
            }
            rest = next_line(after);
            continue;
        };
        let here = line(at);
        if let Some(other) = lines.insert(name, here) {
            let message = format!("`{name}` is there twice: the one in line {other} does not count");
            file.remarks.push(Remark { line: here, message });
        }
        let written = value.trim_matches(is_space);
        let bound = unquoted(written);
        if written.starts_with(QUOTES) && bound == written {
            let message = format!(
                "the value of `{name}` begins with a quote that its end does not close: it is part of the value"
            );
            file.remarks.push(Remark { line: here, message });
        } else if after.starts_with('#') && !value.ends_with(is_space) {
            let message = format!("`#` ends the value of `{name}`: quotes would keep what follows");
            file.remarks.push(Remark { line: here, message });
        }
        let bound = if written.starts_with('"') { bound.replace("\\n", "\n").replace("\\r", "\r") } else { bound };
        file.names.insert(name.to_owned(), bound);
        rest = next_line(after);
    }
    file
}

/// A match of the expression.
struct Assignment<'t> {
    /// The text from the name on.
    at: &'t str,
    name: &'t str,
    /// As written, with quotes and white space.
    value: &'t str,
    /// The text from where the match ends, or, of a value without quotes, from where the value ends.
    after: &'t str,
}

const QUOTES: [char; 3] = ['\'', '"', '`'];

/// The assignment that `text`, which is at the beginning of a line, begins with.
fn assignment(text: &str) -> Option<Assignment<'_>> {
    let start = text.trim_start_matches(is_space);
    let exported = start.strip_prefix("export").filter(|more| more.starts_with(is_space));
    exported.and_then(|more| named(more.trim_start_matches(is_space))).or_else(|| named(start))
}

fn named(at: &str) -> Option<Assignment<'_>> {
    let (name, more) = cut(at, |letter| !(letter.is_ascii_alphanumeric() || "_.-".contains(letter)));
    if name.is_empty() {
        return None;
    }
    let more = match more.trim_start_matches(is_space).strip_prefix('=') {
        Some(more) => more,
        None => more.strip_prefix(':')?.strip_prefix(is_space)?,
    };
    // Without quotes everything matches up to a `#` or the line's end.
    let (value, after) = quoted(more).unwrap_or_else(|| cut(more, |letter| letter == '#' || letter == '\n'));
    Some(Assignment { at, name, value, after })
}

/// A value in quotes and where the match ends: at the first quote that no backslash is before, else at the last one before that, which has
/// nothing but a remark behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let start = text.trim_start_matches(is_space);
    let quote = start.chars().next().filter(|first| QUOTES.contains(first))?;
    let body = start.strip_prefix(quote)?;
    let mut ends = Vec::new();
    let mut before = quote;
    for (at, letter) in body.char_indices() {
        if letter == quote {
            ends.push(at + 2);
            if before != '\\' {
                break;
            }
        }
        before = letter;
    }
    ends.into_iter().rev().find_map(|end| {
        let (value, more) = start.split_at_checked(end)?;
        Some((value, tail(more)?))
    })
}

/// `\s*(?:#.*)?$`: what is behind the match.
fn tail(text: &str) -> Option<&str> {
    let more = text.trim_start_matches(is_space);
    if more.is_empty() {
        return Some(more);
    }
    if more.starts_with('#') {
        return Some(cut(more, is_line_end).1);
    }
    let spaces = text.strip_suffix(more)?;
    text.get(spaces.rfind(is_line_end)?..)
}

/// Without its quotes, each of which begins a line of the value and ends one: a value without quotes around it has no lines but those that
/// Unicode's own line ends make.
fn unquoted(value: &str) -> String {
    let mut told = String::new();
    let mut rest = value;
    let mut begins = true;
    while let Some(first) = rest.chars().next() {
        let more = rest.strip_prefix(first).unwrap_or_default();
        let inner = if begins && QUOTES.contains(&first) { up_to_last(more, first) } else { None };
        (rest, begins) = if let Some((inner, behind)) = inner {
            told.push_str(inner);
            (behind, false)
        } else {
            told.push(first);
            (more, is_line_end(first))
        };
    }
    told
}

/// `text` up to the last `quote` that is at the end of a line, and from behind it.
fn up_to_last(text: &str, quote: char) -> Option<(&str, &str)> {
    let ends = text.rmatch_indices(quote).filter_map(|(at, _)| text.split_at_checked(at));
    let mut ends = ends.map(|(inner, behind)| (inner, behind.strip_prefix(quote).unwrap_or_default()));
    ends.find(|(_, behind)| behind.is_empty() || behind.starts_with(is_line_end))
}

/// `text` up to the first letter that is such a one, and from there.
fn cut(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.find(ends).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

fn next_line(text: &str) -> &str {
    let (_, end) = cut(text, is_line_end);
    end.strip_prefix(is_line_end).unwrap_or_default()
}

/// JavaScript's `\s`, which has the byte order mark, and lacks NEL.
fn is_space(letter: char) -> bool {
    letter == '\u{feff}' || (letter.is_whitespace() && letter != '\u{85}')
}

/// Where JavaScript's `^` and `$` are, once there is no `\r`.
fn is_line_end(letter: char) -> bool {
    matches!(letter, '\n' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Row {
        name: String,
        text: String,
        names: BTreeMap<String, String>,
    }

    /// The rows' values are wrangler's own: `tests/e2e/devvars.test.mjs` asks it.
    #[test]
    fn files_are_read_as_wrangler_reads_them() {
        let rows: Vec<Row> = serde_json::from_str(include_str!("../../tests/dev-vars.json")).unwrap();
        assert!(rows.len() > 30);
        for Row { name, text, names } in rows {
            assert_eq!(parse(&text), names, "{name}: {text:?}");
        }
    }

    #[test]
    fn what_is_read_otherwise_than_it_looks_is_told_with_its_line() {
        let twice = "`A` is there twice: the one in line 1 does not count";
        let nothing = "this is no assignment, and it is passed over";
        let open = "the value of `A` begins with a quote that its end does not close: it is part of the value";
        let short = "`#` ends the value of `A`: quotes would keep what follows";
        for (name, text, told) in [
            ("a name twice", "A=1\nB=2\nA=3\n", &[(3, twice)][..]),
            ("a name twice, over lines", "A=\"1\n2\"\r\nA=3", &[(3, twice)]),
            ("words", "B=1\n\nsome words\n", &[(3, nothing)]),
            ("a name alone", "A\nB=1\n", &[(1, nothing)]),
            ("no space behind a colon", "A:1\n", &[(1, nothing)]),
            ("an odd name", "A B=1\nA=2", &[(1, nothing)]),
            ("nothing but blanks and remarks", "\n  \n# A\n\t#=\n", &[]),
            ("an open quote", "B=1\nA=\"b\nC=1\n", &[(2, open)]),
            ("an open quote before a remark", "A='b # c", &[(1, open)]),
            ("a quote alone", "A=\"", &[(1, open)]),
            ("more behind the quotes", "A=\"b\"c", &[(1, open)]),
            ("a quote that is closed", "A=\"b\" # c\nB='\n'\nC=\"\"#", &[]),
            ("a quote inside", "A=it's", &[]),
            ("a cut", "A=b#c", &[(1, short)]),
            ("nothing left", "A=#b", &[(1, short)]),
            ("a remark", "A=b #c\nB= # c\nC=b\t#c", &[]),
            ("a # in quotes", "A=\"b#c\"", &[]),
        ] {
            let remarks = read(text).remarks;
            let remarks: Vec<_> = remarks.iter().map(|remark| (remark.line, remark.message.as_str())).collect();
            assert_eq!(remarks, told, "{name}");
        }
    }
}
