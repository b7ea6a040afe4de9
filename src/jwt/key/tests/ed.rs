//! Ed25519.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};

use super::*;

/// RFC 8032 section 7.1, tests 1 to 3: key, message, signature.
const VECTORS: [[&str; 3]; 3] = [
    [
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
];

/// The seed of test 1.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

/// Encodings of the eight points of small order, canonical and not.
const SMALL: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// RFC 8032 section 5.1: the order of the base point.
fn order() -> UBig {
    (UBig::ONE << 252) + UBig::from(27_742_317_777_372_353_535_851_937_790_883_648_493_u128)
}

/// 32 bytes, little-endian.
fn scalar(number: &UBig) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(32, 0);
    bytes
}

#[test]
fn the_vectors_of_rfc_8032_hold_each_for_its_own_message() {
    for (number, [key, message, signature]) in VECTORS.iter().enumerate() {
        let key = EdKey::new(&hex(key)).map(PublicKey::Ed).unwrap();
        let (message, signature) = (hex(message), hex(signature));
        assert!(key.verify(Algorithm::EdDsa, &message, &signature), "{number}");
        assert!(!key.verify(Algorithm::EdDsa, b"another", &signature), "{number}");
        for place in 0..64 {
            let mut flipped = signature.clone();
            flipped[place] ^= 1;
            assert!(!key.verify(Algorithm::EdDsa, &message, &flipped), "{number}: byte {place}");
        }
        for algorithm in Algorithm::ALL {
            assert_eq!(key.verify(*algorithm, &message, &signature), *algorithm == Algorithm::EdDsa, "{algorithm}");
        }
    }
}

#[test]
fn a_signature_has_64_bytes_and_an_s_below_the_order() {
    for [key, message, signature] in VECTORS {
        let key = EdKey::new(&hex(key)).unwrap();
        let (message, good) = (hex(message), hex(signature));
        assert!(key.verify(&message, &good));
        let (r, s) = good.split_at(32);
        let s = UBig::from_le_bytes(s);
        for (name, signature) in [
            ("S and the order", [r, &scalar(&(&s + order()))].concat()),
            ("S and eight times the order", [r, &scalar(&(&s + order() * UBig::from(8_u8)))].concat()),
            ("S is the order", [r, &scalar(&order())].concat()),
            ("S is zero", [r, &[0; 32]].concat()),
            ("S is all ones", [r, &[0xFF; 32]].concat()),
            ("empty", Vec::new()),
            ("63 bytes", good[..63].to_vec()),
            ("65 bytes", [&good[..], &[0]].concat()),
            ("a zero before", [&[0], &good[..]].concat()),
            ("zeros", vec![0; 64]),
        ] {
            assert!(!key.verify(&message, &signature), "{name}");
        }
    }
}

#[test]
fn a_key_of_small_order_is_refused_however_it_is_written() {
    for key in SMALL {
        assert_eq!(EdKey::new(&hex(key)).err(), Some(InvalidKey::Point), "{key}");
    }
    let weak = VerifyingKey::from_bytes(&hex(SMALL[0]).try_into().unwrap()).unwrap();
    let signature = Signature::from_slice(&hex(&[SMALL[0], &"0".repeat(64)].concat())).unwrap();
    assert!(weak.verify(b"whatever", &signature).is_ok(), "the danger is real: it holds for any message");
}

#[test]
fn a_key_is_32_bytes_and_a_point() {
    let good = hex(VECTORS[0][0]);
    assert_eq!(EdKey::new(&good).unwrap().bytes(), good);
    for (name, bytes, why) in [
        ("empty", vec![], InvalidKey::Malformed),
        ("31 bytes", good[..31].to_vec(), InvalidKey::Malformed),
        ("33 bytes", [&good[..], &[0]].concat(), InvalidKey::Malformed),
        ("64 bytes", good.repeat(2), InvalidKey::Malformed),
        ("no point", [vec![2], vec![0; 31]].concat(), InvalidKey::Point),
    ] {
        assert_eq!(EdKey::new(&bytes).err(), Some(why), "{name}");
    }
}

/// With R the neutral point, S = k·a satisfies the equation; only whoever has the key can make it, yet RFC 8032's
/// strict reading and every implementation that batches disagree on such points, so none is taken.
#[test]
fn an_r_of_small_order_is_refused_even_where_the_equation_holds() {
    let public: [u8; 32] = hex(VECTORS[0][0]).try_into().unwrap();
    let mut secret = Hash::Sha512.digest(&hex(SEED))[..32].to_vec();
    secret[0] &= 0xF8;
    secret[31] = secret[31] & 0x7F | 0x40;
    let r = hex(SMALL[0]);
    let k = UBig::from_le_bytes(&Hash::Sha512.digest(&[&r[..], &public, MESSAGE].concat()));
    let s = k * UBig::from_le_bytes(&secret) % order();
    let signature = [r, scalar(&s)].concat();
    let lax = VerifyingKey::from_bytes(&public).unwrap();
    assert!(lax.verify(MESSAGE, &Signature::from_slice(&signature).unwrap()).is_ok(), "the equation holds");
    assert!(!EdKey::new(&public).unwrap().verify(MESSAGE, &signature));
}
