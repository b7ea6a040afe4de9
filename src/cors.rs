//! Cross-origin requests (the Fetch standard's CORS protocol): preflights, and the headers of every answer.

use crate::lines::Lines;
use crate::reply::Reply;
use crate::request::Head;
use crate::url::is_port;

/// Cross-origin rules, compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Who may.
    pub origins: Vec<Origin>,
    /// What the path's methods are narrowed to; none: not at all.
    pub methods: Option<Vec<String>>,
    /// Request headers, as a list; empty: none but the safelisted.
    pub allow_headers: String,
    /// Response headers, as a list.
    pub expose_headers: String,
    /// Cookies and the like.
    pub credentials: bool,
    /// Seconds for which a preflight's answer holds.
    pub max_age: Option<u64>,
}

/// An origin, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `*`.
    Any,
    /// This one, letter for letter.
    Exact(String),
    /// `https://*.example.org`: what stands before and behind one label.
    OneLabel(String, String),
}

impl Origin {
    /// Reads `*`, an origin (RFC 6454 section 6.2), or one with `*` for its first label.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let text = text.to_ascii_lowercase();
        let (scheme, host) =
            text.split_once("://").ok_or("an origin is `https://host`, with a port where it has one")?;
        if scheme.is_empty() || host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
            return Err("an origin is scheme, host and port alone: no path, no trailing `/`");
        }
        if !host.is_ascii() {
            return Err("browsers send a host in ASCII: `xn--…`");
        }
        let name = host.rsplit_once(']').map_or(host, |(_, port)| port);
        if let Some((_, port)) = name.rsplit_once(':') {
            if matches!((scheme, port), ("https", "443") | ("http", "80")) {
                return Err("browsers leave out a scheme's own port: no `:443` behind https, no `:80` behind http");
            }
            // Without leading zeros, as browsers write it.
            if port.starts_with('0') || !is_port(port) {
                return Err("a port is a number from 1 to 65535");
            }
        }
        match host.split_once('*') {
            None => Ok(Self::Exact(text)),
            Some(("", rest)) if rest.starts_with('.') && rest.len() > 1 && !rest.contains('*') => {
                Ok(Self::OneLabel(format!("{scheme}://"), rest.to_owned()))
            }
            Some(_) => Err("`*` stands for one whole label at the front: `https://*.example.org`"),
        }
    }

    fn allows(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(known) => known == origin,
            Self::OneLabel(before, behind) => {
                origin.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(behind.as_str())).is_some_and(
                    |label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                )
            }
        }
    }
}

/// Whether a request is a preflight: OPTIONS, with both of its headers.
pub fn is_preflight(head: &Head<'_>) -> bool {
    head.method == "OPTIONS"
        && head.headers.get("origin").is_some()
        && head.headers.get("access-control-request-method").is_some()
}

impl Cors {
    /// The answer to a preflight for a path that has `methods`.
    pub fn preflight(&self, origin: Option<&str>, methods: &[String]) -> Reply {
        let mut reply = Reply::empty(204);
        reply.headers = self.headers(origin);
        reply.headers.remove("access-control-expose-headers");
        if reply.get("access-control-allow-origin").is_some() {
            let allowed = |method: &&String| {
                self.methods.as_ref().is_none_or(|narrow| narrow.iter().any(|known| known == "*" || known == *method))
            };
            let methods: Vec<&str> = methods.iter().filter(allowed).map(String::as_str).collect();
            reply.header("access-control-allow-methods", &methods.join(","));
            if !self.allow_headers.is_empty() {
                reply.header("access-control-allow-headers", &self.allow_headers);
            }
            if let Some(seconds) = self.max_age {
                reply.header("access-control-max-age", &seconds.to_string());
            }
        }
        reply
    }

    /// What every answer to a request from `origin` carries. `vary` is to be appended to what is there.
    pub fn headers(&self, origin: Option<&str>) -> Lines {
        let mut headers = Lines::default();
        let any = self.origins.contains(&Origin::Any);
        if any {
            headers.push("access-control-allow-origin", "*");
        } else {
            // On a mismatch too: a cache must not hand this answer to the origin that is allowed.
            headers.push("vary", "Origin");
            let Some(origin) = origin.filter(|origin| self.origins.iter().any(|known| known.allows(origin))) else {
                return headers;
            };
            headers.push("access-control-allow-origin", origin);
            if self.credentials {
                headers.push("access-control-allow-credentials", "true");
            }
        }
        if !self.expose_headers.is_empty() {
            headers.push("access-control-expose-headers", &self.expose_headers);
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_exactly_one_label() {
        let origin = Origin::parse("https://*.example.org").unwrap();
        for (name, expected) in [
            ("https://a.example.org", true),
            ("https://a-1.example.org", true),
            ("https://a.b.example.org", false),
            ("https://example.org", false),
            ("https://.example.org", false),
            ("http://a.example.org", false),
            ("https://a.example.org:8443", false),
            ("https://evil.com/.example.org", false),
            ("https://a.example.org.evil.com", false),
        ] {
            assert_eq!(origin.allows(name), expected, "{name}");
        }
    }

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        for text in [
            "example.org",
            "https://example.org/",
            "https://",
            "https://a.*.org",
            "https://*",
            "https://*example.org",
            "https://*.*.org",
            "https://app.example:443",
            "http://*.app.example:80",
            "https://app.example:",
            "https://app.example:0443",
            "https://app.example:70000",
            "https://app.example:a",
            "https://é.example",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
        for text in [
            "http://a.example:443",
            "https://a.example:80",
            "http://[::1]:8080",
            "http://[::1]",
            "capacitor://localhost",
            "https://*.a.example:8443",
        ] {
            assert!(Origin::parse(text).is_ok(), "{text}");
        }
        assert_eq!(Origin::parse("https://APP.example.org"), Ok(Origin::Exact("https://app.example.org".into())));
    }

    #[test]
    fn answers_vary_by_origin_on_a_mismatch_too() {
        let cors = Cors { origins: vec![Origin::Exact("https://a".into())], credentials: true, ..Cors::default() };
        assert_eq!(cors.headers(Some("https://b")).as_str(), "vary:Origin\n");
        assert_eq!(cors.headers(None).as_str(), "vary:Origin\n");
        let good = cors.headers(Some("https://a"));
        assert_eq!(good.get("access-control-allow-origin"), Some("https://a"));
        assert_eq!(good.get("access-control-allow-credentials"), Some("true"));
    }
}
