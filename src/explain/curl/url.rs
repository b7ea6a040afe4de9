//! What curl asks for.

use std::fmt::Write;

/// A URL as far as a gateway's answer depends on it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// With the query.
    pub(super) path: String,
    /// `name:password` before the host.
    pub(super) user: Option<String>,
}

/// Reads `target`, with `query` behind its own and the name of a file that is sent to a folder. curl takes a fragment away and resolves dot
/// segments, unless `as_is`.
pub(super) fn parse(target: &str, query: &[String], file: Option<&str>, as_is: bool) -> Result<Url, String> {
    if target.contains(char::is_whitespace) {
        return Err(format!("a URL has no white space: `{target}`"));
    }
    let behind = match target.split_once("://") {
        Some((scheme, rest)) if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => rest,
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            return Err(format!("`{scheme}` is no scheme of a gateway: http or https"));
        }
        // curl adds http:// to what has none.
        _ => target,
    };
    let behind = behind.split('#').next().unwrap_or_default();
    let (authority, rest) = behind.split_at(behind.find(['/', '?']).unwrap_or(behind.len()));
    let (path, written) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let path = if path.is_empty() { "/" } else { path };
    let mut path = if as_is { path.to_owned() } else { without_dots(path) };
    if path.ends_with('/') {
        path.push_str(file.unwrap_or_default());
    }
    let parts: Vec<&str> = written.into_iter().chain(query.iter().map(String::as_str)).collect();
    if !parts.is_empty() {
        path.push('?');
        path.push_str(&parts.join("&"));
    }
    let user = authority.rsplit_once('@').map(|(user, _)| decoded(user));
    Ok(Url { path: in_ascii(&path), user })
}

/// RFC 3986 section 5.2.4, for a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            segment => {
                kept.push(segment);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// Bytes beyond ASCII as `%HH`.
fn in_ascii(text: &str) -> String {
    escaped(text, |byte| byte.is_ascii())
}

fn escaped(text: &str, stays: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if stays(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// `%HH` as bytes; what is no text after that stays as it is.
fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        out.extend_from_slice(before.as_bytes());
        let number = behind.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(number.unwrap_or(b'%'));
        rest = if number.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// A value of `--data-urlencode`: the part behind the first `=` is encoded, or all of it. A space is a plus.
pub(super) fn encoded(value: &str) -> String {
    let (name, content) = value.split_once('=').map_or(("", value), |(name, content)| (name, content));
    let stays = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~ ".contains(&byte);
    let content = escaped(content, stays).replace(' ', "+");
    if name.is_empty() { content } else { format!("{name}={content}") }
}
