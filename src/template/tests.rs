//! What fills templates, and what does not.

use serde_json::json;

use super::*;
use crate::testing::{headers, request};

fn claims() -> Claims {
    let claims = json!({
        "sub": "user-1", "n": 7, "yes": true, "roles": ["a", "b"], "deep": {"roles": ["c"]}, "a.b": "flat", "a": {"b": "deep"},
        "odd": [{"x": 1}], "empty": "", "null": null, "https://example.com/role": "admin", "slash": "a/b", "dots": ".."
    });
    Claims::new(claims.as_object().unwrap().clone())
}

/// What becomes of `pieces` for `GET https://gw.example/users/j%20d/files/x/y/?q=1%202&q=3&empty=`, as a text and as a path.
fn filled(pieces: Vec<Piece>) -> (Option<String>, Result<String, &'static str>) {
    let headers =
        headers(&[("x-one", "1"), ("x-two", "a"), ("x-two", "b"), ("cf-connecting-ip", "192.0.2.1"), ("x-empty", "")]);
    let head = request("GET", "https://gw.example/users/j%20d/files/x/y/?q=1%202&q=3&empty=", &headers);
    let path = RequestPath::parse("/users/j%20d/files/x/y/").unwrap();
    let claims = claims();
    let values = Values { head: &head, path: &path, claims: Some(&claims) };
    let template = Template::new(pieces);
    (template.text(values), template.path(values))
}

fn claim(name: &str) -> Piece {
    Piece::Claim(name.to_owned())
}

fn literal(text: &str) -> Piece {
    Piece::Literal(text.to_owned())
}

#[test]
fn gaps_are_filled_from_the_request() {
    for (name, piece, expected) in [
        ("header", Piece::Header("x-one".into()), Some("1")),
        ("header of two lines", Piece::Header("x-two".into()), Some("a, b")),
        ("header that is empty", Piece::Header("x-empty".into()), None),
        ("header that is not there", Piece::Header("x-three".into()), None),
        ("first value of a query parameter, decoded", Piece::Query("q".into()), Some("1 2")),
        ("query parameter that is empty", Piece::Query("empty".into()), None),
        ("segment, decoded", Piece::Segment(1), Some("j d")),
        ("segment that is not there", Piece::Segment(9), None),
        ("rest", Piece::Rest(2), Some("files/x/y/")),
        ("method", Piece::Method, Some("GET")),
        ("address", Piece::Ip, Some("192.0.2.1")),
        ("id", Piece::Id, Some("fresh-id")),
        ("claim", claim("sub"), Some("user-1")),
        ("claim that is a number", claim("n"), Some("7")),
        ("claim that is a boolean", claim("yes"), Some("true")),
        ("claim that is a list", claim("roles"), Some("a,b")),
        ("claim along dots", claim("deep.roles"), Some("c")),
        ("claim with dots in its name before one along dots", claim("a.b"), Some("flat")),
        ("claim with a URL for a name", claim("https://example.com/role"), Some("admin")),
        ("claim that is a list of objects", claim("odd"), Some(r#"[{"x":1}]"#)),
        ("claim that is null", claim("null"), None),
        ("claim that is empty", claim("empty"), None),
        ("claim that is not there", claim("nobody"), None),
    ] {
        assert_eq!(filled(vec![piece]).0.as_deref(), expected, "{name}");
    }
}

#[test]
fn one_gap_without_a_value_takes_the_whole_away() {
    assert_eq!(filled(vec![literal("Bearer "), claim("sub")]).0.as_deref(), Some("Bearer user-1"));
    assert_eq!(filled(vec![literal("Bearer "), claim("nobody")]).0, None);
    assert_eq!(filled(vec![literal("")]).0, None);
}

#[test]
fn a_path_keeps_what_was_matched_and_encodes_what_was_not() {
    for (name, pieces, expected) in [
        ("segment as it was matched", vec![literal("/v2/"), Piece::Segment(1)], Ok("/v2/j%20d")),
        ("rest", vec![literal("/v2/"), Piece::Rest(3)], Ok("/v2/x/y/")),
        ("rest that is empty", vec![literal("/v2/"), Piece::Rest(9)], Ok("/v2/")),
        ("claim", vec![literal("/users/"), claim("sub"), literal("/files")], Ok("/users/user-1/files")),
        ("claim with a URL in it", vec![literal("/"), claim("roles")], Ok("/a%2Cb")),
        ("claim with a slash", vec![literal("/"), claim("slash")], Err("a value that is no part of a path")),
        (
            "claim of two dots",
            vec![literal("/a/"), claim("dots"), literal("/b")],
            Err("a value that is no part of a path"),
        ),
        ("claim that is not there", vec![literal("/"), claim("nobody")], Err("a claim")),
        ("segment that is not there", vec![literal("/"), Piece::Segment(9)], Err("a path parameter")),
        ("query that is not there", vec![literal("/"), Piece::Query("nothing".into())], Err("a query parameter")),
        ("no slash at the front", vec![claim("sub")], Err("a value that is no part of a path")),
    ] {
        assert_eq!(filled(pieces).1, expected.map(str::to_owned), "{name}");
    }
}
