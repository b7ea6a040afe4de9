//! ECDSA on each curve.

use p256::ecdsa::signature::hazmat::PrehashSigner;

use super::*;

/// A curve with its order (FIPS 186-5, SP 800-186 section 3.2.1), a key on it, and the key's signature of the message.
struct Case {
    algorithm: Algorithm,
    curve: Curve,
    order: UBig,
    key: PublicKey,
    r: UBig,
    s: UBig,
}

impl Case {
    fn all() -> [Self; 3] {
        let secret = |curve: Curve| [&vec![0; curve.bytes() - 30][..], &[0x2A; 30]].concat();
        let digest = |hash: Hash| hash.digest(MESSAGE);
        let p256 = p256::ecdsa::SigningKey::from_slice(&secret(Curve::P256)).unwrap();
        let p384 = p384::ecdsa::SigningKey::from_slice(&secret(Curve::P384)).unwrap();
        let p521 = p521::ecdsa::SigningKey::from_slice(&secret(Curve::P521)).unwrap();
        let s256: p256::ecdsa::Signature = p256.sign_prehash(&digest(Hash::Sha256)).unwrap();
        let s384: p384::ecdsa::Signature = p384.sign_prehash(&digest(Hash::Sha384)).unwrap();
        let s521: p521::ecdsa::Signature = p521.sign_prehash(&digest(Hash::Sha512)).unwrap();
        let case = |algorithm: Algorithm, key: EcKey, signature: &[u8], order: &str| {
            let (r, s) = signature.split_at(signature.len() / 2);
            Self {
                algorithm,
                curve: key.curve(),
                order: UBig::from_str_radix(order, 16).unwrap(),
                key: PublicKey::Ec(key),
                r: UBig::from_be_bytes(r),
                s: UBig::from_be_bytes(s),
            }
        };
        [
            case(
                Algorithm::Es256,
                EcKey::P256(*p256.verifying_key()),
                &s256.to_bytes(),
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
            ),
            case(
                Algorithm::Es384,
                EcKey::P384(*p384.verifying_key()),
                &s384.to_bytes(),
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
            ),
            case(
                Algorithm::Es512,
                EcKey::P521(*p521.verifying_key()),
                &s521.to_bytes(),
                "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa\
                 51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
            ),
        ]
    }

    /// `number` as long as a coordinate, or longer if it is.
    fn number(&self, number: &UBig) -> Vec<u8> {
        let bytes = number.to_be_bytes();
        [&vec![0; self.curve.bytes().saturating_sub(bytes.len())][..], &bytes].concat()
    }

    fn holds(&self, r: &UBig, s: &UBig) -> bool {
        self.verify(&[self.number(r), self.number(s)].concat())
    }

    fn verify(&self, signature: &[u8]) -> bool {
        self.key.verify(self.algorithm, MESSAGE, signature)
    }

    /// r and s as X.509 has them (RFC 3279 section 2.2.3).
    fn der(&self) -> Vec<u8> {
        let integer = |number: &UBig| {
            let bytes = number.to_be_bytes();
            let sign = if bytes[0] & 0x80 == 0 { &[][..] } else { &[0] };
            let content = [sign, &bytes].concat();
            [&[2, u8::try_from(content.len()).unwrap()][..], &content].concat()
        };
        let content = [integer(&self.r), integer(&self.s)].concat();
        let length = u8::try_from(content.len()).unwrap();
        let head = if length < 0x80 { vec![0x30, length] } else { vec![0x30, 0x81, length] };
        [head, content].concat()
    }
}

#[test]
fn a_signature_holds_with_either_s_since_jws_has_no_rule_of_low_s() {
    for case in Case::all() {
        assert!(case.holds(&case.r, &case.s), "{}", case.algorithm);
        assert!(case.holds(&case.r, &(&case.order - &case.s)), "{}: the other s", case.algorithm);
        assert!(!case.holds(&(&case.order - &case.r), &case.s), "{}: another r", case.algorithm);
        let signature = [case.number(&case.r), case.number(&case.s)].concat();
        assert!(!case.key.verify(case.algorithm, b"another message", &signature), "{}", case.algorithm);
    }
}

#[test]
fn r_and_s_lie_between_zero_and_the_order() {
    for case in Case::all() {
        let name = case.algorithm;
        let most = UBig::from_be_bytes(&vec![0xFF; case.curve.bytes()]);
        for (what, bad) in [
            ("zero", UBig::ZERO),
            ("the order", case.order.clone()),
            ("more than the order", &case.order + UBig::ONE),
            ("all ones", most),
            ("one", UBig::ONE),
            ("one less than the order", &case.order - UBig::ONE),
        ] {
            assert!(!case.holds(&bad, &case.s), "{name}: r is {what}");
            assert!(!case.holds(&case.r, &bad), "{name}: s is {what}");
            assert!(!case.holds(&bad, &bad), "{name}: both are {what}");
        }
    }
}

/// On P-521 alone there is room for it in every signature: 521 bits in 66 bytes.
#[test]
fn r_or_s_plus_the_order_is_not_the_same_signature() {
    let [_, _, case] = Case::all();
    assert!(!case.holds(&(&case.r + &case.order), &case.s));
    assert!(!case.holds(&case.r, &(&case.s + &case.order)));
}

#[test]
fn only_r_and_s_at_full_length_are_a_signature() {
    for case in Case::all() {
        let good = [case.number(&case.r), case.number(&case.s)].concat();
        assert!(case.verify(&good), "{}", case.algorithm);
        let half = case.curve.bytes();
        for (what, signature) in [
            ("DER", case.der()),
            ("empty", Vec::new()),
            ("one short", good[..good.len() - 1].to_vec()),
            ("one short in front", good[1..].to_vec()),
            ("one long", [&good[..], &[0]].concat()),
            ("a zero before", [&[0], &good[..]].concat()),
            ("a zero before each", [&[0], &good[..half], &[0], &good[half..]].concat()),
            ("r alone", good[..half].to_vec()),
            ("s before r", [&good[half..], &good[..half]].concat()),
            ("512 zeros behind", [&good[..], &[0; 512]].concat()),
            ("zeros", vec![0; good.len()]),
        ] {
            assert!(!case.verify(&signature), "{}: {what}", case.algorithm);
        }
    }
}

#[test]
fn a_key_judges_the_algorithm_of_its_own_curve_alone() {
    for case in Case::all() {
        let signature = [case.number(&case.r), case.number(&case.s)].concat();
        for algorithm in Algorithm::ALL {
            let own = *algorithm == case.algorithm;
            assert_eq!(case.key.fits(*algorithm), own, "{algorithm} with {}", case.curve.name());
            assert_eq!(case.key.verify(*algorithm, MESSAGE, &signature), own, "{algorithm}");
        }
    }
}

#[test]
fn only_a_point_on_the_curve_is_a_key() {
    for case in Case::all() {
        let PublicKey::Ec(key) = &case.key else { panic!("no EC key") };
        let (x, y) = key.coordinates();
        let name = case.curve.name();
        assert_eq!(EcKey::new(case.curve, &x, &y).unwrap().coordinates(), (x.clone(), y.clone()), "{name}");
        let zero = vec![0; x.len()];
        let ones = vec![0xFF; x.len()];
        let mut beside = y.clone();
        beside[9] ^= 1;
        for (what, x, y, why) in [
            ("beside it", &x, &beside, InvalidKey::Point),
            ("x for y", &y, &x, InvalidKey::Point),
            ("zero", &zero, &zero, InvalidKey::Point),
            ("over the field", &ones, &y, InvalidKey::Point),
            ("x short", &x[1..].to_vec(), &y, InvalidKey::Malformed),
            ("y short", &x, &y[1..].to_vec(), InvalidKey::Malformed),
            ("x long", &[&[0], &x[..]].concat(), &y, InvalidKey::Malformed),
            ("y empty", &x, &Vec::new(), InvalidKey::Malformed),
        ] {
            assert_eq!(EcKey::new(case.curve, x, y).err(), Some(why), "{name}: {what}");
        }
        for (what, point) in [("infinity", vec![0]), ("nothing", vec![]), ("no tag", [x, y].concat())] {
            assert_eq!(EcKey::from_point(case.curve, &point).err(), Some(InvalidKey::Point), "{name}: {what}");
        }
    }
}
