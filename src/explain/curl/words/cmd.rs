//! A line for Windows' cmd.

use super::{Builder, Split};

/// cmd takes the carets away, and the program splits what is left by the rules of Microsoft's C runtime.
pub(super) fn split(line: &str) -> Split {
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
    at.told.unclosed = quoted.then_some('"');
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
