//! What is wrong with a configuration, and where.

use std::fmt;

use serde::Serialize;

use super::line_index::LineIndex;
use super::source::Source;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// The configuration is used; somebody should look.
    Warning,
}

/// A finding as it is gathered: its place is a byte offset into the text.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Byte offset into the text.
    pub offset: usize,
    /// Error or warning.
    pub severity: Severity,
    /// A lowercase phrase; names from the file stand between backquotes.
    pub message: String,
    /// A second place this is in conflict with, as a byte offset.
    pub other: Option<usize>,
}

/// A finding with its place in words that people and editors use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// JSON pointer (RFC 6901).
    pub pointer: String,
    /// Counted from one.
    pub line: usize,
    /// In characters, counted from one.
    pub column: usize,
    /// A lowercase phrase.
    pub message: String,
}

impl Finding {
    /// An error at `offset`.
    pub fn error(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, severity: Severity::Error, message: message.into(), other: None }
    }

    /// A warning at `offset`.
    pub fn warning(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, severity: Severity::Warning, message: message.into(), other: None }
    }

    /// An error at `offset` that is in conflict with what stands at `other`.
    pub fn conflict(offset: usize, other: usize, message: impl Into<String>) -> Self {
        Self { offset, severity: Severity::Error, message: message.into(), other: Some(other) }
    }

    /// A warning at `offset` of what is the same as what stands at `other`.
    pub fn remark(offset: usize, other: usize, message: impl Into<String>) -> Self {
        Self { offset, severity: Severity::Warning, message: message.into(), other: Some(other) }
    }

    /// The finding with its place in `text`; `source` is absent where the text did not parse.
    pub fn locate(self, text: &str, source: Option<&Source<'_>>) -> Problem {
        let place = |offset| match source {
            Some(source) => (source.pointer_at(offset), source.line_and_column(offset)),
            None => (String::new(), LineIndex::new(text).line_and_column(text, offset)),
        };
        let (pointer, (line, column)) = place(self.offset);
        let message = match self.other {
            Some(other) => {
                let (pointer, (line, column)) = place(other);
                format!("{} (the other is {pointer} at {line}:{column})", self.message)
            }
            None => self.message,
        };
        Problem { severity: self.severity, pointer, line, column, message }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// `LINE:COLUMN: error: MESSAGE [POINTER]`, which editors and terminals make clickable behind a file name.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{}:{}: {}: {} [{pointer}]", self.line, self.column, self.severity, self.message)
    }
}

#[cfg(test)]
mod tests {
    use crate::compile::compile;
    use crate::config::reference::Env;

    const MANY: usize = 20_000;

    /// Where each place was looked for from the start of the text, this took minutes.
    #[test]
    fn many_problems_are_each_told_at_their_place() {
        for (name, between) in [("a line each", "\n"), ("one line", "")] {
            let place = |at: usize| if between.is_empty() { (1, 44 + at * 42) } else { (at + 2, 34) };
            let path = |at: usize| {
                let comma = if at + 1 < MANY { ',' } else { ' ' };
                format!(r#"{between}{{"title":"é","response":1,"path":"{at:05}"}}{comma}"#)
            };
            let text = format!(r#"{{"paths":[{}]}}"#, (0..MANY).map(path).collect::<String>());
            let problems = compile(&text, Env::Unknown).problems;
            let about_paths: Vec<_> = problems.iter().filter(|problem| problem.pointer.ends_with("/path")).collect();
            assert_eq!((problems.len(), about_paths.len()), (2 * MANY, MANY), "{name}");
            for (at, problem) in about_paths.into_iter().enumerate() {
                assert_eq!(problem.pointer, format!("/paths/{at}/path"), "{name}");
                assert_eq!((problem.line, problem.column), place(at), "{name}, {at}");
            }
        }
    }
}
