//! URLs and the client's headers; identity and credentials are in `identity`.

mod identity;

use super::*;
use crate::testing::{headers, request};

fn upstream(url: &str, strip_segments: usize) -> (HttpUrl, Upstream) {
    let upstream = Upstream {
        to: Destination::Server(0),
        path: PathRule::Strip(strip_segments),
        headers: Vec::new(),
        query: Vec::new(),
        timeout_ms: 1_234,
        retries: None,
    };
    (HttpUrl::parse(url).unwrap(), upstream)
}

/// What goes out for a request without anybody's identity.
fn plain((url, upstream): &(HttpUrl, Upstream), head: &Head<'_>) -> Outbound {
    let target = Target::parse(head.url).unwrap();
    let path = RequestPath::parse(target.path).unwrap();
    let never_forwarded = &never_forwarded(&[]);
    let sender = Sender { head, path: &path, target, authorizers: &[], identity: None, never_forwarded };
    upstream.outbound(Address::Server(url), sender).unwrap()
}

fn url_of(server: &str, strip_segments: usize, target: &str) -> String {
    let headers = headers(&[]);
    let url = format!("https://gw.example{target}");
    plain(&upstream(server, strip_segments), &request("GET", &url, &headers)).url
}

fn value<'o>(outbound: &'o Outbound, name: &str) -> Vec<&'o str> {
    outbound.edits.set.iter().filter(|(known, _)| *known == name).map(|(_, value)| value).collect()
}

fn removes(outbound: &Outbound, name: &str) -> bool {
    outbound.edits.removed().any(|known| known == name)
}

#[test]
fn the_whole_path_goes_behind_the_base_path() {
    for (server, target, expected) in [
        ("https://up.example", "/a/b", "https://up.example/a/b"),
        ("https://up.example/", "/a/b", "https://up.example/a/b"),
        ("https://up.example/v1", "/a/b", "https://up.example/v1/a/b"),
        ("https://up.example/v1/", "/a/b", "https://up.example/v1/a/b"),
        ("https://up.example/v1/x/", "/", "https://up.example/v1/x/"),
        ("http://127.0.0.1:9000", "/a", "http://127.0.0.1:9000/a"),
        ("https://up.example", "/", "https://up.example/"),
        ("https://up.example", "", "https://up.example/"),
        ("https://up.example", "/a/", "https://up.example/a/"),
        ("https://up.example/v1", "/a/", "https://up.example/v1/a/"),
    ] {
        assert_eq!(url_of(server, 0, target), expected, "{server} {target}");
    }
}

#[test]
fn leading_segments_are_taken_off() {
    for (server, strip, target, expected) in [
        ("https://up.example", 1, "/api/users/7", "https://up.example/users/7"),
        ("https://up.example", 2, "/api/users/7", "https://up.example/7"),
        ("https://up.example/v1", 2, "/api/users/7", "https://up.example/v1/7"),
        ("https://up.example/v1", 2, "/api/users/7/", "https://up.example/v1/7/"),
        ("https://up.example/v1", 2, "/api/users/", "https://up.example/v1/"),
        ("https://up.example/v1", 2, "/api/users", "https://up.example/v1"),
        ("https://up.example", 2, "/api/users/", "https://up.example/"),
        ("https://up.example", 2, "/api/users", "https://up.example/"),
        ("https://up.example", 2, "/api/users?a=b", "https://up.example/?a=b"),
        ("https://up.example/v1", 2, "/api/users?a=b", "https://up.example/v1?a=b"),
        ("https://up.example", 2, "/api/users/api/users", "https://up.example/api/users"),
        ("https://up.example", 1, "/api", "https://up.example/"),
    ] {
        assert_eq!(url_of(server, strip, target), expected, "{server} less {strip} {target}");
    }
}

#[test]
fn the_path_that_was_matched_is_the_path_that_goes_on() {
    for (target, expected) in [
        ("/%61dmin//x", "https://up.example/admin/x"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("/%252e%252e/x", "/%252e%252e/x"),
        ("/a;b=c", "/a;b=c"),
    ] {
        let expected = expected.trim_start_matches("https://up.example");
        assert_eq!(url_of("https://up.example", 0, target), format!("https://up.example{expected}"), "{target}");
    }
}

#[test]
fn the_query_goes_on_byte_for_byte() {
    for query in [
        "",
        "?",
        "?a",
        "?a=b&a=c",
        "?a=%2e%2E&b=+%20",
        "??a=?/../",
        "?redirect=https://x.example/?y",
        "?&&=",
        "?%zz",
        "?é",
    ] {
        let expected = format!("https://up.example/v1/a{query}");
        assert_eq!(url_of("https://up.example/v1", 0, &format!("/a{query}")), expected, "{query}");
    }
    assert_eq!(url_of("https://up.example", 0, "/a?b=c#d"), "https://up.example/a?b=c", "a fragment is never sent");
}

#[test]
fn headers_for_one_connection_are_removed() {
    let headers = headers(&[("te", "trailers")]);
    let outbound = plain(&upstream("https://up.example", 0), &request("GET", "https://gw.example/", &headers));
    for name in [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "host",
    ] {
        assert!(removes(&outbound, name), "{name}");
    }
    for name in ["authorization", "cookie", "content-type", "content-length", "accept-encoding", "upgrade"] {
        assert!(!removes(&outbound, name), "{name} stays");
    }
}

#[test]
fn headers_that_connection_names_are_removed() {
    for (value, removed) in [
        ("close", &["close"][..]),
        ("keep-alive, X-Secret", &["x-secret"]),
        ("Keep-Alive", &[]),
        ("x-a,X-B ,\tx-c", &["x-a", "x-b", "x-c"]),
        ("", &[]),
        (", ,", &[]),
        ("not a name, x-a", &["x-a"]),
    ] {
        let list = headers(&[("Connection", value)]);
        let edits = plain(&upstream("https://up.example", 0), &request("GET", "https://gw.example/", &list)).edits;
        assert_eq!(edits.remove, removed, "{value:?}");
        assert_eq!(edits.always, never_forwarded(&[]), "{value:?}: these go whatever is named");
        assert!(edits.removed().any(|name| name == "keep-alive"), "{value:?}");
    }
}

#[test]
fn an_upgrade_goes_on_for_websockets_alone() {
    for (name, list, removed) in [
        ("a WebSocket", &[("upgrade", "websocket"), ("connection", "Upgrade")][..], false),
        ("a WebSocket in capitals", &[("upgrade", "WebSocket"), ("connection", "upgrade")], false),
        ("HTTP/2", &[("upgrade", "h2c"), ("connection", "Upgrade, HTTP2-Settings")], true),
        ("HTTP/2, unnamed", &[("upgrade", "h2c")], true),
        ("a WebSocket among others", &[("upgrade", "websocket, h2c"), ("connection", "upgrade")], true),
    ] {
        let headers = headers(list);
        let outbound = plain(&upstream("https://up.example", 0), &request("GET", "https://gw.example/", &headers));
        assert_eq!(removes(&outbound, "upgrade"), removed, "{name}");
        assert!(removes(&outbound, "connection"), "{name}");
    }
}

#[test]
fn the_gateway_says_whom_it_forwards_for_and_clients_do_not() {
    let forged =
        [("x-forwarded-for", "9.9.9.9"), ("x-forwarded-proto", "gopher"), ("x-forwarded-host", "evil.example")];
    let with_address = [&forged[..], &[("cf-connecting-ip", "192.0.2.1")]].concat();
    for (name, list, address) in
        [("with an address", &with_address[..], vec!["192.0.2.1"]), ("without one", &forged[..], vec![])]
    {
        let headers = headers(list);
        let head = request("GET", "http://gw.example:8787/a", &headers);
        let outbound = plain(&upstream("https://up.example", 0), &head);
        for header in ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"] {
            assert!(removes(&outbound, header), "{name}: {header}");
        }
        assert_eq!(value(&outbound, "x-forwarded-for"), address, "{name}");
        assert_eq!(value(&outbound, "x-forwarded-proto"), ["http"], "{name}");
        assert_eq!(value(&outbound, "x-forwarded-host"), ["gw.example:8787"], "{name}");
    }
}

#[test]
fn the_upstreams_own_patience_goes_along() {
    let headers = headers(&[]);
    let head = request("GET", "https://gw.example/", &headers);
    assert_eq!(plain(&upstream("https://up.example", 0), &head).timeout_ms, 1_234);
}

#[test]
fn header_names_are_tokens() {
    for (name, good) in [
        ("x-user-id", true),
        ("X!#$%&'*+-.^_`|~9", true),
        ("", false),
        ("a b", false),
        ("a:b", false),
        ("a\r\nb", false),
        ("é", false),
        ("a(b)", false),
    ] {
        assert_eq!(is_token(name), good, "{name:?}");
    }
}

#[test]
fn headers_that_tell_frameworks_another_path_method_or_client_are_not_believed() {
    let headers = headers(&[("x-original-url", "/admin"), ("forwarded", "for=1.2.3.4"), ("expect", "100-continue")]);
    let outbound = plain(&upstream("https://up.example", 0), &request("GET", "https://gw.example/", &headers));
    for name in [
        "x-original-url",
        "x-rewrite-url",
        "true-client-ip",
        "x-forwarded-prefix",
        "x-forwarded-user",
        "x-middleware-subrequest",
        "cf-access-authenticated-user-email",
        "x-http-method-override",
        "forwarded",
        "x-real-ip",
        "expect",
        "x-request-id",
    ] {
        assert!(removes(&outbound, name), "{name}");
    }
    assert_eq!(value(&outbound, "x-request-id"), ["fresh-id"]);
}
