//! RSA held against the crate `rsa`: whatever we are given, we say what it says.

use ::rsa::pkcs1v15::Pkcs1v15Sign;
use ::rsa::{Pss, RsaPublicKey};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sha2::{Sha256, Sha384, Sha512};

use super::*;

/// The verdict of the crate.
fn theirs(signer: &Signer, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let key = RsaPublicKey::from(&signer.private);
    let digest = &algorithm.hash().digest(message);
    let verdict = match algorithm {
        Algorithm::Rs256 => key.verify(Pkcs1v15Sign::new::<Sha256>(), digest, signature),
        Algorithm::Rs384 => key.verify(Pkcs1v15Sign::new::<Sha384>(), digest, signature),
        Algorithm::Rs512 => key.verify(Pkcs1v15Sign::new::<Sha512>(), digest, signature),
        Algorithm::Ps256 => key.verify(Pss::<Sha256>::new(), digest, signature),
        Algorithm::Ps384 => key.verify(Pss::<Sha384>::new(), digest, signature),
        Algorithm::Ps512 => key.verify(Pss::<Sha512>::new(), digest, signature),
        other => panic!("{other} is not of RSA"),
    };
    verdict.is_ok()
}

/// The verdict of both, which has to be one.
fn both(signer: &Signer, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let ours = signer.public.verify(algorithm, message, signature);
    assert_eq!(ours, theirs(signer, algorithm, message, signature), "{algorithm}, {} bits, {signature:?}", signer.bits);
    ours
}

#[test]
fn each_signature_holds_for_its_own_algorithm_and_message_alone() {
    for signer in Signer::all() {
        for made in RS.into_iter().chain(PS) {
            let signature = signer.sign(made, MESSAGE);
            for judged in RS.into_iter().chain(PS) {
                assert_eq!(both(&signer, judged, MESSAGE, &signature), made == judged, "{made} as {judged}");
            }
            assert!(!both(&signer, made, b"another message", &signature), "{made}");
        }
    }
}

#[test]
fn a_pkcs1_signature_of_the_crate_is_ours_too() {
    for signer in Signer::all() {
        let digest = Hash::Sha256.digest(MESSAGE);
        let signature = signer.private.sign(Pkcs1v15Sign::new::<Sha256>(), &digest).unwrap();
        assert_eq!(signature, signer.sign(Algorithm::Rs256, MESSAGE), "{} bits: there is but one", signer.bits);
        assert!(signer.public.verify(Algorithm::Rs256, MESSAGE, &signature));
    }
}

/// What the mutation strikes.
#[derive(Clone, Copy, Debug)]
enum Part {
    Signature,
    Message,
    Block,
}

proptest! {
    // Always the same cases: a failure is one of everybody's.
    #![proptest_config(ProptestConfig {
        cases: 256,
        rng_seed: RngSeed::Fixed(7518),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_changed_byte_is_judged_as_the_crate_judges_it_and_refused(
        key in 0..4_usize,
        algorithm in 0..6_usize,
        part in prop_oneof![Just(Part::Signature), Just(Part::Message), Just(Part::Block)],
        place in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let signer = Signer::new(RSA_KEYS[key].0);
        let algorithm = RS.into_iter().chain(PS).nth(algorithm).unwrap();
        let mut message = MESSAGE.to_vec();
        let mut block = signer.block(algorithm, MESSAGE);
        match part {
            Part::Message => message[place.index(MESSAGE.len())] ^= change,
            Part::Block => {
                let place = place.index(block.len());
                block[place] ^= change;
            }
            Part::Signature => {}
        }
        // A block that is not below the modulus has no signature.
        prop_assume!(UBig::from_be_bytes(&block) < signer.modulus());
        let mut signature = signer.raw(&block);
        if let Part::Signature = part {
            let place = place.index(signature.len());
            signature[place] ^= change;
        }
        prop_assert!(!both(&signer, algorithm, &message, &signature));
    }

    #[test]
    fn any_bytes_are_judged_as_the_crate_judges_them_and_refused(
        key in 0..4_usize,
        algorithm in 0..6_usize,
        signature in prop::collection::vec(any::<u8>(), 255..=258),
    ) {
        let signer = Signer::new(RSA_KEYS[key].0);
        let algorithm = RS.into_iter().chain(PS).nth(algorithm).unwrap();
        prop_assert!(!both(&signer, algorithm, MESSAGE, &signature));
    }
}
