//! The words of a command line, as bash or as Windows' cmd reads them. `shlex` and its like know neither `$'…'` nor carets, and browsers copy
//! requests in both.

/// What a shell makes of a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) words: Vec<String>,
    /// What the shell would have done and nobody can do here.
    pub(super) notes: Vec<String>,
}

/// Splits a line. Browsers write a caret before each quote and at line ends for cmd; bash has no use for either.
pub(super) fn split(line: &str) -> Words {
    let is_cmd = line.contains("^\"") || line.lines().any(|line| line.trim_end().ends_with('^'));
    if is_cmd { cmd(line) } else { bash(line) }
}

type Letters<'l> = std::iter::Peekable<std::str::Chars<'l>>;

/// The word at hand: none between words, so that an empty one in quotes counts.
#[derive(Default)]
struct Builder {
    told: Words,
    word: Option<String>,
    /// A redirection comes before it: the next word is a file.
    redirected: bool,
}

impl Builder {
    fn push(&mut self, letter: char) {
        self.word.get_or_insert_default().push(letter);
    }

    fn end(&mut self) {
        if let Some(word) = self.word.take()
            && !std::mem::take(&mut self.redirected)
        {
            self.told.words.push(word);
        }
    }

    fn note(&mut self, note: String) {
        if !self.told.notes.contains(&note) {
            self.told.notes.push(note);
        }
    }
}

/// POSIX quoting (XCU section 2.2) and bash's `$'…'`, up to the end of the first command.
fn bash(line: &str) -> Words {
    let mut letters = line.chars().peekable();
    let mut at = Builder::default();
    while let Some(letter) = letters.next() {
        match letter {
            // A line break without a backslash ends the command; a paste may begin with some.
            '\n' if at.word.is_none() && at.told.words.is_empty() => {}
            '\n' | ';' | '|' => break,
            '&' => {
                let rest: String = letters.clone().take_while(|letter| !letter.is_whitespace()).collect();
                if !rest.is_empty() && !rest.starts_with('&') {
                    at.note(format!("`&{rest}` is outside of quotes: the shell ends the command at its `&`"));
                }
                break;
            }
            letter if letter.is_whitespace() => at.end(),
            '#' if at.word.is_none() => while letters.next_if(|letter| *letter != '\n').is_some() {},
            '\\' => match letters.next() {
                Some('\r') => {
                    letters.next_if_eq(&'\n');
                }
                Some('\n') | None => {}
                Some(escaped) => at.push(escaped),
            },
            '\'' => {
                at.word.get_or_insert_default();
                letters.by_ref().take_while(|letter| *letter != '\'').for_each(|letter| at.push(letter));
            }
            '"' => double(&mut letters, &mut at),
            '$' if letters.next_if_eq(&'\'').is_some() => ansi(&mut letters, &mut at),
            '$' => variable(&mut letters, &mut at),
            '`' => substitution(&mut at, '`'),
            '<' | '>' => {
                // The number before it is a file descriptor's.
                at.word = at.word.take().filter(|word| !word.bytes().all(|byte| byte.is_ascii_digit()));
                at.end();
                while letters.next_if(|letter| matches!(letter, '<' | '>' | '&')).is_some() {}
                at.redirected = true;
            }
            letter => at.push(letter),
        }
    }
    at.end();
    at.told
}

/// Between double quotes, a backslash escapes five letters and no others.
fn double(letters: &mut Letters<'_>, at: &mut Builder) {
    at.word.get_or_insert_default();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return,
            '\\' => match letters.next() {
                Some('\n') | None => {}
                Some(escaped @ ('"' | '\\' | '$' | '`')) => at.push(escaped),
                Some(other) => {
                    at.push('\\');
                    at.push(other);
                }
            },
            '$' => variable(letters, at),
            '`' => substitution(at, '`'),
            letter => at.push(letter),
        }
    }
}

/// Behind a `$`: what only the shell knows is left as it is written, and told.
fn variable(letters: &mut Letters<'_>, at: &mut Builder) {
    at.push('$');
    let begins = |letter: &char| letter.is_ascii_alphabetic() || *letter == '_';
    match letters.peek() {
        Some('(') => substitution(at, '$'),
        Some('{') => {
            let name: String = letters.clone().skip(1).take_while(|letter| *letter != '}').collect();
            at.note(unknown(&format!("${{{name}}}")));
        }
        Some(letter) if begins(letter) => {
            let name: String =
                letters.clone().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
            at.note(unknown(&format!("${name}")));
        }
        _ => {}
    }
}

fn unknown(name: &str) -> String {
    format!("`{name}` is a variable of the shell: put its value in its place")
}

fn substitution(at: &mut Builder, sign: char) {
    if sign == '`' {
        at.push(sign);
    }
    at.note("a command is inside the line, which only a shell can run: put what it prints in its place".to_owned());
}

/// `$'…'`: escapes as in C, and `\uHHHH`.
fn ansi(letters: &mut Letters<'_>, at: &mut Builder) {
    at.word.get_or_insert_default();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => return,
            '\\' => match letters.next() {
                Some('n') => at.push('\n'),
                Some('r') => at.push('\r'),
                Some('t') => at.push('\t'),
                Some('x') => number(letters, at, 2),
                Some('u') => number(letters, at, 4),
                Some('U') => number(letters, at, 8),
                Some(escaped) => at.push(escaped),
                None => {}
            },
            letter => at.push(letter),
        }
    }
}

/// A letter by its number in hex, of so many digits at most.
fn number(letters: &mut Letters<'_>, at: &mut Builder, most: usize) {
    let mut value = 0;
    for _ in 0..most {
        let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(16)) else { break };
        value = value * 16 + digit;
        letters.next();
    }
    at.push(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
}

/// cmd takes the carets away, and the program splits what is left by the rules of Microsoft's C runtime.
fn cmd(line: &str) -> Words {
    let mut letters = uncareted(line).chars().collect::<Vec<_>>().into_iter().peekable();
    let mut at = Builder::default();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let mut count = 1;
                while letters.next_if_eq(&'\\').is_some() {
                    count += 1;
                }
                // Backslashes count for half before a quote, which an odd one escapes.
                let before_quote = letters.peek() == Some(&'"');
                (0..if before_quote { count / 2 } else { count }).for_each(|_| at.push('\\'));
                if before_quote && count % 2 == 1 {
                    letters.next();
                    at.push('"');
                }
            }
            '"' if quoted && letters.next_if_eq(&'"').is_some() => at.push('"'),
            '"' => {
                quoted = !quoted;
                at.word.get_or_insert_default();
            }
            letter if letter.is_whitespace() && !quoted => at.end(),
            letter => at.push(letter),
        }
    }
    at.end();
    at.told
}

/// Outside of quotes a caret escapes what follows; a line end, too, which is no more then, but what follows it counts as it is.
fn uncareted(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let line = line.replace("\r\n", "\n");
    let mut letters = line.chars();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '^' if !quoted => match letters.next() {
                Some('\n') => {
                    // Chrome writes a line break inside of a value as a caret and two of them.
                    let mut ahead = letters.clone();
                    if ahead.next() == Some('\n') {
                        letters = ahead;
                        out.push('\n');
                    }
                }
                Some(escaped) => out.push(escaped),
                None => {}
            },
            '"' => {
                quoted = !quoted;
                out.push('"');
            }
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_split_as_bash_splits_them() {
        for (name, line, expected) in [
            ("words", "curl  -i\thttp://h/ ", vec!["curl", "-i", "http://h/"]),
            ("single quotes", r"curl 'a b' 'c\d'", vec!["curl", "a b", r"c\d"]),
            ("a quote in single quotes", r"curl 'it'\''s'", vec!["curl", "it's"]),
            ("double quotes", r#"curl "a \"b\" \\ \d" "#, vec!["curl", r#"a "b" \ \d"#]),
            ("joined", r#"curl a'b'"c"d"#, vec!["curl", "abcd"]),
            ("empty words", r#"curl '' """#, vec!["curl", "", ""]),
            ("dollar quotes", r"curl $'it\'s \u0041\x42\n' b", vec!["curl", "it's AB\n", "b"]),
            ("a long number", r"curl $'\u00e9x\x4g'", vec!["curl", "éx\u{4}g"]),
            ("a backslash at the line's end", "curl \\\n  -i \\\r\n  -s", vec!["curl", "-i", "-s"]),
            ("one inside of double quotes", "curl \"a\\\nb\"", vec!["curl", "ab"]),
            ("the next line is another command", "\n\ncurl a\ncurl b", vec!["curl", "a"]),
            ("a pipe", "curl a | jq .", vec!["curl", "a"]),
            ("another command", "curl a; ls", vec!["curl", "a"]),
            ("a comment", "curl a # b", vec!["curl", "a"]),
            ("a fragment is no comment", "curl http://h/#a", vec!["curl", "http://h/#a"]),
            ("redirections", "curl a > out 2>/dev/null b 2>&1", vec!["curl", "a", "b"]),
            ("a digit that is none", "curl a1 >x b", vec!["curl", "a1", "b"]),
            ("a quote that does not end", "curl 'a b", vec!["curl", "a b"]),
        ] {
            assert_eq!(split(line), Words { words: words(&expected), notes: vec![] }, "{name}");
        }
    }

    #[test]
    fn what_only_a_shell_knows_is_told() {
        for (name, line, last, note) in [
            ("a variable", r#"curl "Bearer $TOKEN""#, "Bearer $TOKEN", unknown("$TOKEN")),
            ("in braces", "curl ${A_1}b", "${A_1}b", unknown("${A_1}")),
            ("escaped", r#"curl "\$TOKEN" '$TOKEN'"#, "$TOKEN", String::new()),
            ("a dollar", r#"curl "5$ $5""#, "5$ $5", String::new()),
            (
                "unquoted &",
                "curl http://h/?a=1&b=2 -i",
                "http://h/?a=1",
                "`&b=2` is outside of quotes: the shell ends the command at its `&`".to_owned(),
            ),
            ("and", "curl a && ls", "a", String::new()),
        ] {
            let told = split(line);
            assert_eq!(told.words.last().map(String::as_str), Some(last), "{name}");
            assert_eq!(told.notes.join(" "), note, "{name}");
        }
        for line in ["curl $(cat token)", "curl `cat token`", r#"curl "$(cat)""#] {
            assert_eq!(split(line).notes.len(), 1, "{line}");
        }
    }

    #[test]
    fn lines_are_split_as_cmd_splits_them() {
        for (name, line, expected) in [
            (
                "carets at line ends",
                "curl \"http://h/\" ^\r\n  -H \"a: b\" ^\n  --compressed",
                vec!["curl", "http://h/", "-H", "a: b", "--compressed"],
            ),
            (
                "carets before quotes",
                r#"curl ^"http://h/?a=1^&b=2^" -H ^"a: b^""#,
                vec!["curl", "http://h/?a=1&b=2", "-H", "a: b"],
            ),
            (
                "quotes in quotes",
                r#"curl -H ^"ua: ^\^"Chromium^\^";v=^\^"128^\^"^""#,
                vec!["curl", "-H", r#"ua: "Chromium";v="128""#],
            ),
            ("doubled quotes", "curl \"a \"\"b\"\"\" ^\n", vec!["curl", r#"a "b""#]),
            ("backslashes", "curl \"a\\\\\" \\\\b c\\d ^\n", vec!["curl", "a\\", "\\\\b", "c\\d"]),
            ("a line break in a value", "curl -d ^\"a^\n\nb^\"", vec!["curl", "-d", "a\nb"]),
        ] {
            assert_eq!(split(line), Words { words: words(&expected), notes: vec![] }, "{name}");
        }
    }

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_owned()).collect()
    }

    proptest! {
            #[test]
            fn quoted_words_come_back(list in proptest::collection::vec("\\PC*", 0..6)) {
    let quoted: Vec<String> = list.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
                let line = quoted.join(" ");
                prop_assert_eq!(bash(&line).words, list);
            }

            #[test]
            fn any_line_is_split(line in "(?s).*") {
                let _ = (bash(&line), cmd(&line));
            }
        }
}
