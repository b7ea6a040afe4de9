//! Headers, and shared secrets; public keys are in `public`, what somebody made up in `attacks`.

mod attacks;
mod public;

use serde_json::{Value, json};

use super::*;
use crate::jwt::key::{HmacKey, InvalidSecret};
use crate::jwt::keys::Secret;
use crate::jwt::keyset::KeySet;
use crate::testing::{
    NOW, RSA, RSA_PUBLIC_PEM, SECONDS, SECRET, hmac, hs, jwk, jwks, rs, signing_input, with_signature,
};
use crate::time::Window;

fn judge(policy: &Policy, keys: Keys<'_>, token: &str) -> Result<(), TokenError> {
    let token = Compact::parse(token)?;
    policy.admit(&token, NOW)?.verify(keys, NOW).map(drop)
}

fn allowing(names: &[&str]) -> Policy {
    let algorithms = names.iter().map(|name| Algorithm::named(name).unwrap()).collect();
    Policy { algorithms: Some(algorithms), ..Policy::default() }
}

fn secret(text: &str, kid: Option<&str>) -> Secret {
    let key = HmacKey::new(text.as_bytes()).unwrap();
    Secret { kid: kid.map(str::to_owned), key, window: Window::default() }
}

fn good() -> Value {
    json!({"sub": "u", "exp": SECONDS + 600})
}

fn rsa_set() -> KeySet {
    KeySet::parse(jwks(&[jwk(&RSA, &json!({"kid": "a"}))]).as_bytes()).unwrap()
}

const HS: [&str; 3] = ["HS256", "HS384", "HS512"];
const RS: [&str; 3] = ["RS256", "RS384", "RS512"];

#[test]
fn none_is_unsupported_in_every_case_whatever_the_policy_and_the_signature() {
    let secrets = [secret(SECRET, None)];
    let set = rsa_set();
    let mut ran = 0;
    for bits in 0_u32..16 {
        let letters = "none".chars().enumerate();
        let name: String = letters.map(|(i, c)| if bits >> i & 1 == 1 { c.to_ascii_uppercase() } else { c }).collect();
        let header = json!({"alg": name, "typ": "JWT"});
        for signature in [Vec::new(), hmac(SECRET.as_bytes(), &header, &good())] {
            let token = with_signature(&header, &good(), &signature);
            for policy in [Policy::default(), allowing(&HS), allowing(&RS)] {
                for keys in [Keys::Secrets(&secrets), Keys::Public(&set)] {
                    assert_eq!(judge(&policy, keys, &token), Err(TokenError::UnsupportedAlgorithm), "{name}");
                    ran += 1;
                }
            }
        }
    }
    assert_eq!(ran, 16 * 2 * 3 * 2);
}

#[test]
fn a_key_judges_no_algorithm_of_another_family_even_where_a_policy_allows_it() {
    let set = rsa_set();
    let secrets = [secret(SECRET, None)];
    let unknown = Err(TokenError::UnknownKey);
    let token = hs(RSA_PUBLIC_PEM, &json!({"alg": "HS256"}), &good());
    assert_eq!(judge(&allowing(&["HS256"]), Keys::Public(&set), &token), unknown, "HS256 with a public key");
    for policy in [Policy::default(), allowing(&["RS256"])] {
        let header = json!({"alg": "RS256"});
        let token = with_signature(&header, &good(), &hmac(SECRET.as_bytes(), &header, &good()));
        assert_eq!(judge(&policy, Keys::Secrets(&secrets), &token), unknown, "RS256 with a shared secret");
    }
}

#[test]
fn only_the_algorithms_of_the_list_are_allowed() {
    let secrets = [secret(SECRET, None)];
    let not_allowed = Err(TokenError::AlgorithmNotAllowed);
    let unsupported = Err(TokenError::UnsupportedAlgorithm);
    for (allowed, alg, expected) in [
        (&["HS256"][..], "HS256", Ok(())),
        (&["HS256"][..], "HS384", not_allowed.clone()),
        (&["HS256"][..], "HS512", not_allowed.clone()),
        (&["HS384"][..], "HS384", Ok(())),
        (&["HS512"][..], "HS512", Ok(())),
        (&["HS512"][..], "HS256", not_allowed.clone()),
        (&HS[..], "HS384", Ok(())),
        (&HS[..], "RS256", not_allowed.clone()),
        (&[][..], "HS256", not_allowed.clone()),
        (&HS[..], "hs256", unsupported.clone()),
        (&HS[..], "HS256 ", unsupported.clone()),
        (&HS[..], "HS1", unsupported.clone()),
        (&HS[..], "", unsupported.clone()),
        (&HS[..], "HS256\0", unsupported.clone()),
        (&HS[..], "RS1", unsupported.clone()),
        (&HS[..], "ES256K", unsupported.clone()),
        (&HS[..], "RSA1_5", unsupported.clone()),
        (&HS[..], "PBES2-HS256+A128KW", unsupported.clone()),
        (&HS[..], "dir", unsupported.clone()),
    ] {
        let token = hs(SECRET, &json!({ "alg": alg }), &good());
        assert_eq!(judge(&allowing(allowed), Keys::Secrets(&secrets), &token), expected, "{allowed:?} {alg:?}");
    }
    let token = hs(SECRET, &json!({"alg": "HS256"}), &good());
    assert_eq!(judge(&Policy::default(), Keys::Secrets(&secrets), &token), not_allowed, "HS has to be named");
}

#[test]
fn typ_is_compared_without_case_and_without_application() {
    let secrets = [secret(SECRET, None)];
    let wrong = Err(TokenError::WrongType);
    for (types, header, expected) in [
        (&[][..], json!({"alg": "HS256"}), Ok(())),
        (&[][..], json!({"alg": "HS256", "typ": "anything"}), Ok(())),
        (&[][..], json!({"alg": "HS256", "typ": "at+jwt"}), Ok(())),
        (&[][..], json!({"alg": "HS256", "typ": "logout+jwt"}), wrong.clone()),
        (&[][..], json!({"alg": "HS256", "typ": "application/DPoP+JWT"}), wrong.clone()),
        (&[][..], json!({"alg": "HS256", "typ": "secevent+jwt"}), wrong.clone()),
        (&["logout+jwt"][..], json!({"alg": "HS256", "typ": "logout+jwt"}), Ok(())),
        (&["jwt"][..], json!({"alg": "HS256", "typ": "JWT"}), Ok(())),
        (&["jwt"][..], json!({"alg": "HS256", "typ": "jwt"}), Ok(())),
        (&["jwt"][..], json!({"alg": "HS256", "typ": "application/jwt"}), Ok(())),
        (&["jwt"][..], json!({"alg": "HS256", "typ": "Application/JWT"}), Ok(())),
        (&["jwt"][..], json!({"alg": "HS256", "typ": "at+jwt"}), wrong.clone()),
        (&["jwt"][..], json!({"alg": "HS256", "typ": ""}), wrong.clone()),
        (&["jwt"][..], json!({"alg": "HS256"}), wrong.clone()),
        (&["at+jwt"][..], json!({"alg": "HS256", "typ": "at+JWT"}), Ok(())),
        (&["at+jwt"][..], json!({"alg": "HS256", "typ": "JWT"}), wrong.clone()),
        (&["at+jwt", "jwt"][..], json!({"alg": "HS256", "typ": "JWT"}), Ok(())),
    ] {
        let types = types.iter().map(|&typ| typ.to_owned()).collect();
        let policy = Policy { types, ..allowing(&["HS256"]) };
        let token = hs(SECRET, &header, &good());
        assert_eq!(judge(&policy, Keys::Secrets(&secrets), &token), expected, "{header} {:?}", policy.types);
    }
    for (written, normal) in [("JWT", "jwt"), ("application/at+JWT", "at+jwt"), ("APPLICATION/x", "x"), ("a/b", "a/b")]
    {
        assert_eq!(normal_type(written), normal, "{written}");
    }
}

#[test]
fn a_token_that_is_past_is_refused_before_any_key_is_looked_for() {
    for (name, payload, expected) in [
        ("past", json!({"exp": SECONDS - 30}), TokenError::Expired),
        ("no end", json!({}), TokenError::MissingClaim("exp".into())),
        ("an end that is no number", json!({"exp": "1"}), TokenError::InvalidClaim("exp".into())),
    ] {
        let token = with_signature(&json!({"alg": "RS256", "kid": "nobody"}), &payload, b"");
        let token = Compact::parse(&token).unwrap();
        assert_eq!(Policy::default().admit(&token, NOW).err(), Some(expected), "{name}");
    }
    let ahead = with_signature(&json!({"alg": "RS256"}), &json!({"exp": SECONDS + 1, "nbf": SECONDS + 999}), b"");
    let ahead = Compact::parse(&ahead).unwrap();
    assert!(Policy::default().admit(&ahead, NOW).is_ok(), "all other claims are believed behind the signature alone");
}

#[test]
fn claims_are_judged_behind_the_signature() {
    let policy =
        Policy { rules: ClaimRules { issuers: vec!["i".into()], ..ClaimRules::default() }, ..allowing(&["HS256"]) };
    let secrets = [secret(SECRET, None)];
    let payload = json!({"exp": SECONDS + 1, "iss": "x"});
    let header = json!({"alg": "HS256"});
    for (name, token, expected) in [
        ("a good signature", hs(SECRET, &header, &payload), TokenError::InvalidIssuer),
        ("a bad signature", with_signature(&header, &payload, b"x"), TokenError::InvalidSignature),
    ] {
        assert_eq!(judge(&policy, Keys::Secrets(&secrets), &token), Err(expected), "{name}");
    }
}

#[test]
fn what_is_verified_holds_the_claims_of_the_token() {
    let token = hs(SECRET, &json!({"alg": "HS256"}), &good());
    let token = Compact::parse(&token).unwrap();
    let policy = allowing(&["HS256"]);
    let verified = policy.admit(&token, NOW).unwrap().verify(Keys::Secrets(&[secret(SECRET, None)]), NOW).unwrap();
    assert_eq!(Value::Object(verified.claims().members().clone()), good());
}

#[test]
fn an_hmac_counts_whole_and_unchanged_alone() {
    for alg in HS {
        let header = json!({ "alg": alg });
        let code = hmac(SECRET.as_bytes(), &header, &good());
        let secrets = [secret(SECRET, None)];
        let longer: Vec<u8> = code.iter().copied().chain([0]).collect();
        let doubled = [code.clone(), code.clone()].concat();
        let mut flipped = code.clone();
        flipped[0] ^= 1;
        for (name, signature, expected) in [
            ("whole", &code[..], Ok(())),
            ("one byte short", &code[..code.len() - 1], Err(TokenError::InvalidSignature)),
            ("half", &code[..code.len() / 2], Err(TokenError::InvalidSignature)),
            ("one byte", &code[..1], Err(TokenError::InvalidSignature)),
            ("empty", &[], Err(TokenError::InvalidSignature)),
            ("without its first byte", &code[1..], Err(TokenError::InvalidSignature)),
            ("one byte long", &longer, Err(TokenError::InvalidSignature)),
            ("twice", &doubled, Err(TokenError::InvalidSignature)),
            ("a bit changed", &flipped, Err(TokenError::InvalidSignature)),
            ("zeros", &vec![0; code.len()], Err(TokenError::InvalidSignature)),
        ] {
            let token = with_signature(&header, &good(), signature);
            assert_eq!(judge(&allowing(&HS), Keys::Secrets(&secrets), &token), expected, "{alg} {name}");
        }
    }
}

#[test]
fn a_signature_is_for_its_own_header_payload_and_algorithm() {
    let secrets = [secret(SECRET, None)];
    let header = json!({"alg": "HS256"});
    let code = hmac(SECRET.as_bytes(), &header, &good());
    for (name, header, payload) in [
        ("another payload", header.clone(), json!({"sub": "admin", "exp": SECONDS + 600})),
        ("another header", json!({"alg": "HS256", "typ": "JWT"}), good()),
        ("another algorithm", json!({"alg": "HS512"}), good()),
    ] {
        let token = with_signature(&header, &payload, &code);
        let judged = judge(&allowing(&HS), Keys::Secrets(&secrets), &token);
        assert_eq!(judged, Err(TokenError::InvalidSignature), "{name}");
    }
    let token = format!("{}.", signing_input(&header, &good()));
    assert_eq!(judge(&allowing(&HS), Keys::Secrets(&secrets), &token), Err(TokenError::InvalidSignature), "none");
    let token = hs("another secret", &header, &good());
    assert_eq!(judge(&allowing(&HS), Keys::Secrets(&secrets), &token), Err(TokenError::InvalidSignature), "wrong");
}

#[test]
fn secrets_are_chosen_by_kid_where_both_sides_name_one() {
    let secrets = [secret("old", Some("2023")), secret("new", Some("2024"))];
    let unnamed = [secret("new", None)];
    for (name, secrets, kid, signed_with, expected) in [
        ("named, its own", &secrets[..], json!("2024"), "new", Ok(())),
        ("named, the other's", &secrets[..], json!("2024"), "old", Err(TokenError::InvalidSignature)),
        ("no name, first", &secrets[..], json!(null), "old", Ok(())),
        ("no name, last", &secrets[..], json!(null), "new", Ok(())),
        ("no name, neither", &secrets[..], json!(null), "x", Err(TokenError::InvalidSignature)),
        ("a name that is not there", &secrets[..], json!("2025"), "new", Err(TokenError::UnknownKey)),
        ("a path", &secrets[..], json!("../../dev/null"), "", Err(TokenError::UnknownKey)),
        ("SQL", &secrets[..], json!("x' UNION SELECT 'new"), "new", Err(TokenError::UnknownKey)),
        ("a secret without a name", &unnamed[..], json!("2024"), "new", Ok(())),
        ("none at all", &[][..], json!(null), "new", Err(TokenError::UnknownKey)),
    ] {
        let header = if kid.is_null() { json!({"alg": "HS256"}) } else { json!({"alg": "HS256", "kid": kid}) };
        let token = hs(signed_with, &header, &good());
        assert_eq!(judge(&allowing(&["HS256"]), Keys::Secrets(secrets), &token), expected, "{name}");
    }
}

#[test]
fn a_secret_counts_from_not_before_until_before_not_after() {
    let at = |offset: i64| Some(UnixTime::from_seconds(SECONDS.checked_add_signed(offset).unwrap()));
    for (name, not_before, not_after, counts) in [
        ("always", None, None, true),
        ("from now on", at(0), None, true),
        ("from a second ago", at(-1), None, true),
        ("from the next second on", at(1), None, false),
        ("until the next second", None, at(1), true),
        ("until now", None, at(0), false),
        ("until a second ago", None, at(-1), false),
        ("within", at(-1), at(1), true),
        ("never", at(0), at(0), false),
    ] {
        let secrets = [Secret { window: Window { not_before, not_after }, ..secret(SECRET, Some("k")) }];
        let expected = if counts { Ok(()) } else { Err(TokenError::UnknownKey) };
        for header in [json!({"alg": "HS256", "kid": "k"}), json!({"alg": "HS256"})] {
            let token = hs(SECRET, &header, &good());
            assert_eq!(judge(&allowing(&["HS256"]), Keys::Secrets(&secrets), &token), expected, "{name} {header}");
        }
    }
}

#[test]
fn an_empty_secret_is_no_key_and_no_secret_is_printed() {
    assert_eq!(HmacKey::new(b"").err(), Some(InvalidSecret::Empty));
    assert!(!format!("{:?}", secret("hunter2", None)).contains("hunter2"));
}

#[test]
fn a_public_key_is_no_secret_however_it_is_written() {
    let pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n";
    for (name, text, public) in [
        ("SPKI", pem.to_owned(), true),
        ("white space before", format!("\r\n  {pem}"), true),
        ("line ends written out", pem.replace('\n', "\\n"), true),
        ("PKCS #1", pem.replace("PUBLIC", "RSA PUBLIC"), true),
        ("a certificate", pem.replace("PUBLIC KEY", "CERTIFICATE"), true),
        ("a private key, which nobody has", pem.replace("PUBLIC", "PRIVATE"), false),
        ("words", "BEGIN PUBLIC KEY".to_owned(), false),
    ] {
        assert_eq!(HmacKey::new(text.as_bytes()).err(), public.then_some(InvalidSecret::Public), "{name}");
    }
}

#[test]
fn headers_that_are_not_understood_are_malformed() {
    for (name, header) in [
        ("crit", json!({"alg": "RS256", "kid": "a", "crit": ["b64"], "b64": false})),
        ("crit empty", json!({"alg": "RS256", "kid": "a", "crit": []})),
        ("kid a number", json!({"alg": "RS256", "kid": 1})),
        ("alg a list", json!({"alg": ["RS256", "none"]})),
        ("alg a number", json!({"alg": 256})),
        ("alg null", json!({"alg": null, "kid": "a"})),
        ("no alg", json!({"kid": "a"})),
        ("no object", json!(null)),
    ] {
        let token = rs(&RSA, &header, &good());
        assert_eq!(judge(&Policy::default(), Keys::Public(&rsa_set()), &token), Err(TokenError::Malformed), "{name}");
    }
}
