//! The path a client sent, decided upon once.
//!
//! Whatever spelling came in, one spelling goes on: it is matched, it is authorised, and it is what the upstream gets. Spellings that two
//! readers could take for different paths are not decided but refused.

use std::borrow::Cow;

/// The path of a request in its one spelling: starts with `/`, no dot segments, no runs of slashes, unreserved characters bare, all others
/// percent-encoded with capital digits (RFC 3986 section 6.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath<'r>(Cow<'r, str>);

/// A path that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPath;

impl<'r> RequestPath<'r> {
    /// Judges and normalises `raw`, the part of a request's target before `?`.
    ///
    /// # Errors
    /// A path that does not start with `/`; dot segments in any spelling, with `;` parameters too; slashes, backslashes or NUL in encoded
    /// form, and backslashes as they are; `#`; a `%` without two digits; anything that does not decode to UTF-8.
    pub fn parse(raw: &'r str) -> Result<Self, InvalidPath> {
        if !raw.starts_with('/') {
            return Err(InvalidPath);
        }
        if is_normal(raw) {
            return Ok(Self(Cow::Borrowed(raw)));
        }
        let normal = normalise(raw)?;
        let decoded = decode(&normal);
        if std::str::from_utf8(&decoded).is_err() || decoded.contains(&0) {
            return Err(InvalidPath);
        }
        if normal.split('/').any(is_dot_segment) {
            return Err(InvalidPath);
        }
        Ok(Self(Cow::Owned(normal)))
    }

    /// The path in its one spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its one spelling, where that is another than the one it came in.
    pub(crate) fn respelled(self) -> Option<String> {
        match self.0 {
            Cow::Borrowed(_) => None,
            Cow::Owned(path) => Some(path),
        }
    }
}

/// Whether `raw` is in its one spelling already, as most paths are: checked without a copy, and never for a path with `%` or `;`.
fn is_normal(raw: &str) -> bool {
    let mut after_slash = false;
    for byte in raw.bytes() {
        let slash = byte == b'/';
        if (slash || byte == b'.') && after_slash {
            return false;
        }
        if !slash && (!is_path_byte(byte) || byte == b';') {
            return false;
        }
        after_slash = slash;
    }
    true
}

fn normalise(raw: &str) -> Result<String, InvalidPath> {
    let mut normal = String::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let high = bytes.next().and_then(hex_value).ok_or(InvalidPath)?;
                let low = bytes.next().and_then(hex_value).ok_or(InvalidPath)?;
                let decoded = high << 4 | low;
                match decoded {
                    b'/' | b'\\' | 0 => return Err(InvalidPath),
                    _ if is_unreserved(decoded) => normal.push(char::from(decoded)),
                    _ => push_encoded(&mut normal, decoded),
                }
            }
            b'/' if normal.ends_with('/') => {}
            b'\\' | b'#' | 0 => return Err(InvalidPath),
            b'/' => normal.push('/'),
            _ if is_path_byte(byte) => normal.push(char::from(byte)),
            _ => push_encoded(&mut normal, byte),
        }
    }
    Ok(normal)
}

/// A segment as it is compared with literals: what may stand bare in a path stands bare (`%3A` is `:` to every server that decodes before it
/// looks for its route). What is forwarded stays as it was sent.
pub(super) fn bare(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let mut text = String::with_capacity(segment.len());
    for byte in decode(segment) {
        if is_path_byte(byte) { text.push(char::from(byte)) } else { push_encoded(&mut text, byte) }
    }
    Cow::Owned(text)
}

/// The path of a [`RequestPath`] without what makes no other path to a route: `;` parameters, percent signs where none are needed, a slash at the
/// end.
pub(crate) fn folded(path: &str) -> Cow<'_, str> {
    let path = path.trim_end_matches('/');
    if !path.contains(['%', ';']) {
        return Cow::Borrowed(path);
    }
    let without = |segment| bare(segment).split(';').next().unwrap_or_default().to_owned();
    Cow::Owned(path.split('/').map(without).collect::<Vec<_>>().join("/"))
}

/// `.` or `..`, alone or before `;` parameters, which some servers cut off before they resolve dots.
fn is_dot_segment(segment: &str) -> bool {
    // Nothing before a parameter: `/;/admin` is `//admin` where parameters are cut off.
    if segment.starts_with(';') || segment.starts_with("%3B") {
        return true;
    }
    let name = segment.split(';').next().unwrap_or(segment);
    let name = name.split("%3B").next().unwrap_or(name);
    name == "." || name == ".."
}

/// The bytes that a percent-encoded text stands for. A `%` without two digits stands for itself.
pub fn decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digits = (ahead.next().and_then(hex_value), ahead.next().and_then(hex_value));
        match (byte, digits) {
            (b'%', (Some(high), Some(low))) => {
                decoded.push(high << 4 | low);
                bytes = ahead;
            }
            _ => decoded.push(byte),
        }
    }
    decoded
}

/// `unreserved` of RFC 3986 section 2.3.
pub(crate) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What may stand in a segment as it is: `pchar` of RFC 3986 section 3.3 but for `%`.
const fn is_path_byte(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@')
}

const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Adds `%` and two digits.
pub(crate) fn push_encoded(text: &mut String, byte: u8) {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'A' + value - 10 });
    text.push('%');
    text.push(digit(byte >> 4));
    text.push(digit(byte & 15));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_path_has_one_spelling() {
        for (raw, normal) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/"),
            ("//a///b//", "/a/b/"),
            ("/%61dmin", "/admin"),
            ("/%41%7e%2D", "/A~-"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/café", "/caf%C3%A9"),
            ("/a b\"<>`{}|^", "/a%20b%22%3C%3E%60%7B%7D%7C%5E"),
            ("/a;b=c", "/a;b=c"),
            ("/a%3b", "/a%3B"),
            ("/%252e%252e", "/%252e%252e"),
            ("/...", "/..."),
            ("/.well-known/x", "/.well-known/x"),
            ("/a%20b", "/a%20b"),
            ("/[1]", "/%5B1%5D"),
        ] {
            assert_eq!(RequestPath::parse(raw).as_ref().map(RequestPath::as_str), Ok(normal), "{raw}");
        }
    }

    #[test]
    fn paths_that_could_be_read_in_two_ways_are_refused() {
        for raw in [
            "",
            "a",
            "*",
            "/..",
            "/a/../b",
            "/a/.",
            "/./a",
            "/%2e%2e/a",
            "/.%2E",
            "/%2e",
            "/a/%2e%2e",
            "/..;/a",
            "/..;x=1/a",
            "/.;/a",
            "/%2e%2e%3b/a",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a%5Cb",
            "/a\\b",
            "/a%00",
            "/a\0",
            "/%",
            "/%4",
            "/%zz",
            "/%ff",
            "/%c0%ae",
            "/%ed%a0%80",
            "/a#b",
            "/%2e%2e%2fa",
        ] {
            assert_eq!(RequestPath::parse(raw), Err(InvalidPath), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(raw in "/[ -~é/.%2eEfF;\\\\]{0,24}") {
            if let Ok(path) = RequestPath::parse(&raw) {
                let again = RequestPath::parse(path.as_str());
                prop_assert_eq!(again.as_ref().map(RequestPath::as_str), Ok(path.as_str()));
            }
        }

        #[test]
        fn what_is_normal_already_is_left_as_it_is(raw in "/[a-z0-9/._~-]{0,24}") {
            prop_assume!(is_normal(&raw));
            prop_assert_eq!(normalise(&raw), Ok(raw));
        }
    }
}
