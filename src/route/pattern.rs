//! One path pattern: literals, `{param}` for one segment, `{.+}` at the end for the rest.

use std::fmt;

use super::path::{RequestPath, bare};

/// A path pattern as written in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Literals and parameters, in order.
    pub(super) segments: Vec<Segment>,
    /// Whether it ends in `{.+}`.
    pub(super) rest: bool,
}

/// A segment of a pattern but for a final `{.+}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// This text, in its one spelling.
    Literal(String),
    /// Any one segment, with its name.
    Param(String),
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidPattern {
    /// Does not start with `/`.
    NoSlash,
    /// `{.+}` is not the last segment.
    RestNotLast,
    /// Braces in a segment that is not just `{name}`.
    Braces(String),
    /// Two parameters of one name.
    RepeatedName(String),
    /// No request could have this path: dot segments, encoded slashes, backslashes, odd percent signs.
    Path,
    /// An empty segment: requests' runs of slashes are folded.
    EmptySegment,
}

impl Pattern {
    /// Reads a pattern. A trailing slash means nothing.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let body = text.strip_prefix('/').ok_or(InvalidPattern::NoSlash)?;
        let body = body.strip_suffix('/').unwrap_or(body);
        let mut pattern = Self { segments: Vec::new(), rest: false };
        if body.is_empty() {
            return Ok(pattern);
        }
        for segment in body.split('/') {
            if pattern.rest {
                return Err(InvalidPattern::RestNotLast);
            }
            match segment.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
                Some(".+") => pattern.rest = true,
                Some(name) if is_name(name) => {
                    let param = Segment::Param(name.to_owned());
                    if pattern.segments.contains(&param) {
                        return Err(InvalidPattern::RepeatedName(name.to_owned()));
                    }
                    pattern.segments.push(param);
                }
                _ if segment.contains(['{', '}']) => return Err(InvalidPattern::Braces(segment.to_owned())),
                _ if segment.is_empty() => return Err(InvalidPattern::EmptySegment),
                _ => pattern.segments.push(Segment::Literal(literal(segment)?)),
            }
        }
        Ok(pattern)
    }

    /// How many leading segments are literals: what a final `{.+}` takes off on the way to the upstream.
    pub(crate) fn literal_prefix(&self) -> usize {
        self.segments.iter().take_while(|segment| matches!(segment, Segment::Literal(_))).count()
    }

    /// Which segment the parameter `name` stands for.
    pub(crate) fn parameter(&self, name: &str) -> Option<usize> {
        self.segments.iter().position(|segment| matches!(segment, Segment::Param(known) if known == name))
    }

    /// The names of its parameters.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Param(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        })
    }

    /// How many segments it has, `{.+}` not counted.
    pub(crate) const fn len(&self) -> usize {
        self.segments.len()
    }

    /// Whether it ends in `{.+}`.
    pub const fn has_rest(&self) -> bool {
        self.rest
    }

    /// Whether it has no `{name}`.
    #[cfg(feature = "explain")]
    pub fn is_literal(&self) -> bool {
        self.segments.iter().all(|segment| matches!(segment, Segment::Literal(_)))
    }

    /// Whether both fit the same paths: the names of parameters mean nothing to that.
    #[cfg(feature = "explain")]
    pub fn fits_the_same(&self, other: &Self) -> bool {
        let bare = |pattern: &Self| {
            let mut pattern = pattern.clone();
            for segment in &mut pattern.segments {
                if let Segment::Param(name) = segment {
                    name.clear();
                }
            }
            pattern
        };
        bare(self) == bare(other)
    }

    /// A path that it fits, segment by segment: `fill` stands for whatever may be anything.
    #[cfg(feature = "explain")]
    pub fn sample(&self, fill: &str) -> Vec<String> {
        let mut sample: Vec<String> = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(text) => text.clone(),
                Segment::Param(_) => fill.to_owned(),
            })
            .collect();
        if self.rest {
            sample.push(fill.to_owned());
        }
        sample
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn literal(segment: &str) -> Result<String, InvalidPattern> {
    if segment.contains('?') {
        return Err(InvalidPattern::Path);
    }
    let path = format!("/{segment}");
    let normal = RequestPath::parse(&path).map_err(|_| InvalidPattern::Path)?;
    Ok(bare(normal.as_str().trim_start_matches('/')).into_owned())
}

impl fmt::Display for InvalidPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSlash => f.write_str("a path starts with `/`"),
            Self::RestNotLast => f.write_str("`{.+}` can only be the last segment"),
            Self::Braces(segment) => {
                write!(f, "`{segment}` is no segment: a parameter is a whole segment `{{name}}`, the rest is `{{.+}}`")
            }
            Self::RepeatedName(name) => write!(f, "the parameter `{{{name}}}` is there twice"),
            Self::Path => f.write_str(
                "no request can have this path: dot segments, `\\`, `?`, `#`, `%2F` and odd `%` are refused",
            ),
            Self::EmptySegment => f.write_str("no request can have this path: runs of `/` are folded into one"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_no_request_could_match_are_refused() {
        for (text, expected) in [
            ("a", InvalidPattern::NoSlash),
            ("", InvalidPattern::NoSlash),
            ("/{.+}/a", InvalidPattern::RestNotLast),
            ("/{.+}/{.+}", InvalidPattern::RestNotLast),
            ("/a{b}", InvalidPattern::Braces("a{b}".into())),
            ("/{}", InvalidPattern::Braces("{}".into())),
            ("/{a b}", InvalidPattern::Braces("{a b}".into())),
            ("/{a}/{a}", InvalidPattern::RepeatedName("a".into())),
            ("/a//b", InvalidPattern::EmptySegment),
            ("/a/../b", InvalidPattern::Path),
            ("/a?b", InvalidPattern::Path),
            ("/a%2fb", InvalidPattern::Path),
        ] {
            assert_eq!(Pattern::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn literals_are_in_the_spelling_of_requests() {
        let pattern = Pattern::parse("/café/%61/").unwrap();
        assert_eq!(pattern.segments, [Segment::Literal("caf%C3%A9".into()), Segment::Literal("a".into())]);
        assert_eq!(Pattern::parse("/"), Ok(Pattern { segments: vec![], rest: false }));
    }
}
