use proptest::prelude::*;

use super::*;
use crate::testing::{headers, request};

const URL: &str = "https://gw.example/a";

fn bearer() -> Place {
    Place::Header { name: "authorization".into(), scheme: "Bearer".into() }
}

fn bare() -> Place {
    Place::Header { name: "x-token".into(), scheme: String::new() }
}

fn cookie() -> Place {
    Place::Cookie("session".into())
}

fn query() -> Place {
    Place::Query("token".into())
}

const NOTHING: Result<Found<String>, Code> = Ok(Found::Nothing);
const OTHER: Result<Found<String>, Code> = Ok(Found::OtherScheme);
const MALFORMED: Result<Found<String>, Code> = Err(Code::MalformedAuthorization);
const AMBIGUOUS: Result<Found<String>, Code> = Err(Code::AmbiguousToken);

fn look_for(places: &[Place], url: &str, list: &[(&str, &str)]) -> Result<Found<String>, Code> {
    let headers = headers(list);
    let found = find(places, &request("GET", url, &headers)).map_err(|reject| reject.code())?;
    Ok(found.map(Cow::into_owned))
}

proptest! {
    #[test]
    fn the_short_way_finds_what_the_long_way_finds(
        line in "(Bearer|bEARER|Bea,rer|x)? ?[ -~,\t\u{80}-\u{2ff}]{0,3}[-.0-9A-z]{0,20}[ -~,\t\u{80}-\u{2ff}]?[-.0-9A-z]{0,20}",
        scheme in "(Bearer|Bea,rer|x)?",
    ) {
        if let Some(token) = plain(&line, &scheme) {
            let found = in_parts(&line, &scheme, Found::Nothing, Cow::Borrowed).map_err(|reject| reject.code());
            prop_assert_eq!(found, Ok(Found::Token(Cow::Borrowed(token))));
        }
    }
}

#[test]
fn the_short_way_is_for_what_is_plain() {
    for (name, line, token) in [
        ("as usual", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln", Some("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")),
        ("fewer letters than eight", "Bearer a.b.c", Some("a.b.c")),
        ("the least letter", "Bearer --------", Some("--------")),
        ("the last letter", "Bearer ~~~~~~~~\u{7f}", Some("~~~~~~~~\u{7f}")),
        ("a comma among eight", "Bearer aaa,aaaaaaaa", None),
        ("a comma behind eight", "Bearer aaaaaaaa,", None),
        ("white space among eight", "Bearer aaaa\taaa", None),
        ("a second word", "Bearer aaaaaaaa b", None),
        ("a letter that is no ASCII", "Bearer aaaaaa\u{e9}", None),
        ("white space of Unicode behind", "Bearer aaaaaaaa\u{a0}", None),
        ("nothing behind the scheme", "Bearer ", None),
        ("white space before", " Bearer a", None),
        ("another scheme", "Basic a", None),
        ("empty", "", None),
    ] {
        assert_eq!(plain(line, "Bearer"), token, "{name}");
    }
    assert_eq!(plain(" a", ""), None, "no scheme is not plain");
}

#[test]
fn a_header_holds_one_token_behind_its_scheme() {
    for (name, value, expected) in [
        ("as usual", "Bearer a.b.c", Ok(Found::Token("a.b.c".into()))),
        ("scheme in lower case", "bearer a.b.c", Ok(Found::Token("a.b.c".into()))),
        ("scheme in capitals", "BEARER a.b.c", Ok(Found::Token("a.b.c".into()))),
        ("more white space", "  Bearer \t a.b.c  ", Ok(Found::Token("a.b.c".into()))),
        ("empty", "", NOTHING),
        ("white space", "  ", NOTHING),
        ("scheme alone", "Bearer", MALFORMED),
        ("scheme and white space", "Bearer  ", MALFORMED),
        ("two words behind the scheme", "Bearer a b", MALFORMED),
        ("no scheme", "a.b.c", MALFORMED),
        ("scheme grown together", "Bearera.b.c", MALFORMED),
        ("scheme with a colon", "Bearer: a.b.c", OTHER),
        ("scheme twice", "Bearer Bearer a.b.c", MALFORMED),
        ("scheme within the value", "x Bearer a.b.c", OTHER),
        ("scheme within a word", "xBearer a.b.c", OTHER),
        ("scheme behind the token", "a.b.c Bearer", OTHER),
        ("scheme in quotes", "\"Bearer a.b.c\"", OTHER),
        ("a space that is none of HTTP's", "Bearer\u{a0}a.b.c", MALFORMED),
        ("another scheme", "Basic dXNlcjpwYXNz", OTHER),
        ("another scheme with several words", "Digest a b c", OTHER),
    ] {
        assert_eq!(look_for(&[bearer()], URL, &[("Authorization", value)]), expected, "{name}");
    }
    assert_eq!(look_for(&[bearer()], URL, &[]), NOTHING, "absent");
    assert_eq!(look_for(&[bearer()], URL, &[("x-token", "Bearer a")]), NOTHING, "another header");
}

#[test]
fn a_header_without_scheme_holds_the_token_alone() {
    for (name, value, expected) in [
        ("as usual", "a.b.c", Ok(Found::Token("a.b.c".into()))),
        ("white space around", " a.b.c ", Ok(Found::Token("a.b.c".into()))),
        ("empty", "", NOTHING),
        ("a scheme all the same", "Bearer a.b.c", MALFORMED),
        ("three words", "a b c", MALFORMED),
    ] {
        assert_eq!(look_for(&[bare()], URL, &[("X-Token", value)]), expected, "{name}");
    }
}

#[test]
fn several_values_of_one_header_are_each_looked_at() {
    for (name, value, expected) in [
        ("equal copies", "Bearer a, Bearer a", Ok(Found::Token("a".into()))),
        ("equal copies without white space", "Bearer a,bearer a", Ok(Found::Token("a".into()))),
        ("two different ones", "Bearer a, Bearer b", AMBIGUOUS),
        ("two of three different", "Bearer a, Bearer a, Bearer b", AMBIGUOUS),
        // Both are faults; the first is told.
        ("two tokens and a scheme alone", "Bearer a, Bearer b, Bearer", AMBIGUOUS),
        ("a scheme alone and two tokens", "Bearer, Bearer a, Bearer b", MALFORMED),
        ("another scheme before", "Basic x, Bearer a", Ok(Found::Token("a".into()))),
        ("another scheme behind", "Bearer a, Basic x", Ok(Found::Token("a".into()))),
        ("another scheme between", "Bearer a, Basic x, Bearer b", AMBIGUOUS),
        ("nothing behind the comma", "Bearer a,", Ok(Found::Token("a".into()))),
        ("commas alone", ",,", NOTHING),
        ("a second without scheme", "Bearer a, b", MALFORMED),
        ("a second without token", "Bearer a, Bearer", MALFORMED),
        ("two other schemes", "Basic x, Negotiate y", OTHER),
    ] {
        assert_eq!(look_for(&[bearer()], URL, &[("authorization", value)]), expected, "{name}");
    }
    let lines = [("authorization", "Bearer a"), ("Authorization", "Bearer b")];
    assert_eq!(look_for(&[bearer()], URL, &lines), AMBIGUOUS, "two lines");
}

#[test]
fn a_cookie_is_found_by_its_exact_name() {
    for (name, value, expected) in [
        ("alone", "session=a.b.c", Ok(Found::Token("a.b.c".into()))),
        ("among others", "theme=dark; session=a.b.c; lang=en", Ok(Found::Token("a.b.c".into()))),
        ("quoted", "session=\"a.b.c\"", Ok(Found::Token("a.b.c".into()))),
        ("with `=` in it", "session=a=b", Ok(Found::Token("a=b".into()))),
        ("white space around", " session = a ", Ok(Found::Token("a".into()))),
        ("empty", "session=", NOTHING),
        ("empty quotes", "session=\"\"", NOTHING),
        ("without a value", "session", NOTHING),
        ("other case", "Session=a", NOTHING),
        ("a longer name", "xsession=a; session2=b", NOTHING),
        ("equal copies", "session=a; session=a", Ok(Found::Token("a".into()))),
        ("two different ones", "session=a; session=b", AMBIGUOUS),
        ("an empty copy", "session=; session=a", Ok(Found::Token("a".into()))),
        ("two lines, joined", "theme=dark, session=a", Ok(Found::Token("a".into()))),
    ] {
        assert_eq!(look_for(&[cookie()], URL, &[("Cookie", value)]), expected, "{name}");
    }
    assert_eq!(look_for(&[cookie()], URL, &[]), NOTHING, "no cookies");
}

#[test]
fn a_query_parameter_is_found_by_its_decoded_name() {
    for (name, query_text, expected) in [
        ("alone", "?token=a.b.c", Ok(Found::Token("a.b.c".into()))),
        ("among others", "?x=1&token=a.b.c&y", Ok(Found::Token("a.b.c".into()))),
        ("encoded value", "?token=a%2Eb", Ok(Found::Token("a.b".into()))),
        ("encoded name", "?%74oken=a", Ok(Found::Token("a".into()))),
        ("with `=` in it", "?token=a=b", Ok(Found::Token("a=b".into()))),
        ("empty", "?token=", NOTHING),
        ("without a value", "?token", NOTHING),
        ("other case", "?Token=a", NOTHING),
        ("a longer name", "?xtoken=a&token2=b", NOTHING),
        ("another question mark", "??token=a", NOTHING),
        ("cut off by a fragment", "?token=a#b", Ok(Found::Token("a".into()))),
        ("equal copies", "?token=a&token=a", Ok(Found::Token("a".into()))),
        ("equal but for their spelling", "?token=a&token=%61", Ok(Found::Token("a".into()))),
        ("two different ones", "?token=a&token=b", AMBIGUOUS),
        ("none", "", NOTHING),
    ] {
        let url = format!("{URL}{query_text}");
        assert_eq!(look_for(&[query()], &url, &[]), expected, "{name}");
    }
}

#[test]
fn all_places_are_looked_at_and_have_to_agree() {
    let places = [bearer(), bare(), cookie(), query()];
    let with_query = "https://gw.example/a?token=a";
    for (name, url, list, expected) in [
        ("nowhere", URL, &[][..], NOTHING),
        ("the last place alone", with_query, &[], Ok(Found::Token("a".into()))),
        (
            "equal in all places",
            with_query,
            &[("authorization", "Bearer a"), ("x-token", "a")],
            Ok(Found::Token("a".into())),
        ),
        ("different in two places", with_query, &[("cookie", "session=b")], AMBIGUOUS),
        ("another scheme and a token", with_query, &[("authorization", "Basic x")], Ok(Found::Token("a".into()))),
        ("another scheme alone", URL, &[("authorization", "Basic x"), ("x-token", "")], OTHER),
        ("one of them malformed", with_query, &[("authorization", "Bearer")], MALFORMED),
    ] {
        assert_eq!(look_for(&places, url, list), expected, "{name}");
    }
    assert_eq!(look_for(&[], with_query, &[("authorization", "Bearer a")]), NOTHING, "no places");
}

#[test]
fn a_query_without_one_parameter_is_the_same_in_all_its_other_bytes() {
    for (name, query, expected) in [
        ("none", "", ""),
        ("empty", "?", "?"),
        ("the parameter alone", "?token=a", ""),
        ("first", "?token=a&x=1", "?x=1"),
        ("last", "?x=1&token=a", "?x=1"),
        ("between", "?x=1&token=a&y=2", "?x=1&y=2"),
        ("all copies", "?token=a&x&token=b", "?x"),
        ("without a value", "?x&token&y", "?x&y"),
        ("encoded name", "?%74oken=a&x=1", "?x=1"),
        ("not there", "?x=%20+a&&y=b%3D=&=", "?x=%20+a&&y=b%3D=&="),
        ("longer names", "?token2=a&xtoken=b", "?token2=a&xtoken=b"),
        ("other case", "?Token=a", "?Token=a"),
        ("its value elsewhere", "?x=token", "?x=token"),
        ("another question mark", "??token=a&token=b", "??token=a"),
    ] {
        assert_eq!(without_parameter(query, "token"), expected, "{name}");
    }
}

#[test]
fn a_cookie_line_without_one_cookie_keeps_the_others() {
    for (name, line, expected) in [
        ("the cookie alone", "session=a", None),
        ("all copies", "session=a; session=b", None),
        ("first", "session=a; theme=dark", Some("theme=dark")),
        ("last", "theme=dark; session=a", Some("theme=dark")),
        ("between", "a=1; session=a; b=2", Some("a=1; b=2")),
        ("white space around its name", "a=1;  session = a", Some("a=1")),
        ("without a value", "session; a=1", Some("a=1")),
        ("not there", "a=1; b=\"x\"", Some("a=1; b=\"x\"")),
        ("other case", "Session=a", Some("Session=a")),
        ("its value elsewhere", "a=session", Some("a=session")),
        ("empty", "", None),
        ("a comma in another value", "a=1,2; session=a", Some("a=1,2")),
        ("two lines, joined, it is in the second", "theme=dark, session=a", Some("theme=dark")),
        ("two lines, joined, it is in the first", "session=a, theme=dark", Some("theme=dark")),
    ] {
        assert_eq!(without_cookie(line, "session").as_deref(), expected, "{name}");
    }
}

#[test]
fn whatever_is_found_can_be_taken_off_again() {
    for line in
        ["session=a", "x=1; session=a", "x=1, session=a", "x=1,session=a;y=2", "session=\"a\", x=1", "x; session=a,"]
    {
        assert_eq!(look_for(&[cookie()], URL, &[("cookie", line)]), Ok(Found::Token("a".into())), "{line}");
        let rest = without_cookie(line, "session").unwrap_or_default();
        assert_eq!(look_for(&[cookie()], URL, &[("cookie", &rest)]), NOTHING, "{line} -> {rest}");
    }
    for query_text in ["?token=a", "?x&token=a", "?%74oken=%61&x", "?token=a&token=a", "?token=a&"] {
        assert_eq!(
            look_for(&[query()], &format!("{URL}{query_text}"), &[]),
            Ok(Found::Token("a".into())),
            "{query_text}"
        );
        let rest = without_parameter(query_text, "token");
        assert_eq!(look_for(&[query()], &format!("{URL}{rest}"), &[]), NOTHING, "{query_text} -> {rest}");
    }
}
