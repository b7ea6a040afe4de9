//! RSA signatures and keys at the edges of what is one.

use super::*;

#[test]
fn a_signature_is_as_long_as_the_modulus_and_below_it() {
    for signer in Signer::all() {
        let n = signer.modulus();
        for algorithm in RS.into_iter().chain(PS) {
            let good = signer.sign(algorithm, MESSAGE);
            assert!(signer.public.verify(algorithm, MESSAGE, &good), "{algorithm} {}", signer.bits);
            let value = UBig::from_be_bytes(&good);
            for (name, signature) in [
                ("empty", Vec::new()),
                ("one byte", vec![1]),
                ("0", signer.number(&UBig::ZERO)),
                ("1", signer.number(&UBig::ONE)),
                ("n - 1", signer.number(&(&n - UBig::ONE))),
                ("n", signer.number(&n)),
                ("n + 1", signer.number(&(&n + UBig::ONE))),
                ("all ones", vec![0xFF; signer.len()]),
                ("n more: the same residue", signer.number(&(&value + &n))),
                ("n less it: the other root", signer.number(&(&n - &value))),
                ("its last byte cut off", good[..good.len() - 1].to_vec()),
                ("its first byte cut off", good[1..].to_vec()),
                ("a zero before", [&[0], &good[..]].concat()),
                ("a byte of zero behind", [&good[..], &[0]].concat()),
                ("256 zeros before", [&[0; 256], &good[..]].concat()),
                ("twice", good.repeat(2)),
                ("backwards", good.iter().rev().copied().collect()),
            ] {
                assert!(!signer.public.verify(algorithm, MESSAGE, &signature), "{algorithm} {} {name}", signer.bits);
            }
        }
    }
}

#[test]
fn a_signature_that_begins_with_zeros_keeps_them() {
    let signer = Signer::new(2048);
    // One signature in 256 is so. For the key as it is committed these are the first; for another the search takes a while.
    for (algorithm, first) in [(Algorithm::Rs256, 813_u32), (Algorithm::Ps256, 104)] {
        let numbered = |number: u32| {
            let message = [MESSAGE, &number.to_be_bytes()].concat();
            let signature = signer.sign(algorithm, &message);
            (message, signature)
        };
        let (message, signature) =
            (first..first + 9999).map(numbered).find(|(_, signature)| signature[0] == 0).unwrap();
        assert!(signer.public.verify(algorithm, &message, &signature), "{algorithm}");
        assert!(!signer.public.verify(algorithm, &message, &signature[1..]), "{algorithm}: the zero left out");
    }
}

#[test]
fn a_key_judges_no_algorithm_of_another_family() {
    let signer = Signer::new(2048);
    let signature = signer.sign(Algorithm::Rs256, MESSAGE);
    for algorithm in Algorithm::ALL {
        let expected = RS.contains(algorithm) || PS.contains(algorithm);
        assert_eq!(signer.public.fits(*algorithm), expected, "{algorithm}");
        assert_eq!(
            signer.public.verify(*algorithm, MESSAGE, &signature),
            *algorithm == Algorithm::Rs256,
            "{algorithm}"
        );
    }
}

#[test]
fn moduli_and_exponents_outside_the_bounds_are_no_keys() {
    let e = &[1, 0, 1][..];
    let odd = |bits: usize| ((UBig::ONE << (bits - 1)) + UBig::ONE).to_be_bytes();
    let n = &odd(2048)[..];
    for (name, n, e, expected) in [
        ("2048 bits", n, e, None),
        ("zeros before", &[&[0, 0], n].concat()[..], &[0, 0, 1, 0, 1][..], None),
        ("8192 bits", &odd(8192), e, None),
        ("512 bits", &odd(512), e, Some(InvalidKey::Size)),
        ("1024 bits", &odd(1024), e, Some(InvalidKey::Size)),
        ("2047 bits", &odd(2047), e, Some(InvalidKey::Size)),
        ("8193 bits", &odd(8193), e, Some(InvalidKey::Size)),
        ("1", &[1], e, Some(InvalidKey::Size)),
        ("0", &[0], e, Some(InvalidKey::Size)),
        ("nothing", &[], e, Some(InvalidKey::Size)),
        ("even", &[&n[..255], &[2]].concat(), e, Some(InvalidKey::Malformed)),
        ("exponent 65539", n, &[1, 0, 3], None),
        ("exponent of 33 bits", n, &[1, 0xFF, 0xFF, 0xFF, 0xFF], None),
        ("exponent of 34 bits", n, &[2, 0, 0, 0, 1], Some(InvalidKey::Exponent)),
        ("exponent of 72 bits", n, &[1, 0, 0, 0, 0, 0, 0, 0, 1], Some(InvalidKey::Exponent)),
        ("exponent as long as the modulus", n, n, Some(InvalidKey::Exponent)),
        ("exponent 3", n, &[3], Some(InvalidKey::Exponent)),
        ("exponent 65535", n, &[0xFF, 0xFF], Some(InvalidKey::Exponent)),
        ("exponent 65538", n, &[1, 0, 2], Some(InvalidKey::Exponent)),
        ("exponent 1", n, &[1], Some(InvalidKey::Exponent)),
        ("exponent 0", n, &[0], Some(InvalidKey::Exponent)),
        ("no exponent", n, &[], Some(InvalidKey::Exponent)),
    ] {
        assert_eq!(RsaKey::new(n, e).err(), expected, "{name}");
    }
}

#[test]
fn a_key_gives_back_the_modulus_and_the_exponent_without_zeros_before() {
    for signer in Signer::all() {
        let PublicKey::Rsa(key) = &signer.public else { panic!("no RSA key") };
        assert_eq!(key.modulus(), &signer.private.n_bytes()[..]);
        assert_eq!(key.exponent(), [1, 0, 1]);
        let padded = RsaKey::new(&[&[0; 9], &key.modulus()[..]].concat(), &[0, 1, 0, 1]).unwrap();
        assert_eq!(padded.modulus(), key.modulus());
        assert_eq!(padded.exponent(), key.exponent());
        let good = signer.sign(Algorithm::Rs256, MESSAGE);
        assert!(PublicKey::Rsa(padded).verify(Algorithm::Rs256, MESSAGE, &good));
    }
}
