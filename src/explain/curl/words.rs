//! The words of a command line, as bash or as Windows' cmd reads them. `shlex` and its like know neither `$'…'` nor carets, and browsers copy
//! requests in both.

mod cmd;

/// What a shell makes of a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) words: Vec<String>,
    /// What the shell would have done and nobody can do here.
    pub(super) notes: Vec<String>,
    /// The quote that begins and does not end.
    pub(super) unclosed: Option<char>,
}

/// Splits a line. Browsers write a caret before each quote and at line ends for cmd; bash has no use for either.
pub(super) fn split(line: &str) -> Split {
    let is_cmd = line.contains("^\"") || line.lines().any(|line| line.trim_end().ends_with('^'));
    if is_cmd { cmd::split(line) } else { bash(line) }
}

type Letters<'l> = std::iter::Peekable<std::str::Chars<'l>>;

/// The word at hand: none between words, so that an empty one in quotes counts.
#[derive(Default)]
struct Builder {
    told: Split,
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
fn bash(line: &str) -> Split {
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
            '\'' => single(&mut letters, &mut at),
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

/// Between single quotes, every letter stands for itself.
fn single(letters: &mut Letters<'_>, at: &mut Builder) {
    at.word.get_or_insert_default();
    for letter in letters {
        match letter {
            '\'' => return,
            letter => at.push(letter),
        }
    }
    at.told.unclosed = Some('\'');
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
    at.told.unclosed = Some('"');
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
    at.told.unclosed = Some('\'');
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

#[cfg(test)]
mod tests;
