//! The few forms of URL that a gateway meets: those of requests, of upstreams and of key sets.
//!
//! No general URL parser: the runtime's own reads what is fetched. What it could read in another way than is meant here is refused.

use std::fmt;

use crate::route::path::RequestPath;

/// The target of a request, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'u> {
    /// `http` or `https`.
    pub scheme: &'u str,
    /// Host and port.
    pub authority: &'u str,
    /// From the first `/` to before `?`; a `#` stays in it, to be refused there.
    pub path: &'u str,
    /// From `?` on, with it; empty where there is none.
    pub query: &'u str,
}

impl<'u> Target<'u> {
    /// Takes an absolute URL apart.
    pub fn parse(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let rest = rest.strip_prefix("//")?;
        let (authority, rest) = before(rest, |byte| matches!(byte, b'/' | b'?' | b'#'))?;
        let (path, query) = before(rest, |byte| byte == b'?')?;
        // A fragment is never sent on (RFC 9110 section 4.2.5).
        let (query, _) = before(query, |byte| byte == b'#')?;
        Some(Self { scheme, authority, path: if path.is_empty() { "/" } else { path }, query })
    }

    /// Scheme, `://`, host and port.
    pub const fn origin(&self) -> [&'u str; 3] {
        [self.scheme, "://", self.authority]
    }
}

/// `url` for a log: a query may hold a key.
pub fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// `text` up to the first byte that `is_end` knows, which is an ASCII one, and from there on. Bytes, since looking for characters costs a request
/// more than all else about its URL.
fn before(text: &str, is_end: impl Fn(u8) -> bool) -> Option<(&str, &str)> {
    text.split_at_checked(text.bytes().position(is_end).unwrap_or(text.len()))
}

/// An absolute http or https URL of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    /// Scheme, host and port: `https://api.example.com:8443`.
    pub origin: String,
    /// The path in its one spelling, without a trailing slash: empty, or `/v1`. What paths of requests are put behind.
    pub base: String,
    /// Whether a slash was taken off there. It counts where the URL itself is fetched.
    slash: bool,
    /// From `?` on, with it; empty where there is none.
    pub query: String,
    /// Whether it is https.
    pub secure: bool,
    /// The host without its port.
    pub host: String,
}

impl HttpUrl {
    /// Reads `text`.
    ///
    /// # Errors
    /// A phrase that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("a URL has no white space (does a variable end in a line break?)");
        }
        let target = Target::parse(text).ok_or("an absolute URL is needed, `https://…`")?;
        let secure = match target.scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("only http and https URLs can be called"),
        };
        if text.contains('#') {
            return Err("a URL to be called has no fragment");
        }
        let authority = target.authority.to_ascii_lowercase();
        if authority.contains('@') {
            return Err("user and password in a URL are refused: they end up in logs");
        }
        let (host, port) = split(&authority)
            .ok_or("the host is not a name or address (international names go in their `xn--` form)")?;
        if port.is_some_and(|port| !is_port(port)) {
            return Err("the port is not a number from 1 to 65535");
        }
        let path = RequestPath::parse(target.path)
            .map_err(|_| "the path has dot segments, backslashes or odd percent signs")?;
        let base = path.as_str().trim_end_matches('/').to_owned();
        let slash = base.len() < path.as_str().len();
        let scheme = if secure { "https" } else { "http" };
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            base,
            slash,
            query: target.query.to_owned(),
            secure,
            host: host.to_owned(),
        })
    }

    /// Whether keys may be fetched from here: by https, or from this machine and private networks, for development.
    pub fn may_serve_keys(&self) -> bool {
        self.secure || self.is_private()
    }

    /// Whether the host is this machine or in a private network, where http does for development (RFC 1918, RFC 6761 section 6.3).
    pub fn is_private(&self) -> bool {
        let name = self.host.as_str();
        if let Ok(address) = name.parse::<std::net::Ipv4Addr>() {
            return address.is_loopback() || address.is_private();
        }
        name == "localhost" || name.ends_with(".localhost") || name == "[::1]"
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.slash { "/" } else { "" };
        write!(f, "{}{}{slash}{}", self.origin, self.base, self.query)
    }
}

/// The host of an authority and what stands for its port, if the host is well-formed: a name or an address.
fn split(authority: &str) -> Option<(&str, Option<&str>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => {
            let end = inner.find(']')? + 2;
            let (host, after) = authority.split_at(end);
            host.trim_matches(['[', ']']).parse::<std::net::Ipv6Addr>().ok()?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => match authority.split_once(':') {
            // An IPv6 address without its brackets.
            Some((_, rest)) if rest.contains(':') => return None,
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let named = host.starts_with('[')
        || host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    (named && !host.is_empty()).then_some((host, port))
}

/// Whether this is the number of a port.
pub(crate) fn is_port(port: &str) -> bool {
    port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_targets_come_apart() {
        for (url, path, query) in [
            ("http://h/a/b?c=d?e", "/a/b", "?c=d?e"),
            ("http://h", "/", ""),
            ("http://h?x", "/", "?x"),
            ("http://h/a#f", "/a#f", ""),
            ("http://h/a?b#f", "/a", "?b"),
            ("http://h/?", "/", "?"),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!((target.path, target.query), (path, query), "{url}");
        }
    }

    #[test]
    fn urls_of_a_configuration_are_whole_and_plain() {
        let url = HttpUrl::parse("HTTPS://API.Example.com:8443/v1//x/?a=b").unwrap();
        assert_eq!(
            (url.origin.as_str(), url.base.as_str(), url.query.as_str()),
            ("https://api.example.com:8443", "/v1/x", "?a=b")
        );
        for text in [
            "api.example.com",
            "ftp://h/",
            "https://",
            "https://h:0/",
            "https://h:x/",
            "https://h:99999/",
            "https://u:p@h/",
            "https://h/#f",
            "https://h/../x",
            "https://h h/",
            "https://[::1/",
            "https://[zz]/",
            "https://exämple.com/",
            "//h/",
            "https:///x",
            "https://h/x\n",
            " https://h/x",
            "https://h/x?a=\tb",
        ] {
            assert!(HttpUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_port_is_told_apart_from_a_host() {
        for (authority, part) in [
            ("h:99999", "port"),
            ("h:65536", "port"),
            ("h:0", "port"),
            ("h:", "port"),
            ("h:+1", "port"),
            ("h:-1", "port"),
            ("h:x", "port"),
            ("[::1]:99999", "port"),
            ("", "host"),
            (":80", "host"),
            ("h_*:80", "host"),
            ("h_*:99999", "host"),
            ("fe80::1", "host"),
            ("[::1]80", "host"),
            ("[::1", "host"),
        ] {
            let told = HttpUrl::parse(&format!("https://{authority}/")).unwrap_err();
            assert!(told.starts_with(&format!("the {part} is not a ")), "{authority}: {told}");
        }
        assert!(HttpUrl::parse("https://h:65535/").is_ok());
    }

    #[test]
    fn a_url_that_is_fetched_keeps_its_last_slash() {
        for (text, expected) in [
            ("https://h", "https://h/"),
            ("https://h/", "https://h/"),
            ("https://h/jwks", "https://h/jwks"),
            ("https://h/jwks/", "https://h/jwks/"),
            ("https://h/jwks//?a=/", "https://h/jwks/?a=/"),
        ] {
            assert_eq!(HttpUrl::parse(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn private_hosts_are_known() {
        for (host, private) in [
            ("localhost", true),
            ("a.localhost", true),
            ("127.0.0.1:8080", true),
            ("127.9.9.9", true),
            ("10.1.2.3", true),
            ("172.16.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("[::1]:99", true),
            ("8.8.8.8", false),
            ("localhost.example.com", false),
            ("127.0.0.1.example.com", false),
        ] {
            assert_eq!(HttpUrl::parse(&format!("http://{host}/")).unwrap().is_private(), private, "{host}");
        }
    }
}
