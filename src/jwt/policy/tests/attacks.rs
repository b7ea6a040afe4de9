//! What somebody made up: keys that are none, names twice, numbers that are none, and spellings of a token that another reader could take
//! for another token. Where it can be, the signature is a good one, so that nothing but the rule refuses it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::*;

const HEADER: &str = r#"{"alg":"HS256"}"#;
const PAYLOAD: &str = r#"{"sub":"u","exp":1700000600}"#;
const MALFORMED: Result<(), TokenError> = Err(TokenError::Malformed);

fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The code of any text, whatever it is two parts of.
fn code(input: &str) -> String {
    let keyed = <Hmac<Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
    encode(keyed.chain_update(input).finalize().into_bytes())
}

/// A token of these texts as they are, with a good signature.
fn of_texts(header: &str, payload: &str) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    format!("{input}.{}", code(&input))
}

fn judge_shared(token: &str) -> Result<(), TokenError> {
    judge(&allowing(&["HS256"]), Keys::Secrets(&[secret(SECRET, None)]), token)
}

#[test]
fn hs256_signed_with_the_rsa_public_key_is_not_allowed_in_whatever_form_the_key_is() {
    let set = rsa_set();
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "a"});
    let pkcs1 = include_str!("../../../../tests/keys/rsa-pkcs1-public.pem");
    let certificate = include_str!("../../../../tests/keys/rsa-certificate.pem");
    let der = |pem: &str| der::pem::decode_vec(pem.as_bytes()).unwrap().1;
    let modulus = jwk(&RSA, &json!({}))["n"].as_str().unwrap().to_owned();
    let lines: Vec<&str> = RSA_PUBLIC_PEM.lines().filter(|line| !line.starts_with('-')).collect();
    for (name, key) in [
        ("the PEM", RSA_PUBLIC_PEM.into()),
        ("the PEM without its last line end", RSA_PUBLIC_PEM.trim_end().into()),
        ("the PEM with CRLF", RSA_PUBLIC_PEM.replace('\n', "\r\n").into_bytes()),
        ("the PEM's body on one line", lines.concat().into_bytes()),
        ("the DER", der(RSA_PUBLIC_PEM)),
        ("PKCS #1, PEM", pkcs1.into()),
        ("PKCS #1, DER", der(pkcs1)),
        ("the certificate, PEM", certificate.into()),
        ("the certificate, DER", der(certificate)),
        ("the JWK", jwk(&RSA, &json!({"kid": "a"})).to_string().into_bytes()),
        ("the modulus, base64url", modulus.clone().into_bytes()),
        ("the modulus, bytes", URL_SAFE_NO_PAD.decode(&modulus).unwrap()),
        ("nothing", Vec::new()),
    ] {
        let token = with_signature(&header, &good(), &hmac(&key, &header, &good()));
        for policy in [Policy::default(), allowing(&RS), allowing(&["RS256"])] {
            assert_eq!(judge(&policy, Keys::Public(&set), &token), Err(TokenError::AlgorithmNotAllowed), "{name}");
        }
        // A configuration cannot allow it with public keys; if it could, the key would still be no secret.
        assert_eq!(judge(&allowing(&HS), Keys::Public(&set), &token), Err(TokenError::UnknownKey), "{name}");
    }
}

#[test]
fn a_secret_that_the_token_brings_along_is_never_used() {
    let own = json!({"kty": "oct", "k": encode("mine"), "alg": "HS256"});
    for (name, header) in [
        ("jwk", json!({"alg": "HS256", "jwk": own})),
        ("jwk with its kid", json!({"alg": "HS256", "kid": "mine", "jwk": own})),
        ("k", json!({"alg": "HS256", "k": encode("mine")})),
        ("jku", json!({"alg": "HS256", "jku": "https://evil.example/jwks.json"})),
    ] {
        assert_eq!(judge_shared(&hs("mine", &header, &good())), Err(TokenError::InvalidSignature), "{name}");
        assert_eq!(judge_shared(&hs(SECRET, &header, &good())), Ok(()), "{name}: it changes nothing either");
    }
}

#[test]
fn a_name_twice_in_header_or_payload_is_malformed_behind_a_good_signature_too() {
    assert_eq!(judge_shared(&of_texts(HEADER, PAYLOAD)), Ok(()));
    for (name, header, payload) in [
        ("alg", r#"{"alg":"none","alg":"HS256"}"#, PAYLOAD),
        ("alg, the same", r#"{"alg":"HS256","alg":"HS256"}"#, PAYLOAD),
        ("alg, by escape", r#"{"alg":"HS256","\u0061lg":"none"}"#, PAYLOAD),
        ("kid", r#"{"alg":"HS256","kid":"a","kid":"b"}"#, PAYLOAD),
        ("an unknown member of the header", r#"{"alg":"HS256","x":1,"x":1}"#, PAYLOAD),
        ("exp", HEADER, r#"{"exp":1,"exp":1700000600}"#),
        ("exp, the same", HEADER, r#"{"exp":1700000600,"exp":1700000600}"#),
        ("exp, by escape", HEADER, r#"{"exp":1700000600,"\u0065xp":1}"#),
        ("iss", HEADER, r#"{"exp":1700000600,"iss":"a","iss":"b"}"#),
        ("aud", HEADER, r#"{"exp":1700000600,"aud":"a","aud":["b"]}"#),
        ("sub", HEADER, r#"{"sub":"u","exp":1700000600,"sub":"admin"}"#),
        ("inside a claim", HEADER, r#"{"exp":1700000600,"realm_access":{"roles":[],"roles":["admin"]}}"#),
        ("inside a list", HEADER, r#"{"exp":1700000600,"list":[{"a":1,"a":2}]}"#),
    ] {
        assert_eq!(judge_shared(&of_texts(header, payload)), MALFORMED, "{name}");
    }
}

#[test]
fn exp_as_it_is_written_is_a_finite_number_ahead_or_the_token_is_refused() {
    let odd = || Err(TokenError::InvalidClaim("exp".into()));
    for (exp, expected) in [
        ("1700000600", Ok(())),
        ("1700000600.5", Ok(())),
        ("1.7000006e9", Ok(())),
        ("18446744073709551616", Ok(())),
        ("1e308", Ok(())),
        ("1e400", MALFORMED),
        ("-1e400", MALFORMED),
        ("1e-400", Err(TokenError::Expired)),
        ("0", Err(TokenError::Expired)),
        ("-0", Err(TokenError::Expired)),
        ("-1", Err(TokenError::Expired)),
        ("-1700000600", Err(TokenError::Expired)),
        ("-9223372036854775809", Err(TokenError::Expired)),
        ("NaN", MALFORMED),
        ("Infinity", MALFORMED),
        ("0x7fffffff", MALFORMED),
        ("01700000600", MALFORMED),
        ("+1700000600", MALFORMED),
        ("1700000600.", MALFORMED),
        ("1_700_000_600", MALFORMED),
        ("", MALFORMED),
        ("\"1700000600\"", odd()),
        ("\"never\"", odd()),
        ("\"\"", odd()),
        ("null", odd()),
        ("true", odd()),
        ("[1700000600]", odd()),
        ("{}", odd()),
    ] {
        assert_eq!(judge_shared(&of_texts(HEADER, &format!(r#"{{"exp":{exp}}}"#))), expected, "exp is {exp}");
    }
}

/// A token whose every part has bits to spare, and letters that the two alphabets write differently.
fn with_every_letter() -> [String; 3] {
    let header = encode(r#"{"alg":"HS256","typ":"???>>>~"}"#);
    (0..100)
        .map(|number| {
            let payload = encode(format!(r#"{{"sub":"???>>>{number:04}","exp":1700000600}}"#));
            let code = code(&format!("{header}.{payload}"));
            [header.clone(), payload, code]
        })
        .find(|parts| parts.iter().all(|part| part.contains(['-', '_']) && part.len() % 4 != 0))
        .unwrap()
}

/// Another spelling of a part.
type Spell = fn(&str) -> String;

/// The part with its last letter's spare bits set: the same bytes to a reader that does not look at them.
fn with_spare_bits(part: &str) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = part.split_at(part.len() - 1);
    let next = LETTERS.find(last).unwrap() + 1;
    format!("{rest}{}", &LETTERS[next..=next])
}

#[test]
fn each_part_has_one_spelling_even_where_the_signature_is_over_another() {
    let parts = with_every_letter();
    assert_eq!(judge_shared(&parts.join(".")), Ok(()));
    let spellings: [(&str, Spell); 12] = [
        ("padding", |part| format!("{part}{}", &"==="[..(4 - part.len() % 4) % 4])),
        ("too much padding", |part| format!("{part}===")),
        ("spare bits", with_spare_bits),
        ("the standard alphabet", |part| part.replace('-', "+").replace('_', "/")),
        ("a space before", |part| format!(" {part}")),
        ("a space behind", |part| format!("{part} ")),
        ("a line end behind", |part| format!("{part}\n")),
        ("a line end within", |part| format!("{}\r\n{}", &part[..8], &part[8..])),
        ("NUL behind", |part| format!("{part}\0")),
        ("percent-encoded", |part| format!("%{:02X}{}", part.as_bytes()[0], &part[1..])),
        ("a letter too many", |part| format!("{part}{}", &"AAA"[..(5 - part.len() % 4) % 4])),
        ("in quotes", |part| format!("\"{part}\"")),
    ];
    for (name, spell) in spellings {
        for place in 0..3 {
            let mut odd = parts.clone();
            odd[place] = spell(&parts[place]);
            assert_ne!(odd, parts, "{name}: nothing changed");
            assert_eq!(judge_shared(&odd.join(".")), MALFORMED, "{name}, part {place}");
            if place < 2 {
                odd[2] = code(&odd[..2].join("."));
                assert_eq!(judge_shared(&odd.join(".")), MALFORMED, "{name}, part {place}, signed as it is spelt");
            }
        }
    }
}

#[test]
fn only_three_parts_are_a_token_whatever_the_parts_are() {
    let [header, payload, code] = with_every_letter();
    let encrypted = encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
    for (name, token) in [
        ("one part", payload.clone()),
        ("two: no signature", format!("{header}.{payload}")),
        ("two: no header", format!("{payload}.{code}")),
        ("three, of which the payload is detached", format!("{header}..{code}")),
        ("three, of which the header is empty", format!(".{payload}.{code}")),
        ("three, of which all are empty", "..".to_owned()),
        ("four: another part behind", format!("{header}.{payload}.{code}.{code}")),
        ("four: a dot behind", format!("{header}.{payload}.{code}.")),
        ("four: a dot before", format!(".{header}.{payload}.{code}")),
        ("four: two payloads", format!("{header}.{payload}.{payload}.{code}")),
        ("five: encrypted", format!("{encrypted}..{payload}.{payload}.{code}")),
        ("five, with a key", format!("{encrypted}.{code}.{payload}.{payload}.{code}")),
        (
            "six: two tokens",
            [[&header[..], &payload, &code].join("."), [&header[..], &payload, &code].join(".")].join("."),
        ),
        ("JSON", format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{code}"}}"#)),
        ("an opaque token", "ya29.a0AfB_byC".to_owned()),
        ("an API key", "sb_publishable_0123456789abcdef".to_owned()),
    ] {
        assert_eq!(judge_shared(&token), MALFORMED, "{name}");
    }
}

/// RFC 7797: with `b64` false the payload is signed, and may be written, as it is. It takes `crit`, and is never used here.
#[test]
fn b64_false_gives_a_token_no_other_payload() {
    let raw = r#"{"sub":"admin","exp":1700000600}"#;
    let without = r#"{"alg":"HS256","b64":false}"#;
    let with = r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#;
    let bad = Err(TokenError::InvalidSignature);
    for (name, header, written, signed, expected) in [
        ("as it is, with crit", with, raw.to_owned(), raw.to_owned(), MALFORMED),
        ("as it is, without crit", without, raw.to_owned(), raw.to_owned(), MALFORMED),
        ("encoded, signed as it is, with crit", with, encode(raw), raw.to_owned(), MALFORMED),
        ("encoded, signed as it is, without crit", without, encode(raw), raw.to_owned(), bad),
        ("detached, signed as it is", without, String::new(), raw.to_owned(), MALFORMED),
        ("encoded, with crit", with, encode(raw), encode(raw), MALFORMED),
        ("encoded, without crit: the member means nothing", without, encode(raw), encode(raw), Ok(())),
    ] {
        let header = encode(header);
        let token = format!("{header}.{written}.{}", code(&format!("{header}.{signed}")));
        assert_eq!(judge_shared(&token), expected, "{name}");
    }
}
