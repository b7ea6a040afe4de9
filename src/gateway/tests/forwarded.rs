//! What is authorised is what is forwarded: without a token no spelling of a path gets through an open pattern to what is protected.

use proptest::prelude::*;

use super::*;
use crate::route::path::decode;
use crate::url::Target;

const BASE: &str = "https://up.example/base";

/// An open catch-all beside three protected patterns, and one upstream for all of them.
fn open_beside_protected() -> Gateway {
    let to = json!({"type": "http_proxy", "server": "s"});
    let guarded = |path: &str| json!({"method": "ANY", "path": path, "auth": true, "integration": to});
    gateway(&json!({
        "servers": [{"alias": "s", "url": BASE}],
        "authorizer": {"type": "jwt", "algorithm": "HS256", "secret": "x".repeat(32), "audience": "a"},
        "paths": [
            {"method": "ANY", "path": "/{.+}", "integration": to},
            guarded("/admin/{.+}"),
            guarded("/private/orders"),
            guarded("/users/{id}/keys"),
            guarded("/users/@me"),
            guarded("/items:delete"),
        ],
    }))
}

/// Whether these segments are a path of the upstream that only a token opens.
fn is_protected(segments: &[&str]) -> bool {
    matches!(
        segments,
        ["admin", ..] | ["private", "orders"] | ["users", _, "keys"] | ["users", "@me"] | ["items:delete"]
    )
}

/// How often a careful server decodes a path: RFC 3986 section 2.4 forbids to decode what is decoded already.
const DECODINGS: usize = 1;

/// A path as it is, and as whoever decodes it reads it.
fn readings(path: &str) -> Vec<String> {
    let decoded = |path: &String| Some(String::from_utf8_lossy(&decode(path)).into_owned());
    std::iter::successors(Some(path.to_owned()), decoded).take(1 + DECODINGS).collect()
}

/// The segments that a careless server makes of a path: backslashes are slashes, NUL ends it, parameters are cut off, dots are resolved.
/// `None` where they climb out of it.
fn segments(path: &str) -> Option<Vec<&str>> {
    let mut resolved = Vec::new();
    for segment in path.split('\0').next()?.split(['/', '\\']) {
        match segment.split(';').next()? {
            ".." => drop(resolved.pop()?),
            "." | "" => {}
            name => resolved.push(name),
        }
    }
    Some(resolved)
}

/// Paths that mean harm, each of their bytes in one of many spellings.
fn disguised() -> impl Strategy<Value = String> {
    let meant = prop::sample::select(vec![
        "/admin",
        "/admin/",
        "/admin/x",
        "//admin//x",
        "/private/orders",
        "/private/orders/",
        "/users/7/keys",
        "/users/@me",
        "/users;a/@me;b",
        "/items:delete",
        "/items:delete;x=1/",
        "/;/admin",
        "/admin;x=1",
        "/x/../admin",
        "/x/./../private/./orders",
        "/../base/admin",
        "/..;/admin",
        "/x/..;a=b/users/7/keys",
        "\\admin",
        "/x\\..\\admin",
        "/admin\0",
        "/open/x",
        "/open?/../admin",
        "/open#/../admin",
    ]);
    (meant, prop::collection::vec(0..12_u8, 32)).prop_map(|(meant, spellings)| {
        let spelled = |(byte, spelling): (u8, &u8)| match spelling {
            0 | 1 => format!("%{byte:02X}"),
            2 => format!("%{byte:02x}"),
            3 => format!("%25{byte:02x}"),
            _ => char::from(byte).to_string(),
        };
        meant.bytes().zip(spellings.iter().cycle()).map(spelled).collect()
    })
}

/// What some server or other takes for a slash, a dot, the end, or nothing at all; and words between.
const PIECES: &str = "/ / / / // /./ /../ \\ %2f %5C %252f %c0%af \u{2215} \u{ff0f} . .. ... %2e %2E%2e %252e \u{ff0e} \u{2024} ; ;a=b \
    %3b ;x=1/ : %3a @ %40 items delete me @me items:delete %00 \0 % %2 %zz %u002f # ? \t %0a %0d %20 + * ~ %7E \u{e9} %C3%A9 \u{1f600} admin admin %61dmin Admin private orders users 7 keys \
    open base";

fn assembled() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES.split(' ').collect::<Vec<_>>());
    prop::collection::vec(piece, 0..10).prop_map(|pieces| format!("/{}", pieces.concat()))
}

fn paths() -> impl Strategy<Value = String> {
    prop_oneof![4 => disguised(), 4 => assembled(), 1 => any::<String>().prop_map(|rest| format!("/{rest}")), 1 => any::<String>()]
}

/// What the upstream is asked for, below its base path: `None` where the request is refused.
fn forwarded(gateway: &Gateway, method: &str, path: &str) -> Option<String> {
    let ended = ask(gateway, method, path, &[]);
    match &ended.end {
        End::Forwarded(outbound) => {
            let below = outbound.url.strip_prefix(BASE).expect(&outbound.url);
            Some(below.split('?').next().unwrap().to_owned())
        }
        End::Refused(reply) => {
            assert!([400, 401].contains(&reply.status), "{path:?}: {}", ended.words());
            None
        }
        _ => panic!("{path:?}: {}", ended.words()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_reading_of_what_is_forwarded_without_a_token_is_protected(path in paths(), method in "GET|HEAD|POST|PROPFIND") {
        if let Some(forwarded) = forwarded(&open_beside_protected(), &method, &path) {
            for reading in readings(&forwarded) {
                let segments = segments(&reading);
                prop_assert!(segments.is_some_and(|segments| !is_protected(&segments)), "{path:?} is forwarded as {forwarded:?}");
            }
        }
    }

    #[test]
    fn what_is_forwarded_stands_for_the_bytes_that_were_sent(path in paths()) {
        if let Some(forwarded) = forwarded(&open_beside_protected(), "GET", &path) {
            let url = format!("https://gw.example{path}");
            let mut sent = Target::parse(&url).unwrap().path.to_owned();
            while sent.contains("//") {
                sent = sent.replace("//", "/");
            }
            prop_assert_eq!(decode(&sent), decode(&forwarded));
        }
    }
}
