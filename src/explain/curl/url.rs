//! The path that curl asks for.

use std::fmt::Write;

/// Path and query of `target`, with `query` behind it. curl takes a fragment away and resolves dot segments, unless `as_is`.
pub(super) fn path_of(target: &str, query: &[String], as_is: bool) -> Result<String, String> {
    let behind = match target.split_once("://") {
        Some((scheme, rest)) if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => rest,
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            return Err(format!("`{scheme}` is no scheme of a gateway: http or https"));
        }
        // curl adds http:// to what has none.
        _ => target,
    };
    let behind = behind.split('#').next().unwrap_or_default();
    let start = behind.find(['/', '?']).unwrap_or(behind.len());
    let (path, written) = behind
        .split_at(start)
        .1
        .split_once('?')
        .map_or_else(|| (behind.split_at(start).1, None), |(path, query)| (path, Some(query)));
    let path = if path.is_empty() { "/" } else { path };
    let mut path = if as_is { path.to_owned() } else { without_dots(path) };
    let parts: Vec<&str> = written.into_iter().chain(query.iter().map(String::as_str)).collect();
    if !parts.is_empty() {
        path.push('?');
        path.push_str(&parts.join("&"));
    }
    Ok(path)
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

/// A value of `--data-urlencode`: the part behind the first `=` is encoded, or all of it.
pub(super) fn encoded(value: &str) -> String {
    let (name, content) = value.split_once('=').map_or(("", value), |(name, content)| (name, content));
    let mut out = if name.is_empty() { String::new() } else { format!("{name}=") };
    for byte in content.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
