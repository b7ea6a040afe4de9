//! URLs, held against the parser that runtimes have (WHATWG): both must see the same host and the same path.

#![cfg_attr(fuzzing, no_main)]
#![expect(clippy::expect_used, reason = "what these find missing is a finding")]

use portcullis::cors::Origin;
use portcullis::route::path::RequestPath;
use portcullis::url::{HttpUrl, Target};
use url::{Host, Url};

portcullis_fuzz::target!(check);

fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(target) = Target::parse(text) {
        whole(text, target);
    }
    if let Some(url) = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https")) {
        of_request(&url);
    }
    if let Ok(url) = HttpUrl::parse(text) {
        of_configuration(text, &url);
    }
    if let Ok(Origin::Exact(origin)) = Origin::parse(text) {
        assert_eq!(Origin::parse(&origin), Ok(Origin::Exact(origin)));
    }
}

/// The parts are the URL again.
fn whole(text: &str, target: Target<'_>) {
    let before = format!("{}://{}", target.scheme, target.authority);
    let rest = text.strip_prefix(&before).expect("it begins with scheme and authority");
    let rest = rest.strip_prefix(target.path).unwrap_or(rest);
    let rest = rest.strip_prefix(target.query).expect("the query comes behind the path");
    assert!(rest.is_empty() || rest.starts_with('#'), "{rest} is lost");
    assert!(target.path.starts_with(['/', '#']) && (target.query.is_empty() || target.query.starts_with('?')));
}

/// A request's URL comes out of the runtime's parser; taken apart here it has the same parts.
fn of_request(url: &Url) {
    let target = Target::parse(url.as_str()).expect("a URL of the runtime is one");
    let query = url.query().map_or(String::new(), |query| format!("?{query}"));
    match url.fragment() {
        // Behind a query it goes; behind a path it stays, to be refused there.
        Some(_) if url.query().is_none() => assert!(RequestPath::parse(target.path).is_err(), "{url}"),
        _ => assert_eq!((target.path, target.query), (url.path(), query.as_str()), "{url}"),
    }
    assert_eq!(target.scheme, url.scheme());
    let host = url.host_str().expect("http has hosts");
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    assert_eq!(target.authority.rsplit('@').next(), Some(authority.as_str()), "{url}");
}

/// A configuration's URL has one spelling, and what will be called is what was judged.
fn of_configuration(text: &str, url: &HttpUrl) {
    let written = url.to_string();
    assert_eq!(HttpUrl::parse(&written).as_ref(), Ok(url), "{written}");
    assert!(url.origin.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase()), "{}", url.origin);
    assert!(!url.origin.contains(['@', '\\']) && !written.contains('#') && !url.base.ends_with('/'), "{written}");
    // Numbers and `xn--` names that the runtime refuses are refused there, when it is called.
    let Ok(called) = Url::parse(&written) else { return };
    let meant = Url::parse(text).expect("it is a URL in the other spelling");
    assert_eq!(meant.host_str(), called.host_str());
    // The runtime takes white space off, which here is part of the path.
    if !text.contains(|letter: char| letter.is_ascii_control() || letter == ' ') {
        let path = RequestPath::parse(meant.path()).expect("both parsers see the same path");
        assert_eq!(path.as_str().trim_end_matches('/'), url.base, "{text}");
    }
    assert_eq!(called.scheme() == "https", url.secure);
    assert_eq!(called.path().trim_end_matches('/'), url.base, "{written}");
    let host = called.host().expect("http has hosts");
    assert!(url.secure || !url.may_serve_keys() || is_private(&host), "keys by http from {host}");
}

fn is_private(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback() || address.is_private(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}
