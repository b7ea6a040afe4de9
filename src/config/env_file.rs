//! `.dev.vars` files, as wrangler reads them: `NAME=value` lines in the manner of dotenv.

use std::collections::BTreeMap;

/// The names that `text` binds. A byte order mark, which some editors put before the first one, is passed over.
pub fn parse(text: &str) -> BTreeMap<String, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut names = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.trim();
        if name.is_empty() || name.starts_with('#') {
            continue;
        }
        let value = value.trim_start();
        let bound = match value.chars().next() {
            Some(quote @ ('"' | '\'' | '`')) => quoted(value.get(1..).unwrap_or(""), quote, &mut lines),
            _ => value.split(" #").next().unwrap_or(value).trim_end().to_owned(),
        };
        names.insert(name.to_owned(), bound);
    }
    names
}

/// A quoted value, which may go on over several lines; `\n` means a line end between double quotes.
fn quoted<'l>(start: &str, quote: char, lines: &mut impl Iterator<Item = &'l str>) -> String {
    let mut value = start.to_owned();
    while !value.contains(quote) {
        let Some(line) = lines.next() else { return value };
        value.push('\n');
        value.push_str(line);
    }
    let inner = value.split(quote).next().unwrap_or("").to_owned();
    if quote == '"' { inner.replace("\\n", "\n") } else { inner }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_dotenv_reads_them() {
        let text = "# comment\nA=1\n B = two words # comment\nC=\"quoted # text\"\nD='single'\nexport E=5\nF=\nG=\"a\nb\"\nH=\"a\\nb\"\nnothing\n";
        let names = parse(text);
        for (name, value) in [
            ("A", "1"),
            ("B", "two words"),
            ("C", "quoted # text"),
            ("D", "single"),
            ("E", "5"),
            ("F", ""),
            ("G", "a\nb"),
            ("H", "a\nb"),
        ] {
            assert_eq!(names.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!(names.len(), 8);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_name() {
        for (name, text) in [("a name", "\u{feff}A=1\nB=2\n"), ("a remark", "\u{feff}# of mine\nA=1\nB=2\n")] {
            let names = parse(text);
            let names: Vec<_> = names.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(names, [("A", "1"), ("B", "2")], "{name} is first");
        }
    }
}
