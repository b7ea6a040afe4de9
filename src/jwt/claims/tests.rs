use serde_json::{Value, json};

use super::*;
use crate::testing::{NOW, SECONDS};

fn claims(payload: Value) -> Claims {
    match payload {
        Value::Object(members) => Claims::new(members),
        other => panic!("{other} is no payload"),
    }
}

fn judged(rules: &ClaimRules, payload: Value) -> Result<(), TokenError> {
    rules.check(&claims(payload), NOW).map(drop)
}

fn lenient() -> ClaimRules {
    ClaimRules { require_exp: false, ..ClaimRules::default() }
}

fn missing(name: &str) -> Result<(), TokenError> {
    Err(TokenError::MissingClaim(name.into()))
}

fn invalid(name: &str) -> Result<(), TokenError> {
    Err(TokenError::InvalidClaim(name.into()))
}

#[test]
fn a_token_ends_at_exp_plus_skew_and_exp_is_a_finite_number() {
    for (name, payload, expected) in [
        ("ahead", json!({"exp": SECONDS + 1}), Ok(())),
        ("past within the skew", json!({"exp": SECONDS - 29}), Ok(())),
        ("equal to now less the skew", json!({"exp": SECONDS - 30}), Err(TokenError::Expired)),
        ("past beyond the skew", json!({"exp": SECONDS - 31}), Err(TokenError::Expired)),
        ("float within the skew", json!({"exp": 1_699_999_970.5}), Ok(())),
        ("float beyond the skew", json!({"exp": 1_699_999_969.5}), Err(TokenError::Expired)),
        ("huge integer", json!({"exp": u64::MAX}), Ok(())),
        ("huge float", json!({"exp": 1e300}), Ok(())),
        ("zero", json!({"exp": 0}), Err(TokenError::Expired)),
        ("negative", json!({"exp": -1}), Err(TokenError::Expired)),
        ("hugely negative", json!({"exp": -1e300}), Err(TokenError::Expired)),
        ("string", json!({"exp": (SECONDS + 60).to_string()}), invalid("exp")),
        ("null", json!({"exp": null}), invalid("exp")),
        ("true", json!({"exp": true}), invalid("exp")),
        ("list", json!({"exp": [SECONDS + 60]}), invalid("exp")),
        ("object", json!({"exp": {}}), invalid("exp")),
        ("empty string", json!({"exp": ""}), invalid("exp")),
        ("absent", json!({}), missing("exp")),
    ] {
        let rules = ClaimRules::default();
        assert_eq!(rules.check_expiry(&claims(payload.clone()), NOW), expected, "{name}");
        assert_eq!(judged(&rules, payload), expected, "{name}, with all rules");
    }
}

#[test]
fn exp_may_be_absent_only_where_that_is_said_and_is_judged_where_it_is_there() {
    for (name, payload, expected) in [
        ("absent", json!({}), Ok(())),
        ("ahead", json!({"exp": SECONDS + 1}), Ok(())),
        ("past", json!({"exp": SECONDS - 30}), Err(TokenError::Expired)),
        ("string", json!({"exp": "9999999999"}), invalid("exp")),
        ("null", json!({"exp": null}), invalid("exp")),
    ] {
        assert_eq!(judged(&lenient(), payload), expected, "{name}");
    }
}

#[test]
fn the_skew_is_what_the_rules_say() {
    for (skew, exp, nbf, expected) in [
        (0.0, SECONDS, SECONDS, Err(TokenError::Expired)),
        (0.0, SECONDS + 1, SECONDS, Ok(())),
        (0.0, SECONDS + 1, SECONDS + 1, Err(TokenError::NotYetValid)),
        (600.0, SECONDS - 599, SECONDS + 600, Ok(())),
        (600.0, SECONDS - 600, SECONDS, Err(TokenError::Expired)),
        (600.0, SECONDS, SECONDS + 601, Err(TokenError::NotYetValid)),
    ] {
        let rules = ClaimRules { skew, ..ClaimRules::default() };
        let payload = json!({"exp": exp, "nbf": nbf});
        assert_eq!(judged(&rules, payload.clone()), expected, "{skew} {payload}");
    }
}

#[test]
fn nbf_and_iat_ahead_beyond_the_skew_are_not_yet_valid() {
    for claim in ["nbf", "iat"] {
        for (name, value, expected) in [
            ("past", json!(SECONDS - 1), Ok(())),
            ("now", json!(SECONDS), Ok(())),
            ("ahead by the skew", json!(SECONDS + 30), Ok(())),
            ("ahead beyond the skew", json!(SECONDS + 31), Err(TokenError::NotYetValid)),
            ("float ahead by less", json!(1_700_000_029.5), Ok(())),
            ("float ahead beyond", json!(1_700_000_030.5), Err(TokenError::NotYetValid)),
            ("huge", json!(1e300), Err(TokenError::NotYetValid)),
            ("negative", json!(-1), Ok(())),
            ("string", json!("1"), invalid(claim)),
            ("null", json!(null), invalid(claim)),
            ("object", json!({}), invalid(claim)),
        ] {
            let payload = json!({ claim: value });
            assert_eq!(judged(&lenient(), payload), expected, "{claim} {name}");
        }
    }
}

#[test]
fn max_age_counts_from_iat_with_the_skew_and_needs_iat() {
    let rules = ClaimRules { max_age: Some(100.0), ..lenient() };
    for (name, payload, expected) in [
        ("young", json!({"iat": SECONDS}), Ok(())),
        ("as old as may be, with the skew", json!({"iat": SECONDS - 130}), Ok(())),
        ("older", json!({"iat": SECONDS - 131}), Err(TokenError::TooOld)),
        ("negative", json!({"iat": -1}), Err(TokenError::TooOld)),
        ("absent", json!({}), missing("iat")),
        ("string", json!({"iat": "1700000000"}), invalid("iat")),
    ] {
        assert_eq!(judged(&rules, payload), expected, "{name}");
    }
    assert_eq!(judged(&lenient(), json!({"iat": 1})), Ok(()), "off unless asked for");
}

#[test]
fn max_lifetime_is_exp_less_iat_and_needs_both() {
    let rules = ClaimRules { max_lifetime: Some(3600.0), ..lenient() };
    for (name, payload, expected) in [
        ("as long as may be", json!({"iat": SECONDS - 10, "exp": SECONDS + 3590}), Ok(())),
        ("longer", json!({"iat": SECONDS - 10, "exp": SECONDS + 3591}), Err(TokenError::LifetimeTooLong)),
        ("no iat", json!({"exp": SECONDS + 10}), missing("iat")),
        ("no exp", json!({"iat": SECONDS}), missing("exp")),
        ("iat a string", json!({"iat": "1", "exp": SECONDS + 10}), invalid("iat")),
    ] {
        assert_eq!(judged(&rules, payload), expected, "{name}");
    }
    let endless = json!({"iat": 0, "exp": SECONDS + 999_999});
    assert_eq!(judged(&lenient(), endless), Ok(()), "off unless asked for");
}

#[test]
fn an_issuer_is_compared_letter_for_letter() {
    let one = ["https://issuer.example.com"];
    let list = ["https://a.example.com", "https://b.example.com/"];
    let wrong = Err(TokenError::InvalidIssuer);
    for (name, issuers, payload, expected) in [
        ("the same", &one[..], json!({"iss": "https://issuer.example.com"}), Ok(())),
        ("trailing slash too many", &one[..], json!({"iss": "https://issuer.example.com/"}), wrong.clone()),
        ("other case", &one[..], json!({"iss": "https://ISSUER.example.com"}), wrong.clone()),
        ("longer", &one[..], json!({"iss": "https://issuer.example.com.evil.org"}), wrong.clone()),
        ("empty", &one[..], json!({"iss": ""}), wrong.clone()),
        ("number", &one[..], json!({"iss": 1}), invalid("iss")),
        ("list that holds it", &one[..], json!({"iss": ["https://issuer.example.com"]}), invalid("iss")),
        ("null", &one[..], json!({"iss": null}), invalid("iss")),
        ("absent", &one[..], json!({}), missing("iss")),
        ("first of several", &list[..], json!({"iss": "https://a.example.com"}), Ok(())),
        ("second of several", &list[..], json!({"iss": "https://b.example.com/"}), Ok(())),
        ("trailing slash lacking", &list[..], json!({"iss": "https://b.example.com"}), wrong.clone()),
        ("none of several", &list[..], json!({"iss": "https://c.example.com"}), wrong.clone()),
        ("not asked for", &[][..], json!({"iss": 1}), Ok(())),
    ] {
        let issuers = issuers.iter().map(|&issuer| issuer.to_owned()).collect();
        let rules = ClaimRules { issuers, ..lenient() };
        assert_eq!(judged(&rules, payload), expected, "{name}");
    }
}

#[test]
fn an_audience_is_a_string_or_a_list_of_strings() {
    let wrong = Err(TokenError::InvalidAudience);
    for (name, aud, any, all) in [
        ("the one", json!("a"), Ok(()), wrong.clone()),
        ("the other", json!("b"), Ok(()), wrong.clone()),
        ("another", json!("c"), wrong.clone(), wrong.clone()),
        ("other case", json!("A"), wrong.clone(), wrong.clone()),
        ("empty string", json!(""), wrong.clone(), wrong.clone()),
        ("a list with one", json!(["c", "a"]), Ok(()), wrong.clone()),
        ("a list with both", json!(["b", "c", "a"]), Ok(()), Ok(())),
        ("a list with neither", json!(["c"]), wrong.clone(), wrong.clone()),
        ("an empty list", json!([]), wrong.clone(), wrong.clone()),
        ("both in one string", json!("a b"), wrong.clone(), wrong.clone()),
        ("number", json!(1), invalid("aud"), invalid("aud")),
        ("object", json!({"a": true}), invalid("aud"), invalid("aud")),
        ("null", json!(null), invalid("aud"), invalid("aud")),
        ("a list with a number", json!(["a", "b", 1]), invalid("aud"), invalid("aud")),
        ("a list in a list", json!([["a", "b"]]), invalid("aud"), invalid("aud")),
    ] {
        for (all_audiences, expected) in [(false, any), (true, all)] {
            let rules = ClaimRules { audiences: vec!["a".into(), "b".into()], all_audiences, ..lenient() };
            assert_eq!(judged(&rules, json!({ "aud": aud })), expected, "{name}, all: {all_audiences}");
        }
    }
    let rules = ClaimRules { audiences: vec!["a".into()], ..lenient() };
    assert_eq!(judged(&rules, json!({})), missing("aud"), "absent");
    assert_eq!(judged(&lenient(), json!({"aud": 1})), Ok(()), "not asked for");
}

#[test]
fn required_claims_are_there_and_not_null() {
    let rules = ClaimRules { required: vec!["sub".into(), "realm_access.roles".into()], ..lenient() };
    for (name, payload, expected) in [
        ("both", json!({"sub": "u", "realm_access": {"roles": []}}), Ok(())),
        ("both, one by a literal key", json!({"sub": "u", "realm_access.roles": []}), Ok(())),
        ("empty and false count", json!({"sub": "", "realm_access.roles": false}), Ok(())),
        ("one lacks", json!({"realm_access": {"roles": []}}), missing("sub")),
        ("one is null", json!({"sub": null, "realm_access": {"roles": []}}), missing("sub")),
        ("the inner one lacks", json!({"sub": "u", "realm_access": {}}), missing("realm_access.roles")),
        ("not an object on the way", json!({"sub": "u", "realm_access": "roles"}), missing("realm_access.roles")),
    ] {
        assert_eq!(judged(&rules, payload), expected, "{name}");
    }
}

#[test]
fn fixed_claims_have_one_of_their_values_and_its_type() {
    let fixed = vec![("tier".into(), vec![json!("gold"), json!(2)]), ("org.id".into(), vec![json!({"n": 1})])];
    let rules = ClaimRules { fixed, ..lenient() };
    let org = json!({"id": {"n": 1}});
    for (name, payload, expected) in [
        ("one value", json!({"tier": "gold", "org": org}), Ok(())),
        ("another value", json!({"tier": 2, "org": org}), Ok(())),
        ("another case", json!({"tier": "Gold", "org": org}), invalid("tier")),
        ("a number in a string", json!({"tier": "2", "org": org}), invalid("tier")),
        ("a list that holds it", json!({"tier": ["gold"], "org": org}), invalid("tier")),
        ("absent", json!({"org": org}), missing("tier")),
        ("null", json!({"tier": null, "org": org}), missing("tier")),
        ("another object", json!({"tier": 2, "org": {"id": {"n": 1, "m": 2}}}), invalid("org.id")),
    ] {
        assert_eq!(judged(&rules, payload), expected, "{name}");
    }
}

#[test]
fn the_first_rule_that_fails_is_the_one_told() {
    let rules = ClaimRules {
        issuers: vec!["i".into()],
        audiences: vec!["a".into()],
        required: vec!["sub".into()],
        fixed: vec![("tier".into(), vec![json!(1)])],
        ..ClaimRules::default()
    };
    let mut payload = json!({"exp": 0, "nbf": SECONDS + 99, "iss": "x", "aud": "x", "tier": 2});
    for (member, value, expected) in [
        ("exp", json!(SECONDS + 60), Err(TokenError::Expired)),
        ("nbf", json!(0), Err(TokenError::NotYetValid)),
        ("iss", json!("i"), Err(TokenError::InvalidIssuer)),
        ("aud", json!("a"), Err(TokenError::InvalidAudience)),
        ("sub", json!("u"), missing("sub")),
        ("tier", json!(1), invalid("tier")),
    ] {
        assert_eq!(judged(&rules, payload.clone()), expected, "before {member} is right");
        payload[member] = value;
    }
    assert_eq!(judged(&rules, payload), Ok(()));
}

#[test]
fn a_date_that_is_none_is_told_before_what_the_others_say() {
    for (payload, expected) in [
        (json!({"exp": "x", "nbf": SECONDS + 99}), invalid("exp")),
        (json!({"exp": 0, "nbf": "x"}), invalid("nbf")),
        (json!({"exp": SECONDS + 60, "nbf": SECONDS + 99, "iat": "x"}), invalid("iat")),
    ] {
        assert_eq!(judged(&lenient(), payload.clone()), expected, "{payload}");
    }
}

#[test]
fn a_claim_is_found_by_its_literal_key_first_and_then_along_dots() {
    let claims = claims(json!({
        "sub": "u",
        "a.b": "literal",
        "a": {"b": "dotted", "c": {"d": 1}, "c.d": "inner literal", "x.y": {"z": 2}},
        "https://example.com/roles": {"list": ["r"]},
        "https://example.com/roles.all": {"list": 3},
        "nothing": null,
        "n": {"nothing": null},
        "null.b": null,
        "null": {"b": "behind null"},
        "text": "t",
        "list": [{"b": 1}],
        "": {"": "empty names"}
    }));
    for (path, expected) in [
        ("sub", Some(json!("u"))),
        ("a.b", Some(json!("literal"))),
        ("a.c.d", Some(json!("inner literal"))),
        ("a.c", Some(json!({"d": 1}))),
        ("a.x.y.z", Some(json!(2))),
        ("https://example.com/roles.list", Some(json!(["r"]))),
        ("https://example.com/roles.all.list", Some(json!(3))),
        (".", Some(json!("empty names"))),
        ("nothing", None),
        ("n.nothing", None),
        ("null.b", None),
        ("absent", None),
        ("a.absent", None),
        ("text.length", None),
        ("list.0", None),
        ("list.b", None),
        ("a.", None),
        (".a", None),
    ] {
        assert_eq!(claims.find(path), expected.as_ref(), "{path}");
    }
    assert_eq!(claims.get("a.c.d"), None, "`get` takes exact names alone");
    assert_eq!(claims.get("nothing"), Some(&Value::Null), "`get` tells null from absent");
}
