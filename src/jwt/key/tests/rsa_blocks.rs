//! RSA signatures that are right as numbers, of encodings that are not.

use dashu_int::ops::CubicRoot;

use super::*;

/// Whether the signature of `block` holds for the message.
fn holds(signer: &Signer, algorithm: Algorithm, block: &[u8]) -> bool {
    signer.public.verify(algorithm, MESSAGE, &signer.raw(block))
}

#[test]
fn a_pkcs1_encoding_counts_whole() {
    let signer = Signer::new(2048);
    let info = digest_info(Hash::Sha256);
    let digest = Hash::Sha256.digest(MESSAGE);
    // Padding and what comes behind the digest, with the rest in order.
    let built = |start: &[u8], separator: &[u8], info: &[u8], digest: &[u8], garbage: &[u8]| {
        let end = [separator, info, digest, garbage].concat();
        [start, &vec![0xFF; 256 - start.len() - end.len()], &end].concat()
    };
    let good = built(&[0, 1], &[0], info, &digest, &[]);
    assert_eq!(good, signer.pkcs1_block(Hash::Sha256, MESSAGE));
    assert!(holds(&signer, Algorithm::Rs256, &good));
    // RFC 8017 section 9.2, note 1, without its NULL; every length is one of DER's.
    let without_null = b"\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20";
    let long_length = b"\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let zero_in_padding = {
        let mut block = good.clone();
        block[30] = 0;
        block
    };
    let eight_of_padding = {
        let start = [&[0, 1][..], &[0xFF; 8], &[0], info, &digest].concat();
        [&start[..], &vec![0x11; 256 - start.len()]].concat()
    };
    let short = &digest[..31];
    for (name, block) in [
        ("block type 0", built(&[0, 0], &[0], info, &digest, &[])),
        ("block type 2", built(&[0, 2], &[0], info, &digest, &[])),
        ("no separator", built(&[0, 1], &[], info, &digest, &[])),
        ("another separator", built(&[0, 1], &[1], info, &digest, &[])),
        ("two separators", built(&[0, 1], &[0, 0], info, &digest, &[])),
        ("one byte of garbage behind", built(&[0, 1], &[0], info, &digest, &[0])),
        ("garbage behind and eight bytes of padding", eight_of_padding),
        ("a zero in the padding", zero_in_padding),
        ("no identifier of the hash", built(&[0, 1], &[0], &[], &digest, &[])),
        ("the identifier without NULL", built(&[0, 1], &[0], without_null, &digest, &[])),
        ("a length in long form", built(&[0, 1], &[0], long_length, &digest, &[])),
        ("the identifier of SHA-512", built(&[0, 1], &[0], digest_info(Hash::Sha512), &digest, &[])),
        ("a digest cut short", built(&[0, 1], &[0], info, short, &[])),
        ("another digest", built(&[0, 1], &[0], info, &Hash::Sha256.digest(b"another"), &[])),
        ("no digest", built(&[0, 1], &[0], info, &[], &[])),
        ("zero", vec![0; 256]),
        ("a PSS encoding", signer.pss_block(Hash::Sha256, MESSAGE, &[7; 32])),
    ] {
        assert!(!holds(&signer, Algorithm::Rs256, &block), "{name}");
    }
}

/// Bleichenbacher's forgery of 2006: with the exponent 3, the cube root of the start of a good encoding is a signature
/// of one that has garbage behind the digest. The key is refused for its exponent, and the encoding by the key of a
/// better one.
#[test]
fn a_cube_root_forgery_finds_neither_a_key_nor_a_check_that_takes_it() {
    let signer = Signer::new(3072);
    let digest = Hash::Sha256.digest(MESSAGE);
    let start = [&[0, 1][..], &[0xFF; 8], &[0], digest_info(Hash::Sha256), &digest].concat();
    let target = [&start[..], &vec![0xFF; signer.len() - start.len()]].concat();
    let root = UBig::from_be_bytes(&target).cbrt();
    let forged = signer.number(&root.pow(3));
    assert_eq!(forged[..start.len()], start, "the forgery works: without any private key, all that a lax check reads");
    assert_eq!(RsaKey::new(&signer.private.n_bytes(), &[3]).err(), Some(InvalidKey::Exponent));
    assert!(!holds(&signer, Algorithm::Rs256, &forged));
}

#[test]
fn a_pss_encoding_counts_whole_whatever_the_bits_of_the_modulus() {
    for signer in Signer::all() {
        for algorithm in PS {
            let hash = algorithm.hash();
            let length = hash.bytes();
            let salt = vec![0xA5; length];
            let good = signer.pss_block(hash, MESSAGE, &salt);
            let name = format!("{algorithm}, {} bits", signer.bits);
            assert!(holds(&signer, algorithm, &good), "{name}");
            assert!(
                holds(&signer, algorithm, &signer.pss_block(hash, MESSAGE, &vec![0; length])),
                "{name}, salt of zeros"
            );
            for (what, salt) in [
                ("no salt", vec![]),
                ("salt one short", vec![0xA5; length - 1]),
                ("salt one long", vec![0xA5; length + 1]),
                ("salt of twenty", vec![0xA5; 20]),
                ("the longest salt", vec![0xA5; (signer.bits - 1).div_ceil(8) - length - 2]),
            ] {
                assert!(!holds(&signer, algorithm, &signer.pss_block(hash, MESSAGE, &salt)), "{name}: {what}");
            }
            let changed = |place: usize, change: u8| {
                let mut block = good.clone();
                block[place] ^= change;
                block
            };
            let last = good.len() - 1;
            for (what, block) in [
                ("another trailer", changed(last, 0xBC ^ 0xCC)),
                ("the hash changed", changed(last - 1, 1)),
                ("the salt changed", changed(last - 1 - length, 1)),
                ("the one before the salt changed", changed(last - 1 - 2 * length, 2)),
                ("the padding changed", changed(last - 3 - 2 * length, 0x40)),
                ("another message", signer.pss_block(hash, b"another", &salt)),
                ("a PKCS #1 encoding", signer.pkcs1_block(hash, MESSAGE)),
            ] {
                assert!(!holds(&signer, algorithm, &block), "{name}: {what}");
            }
        }
    }
}

/// The encoding has one bit less than the modulus; what is above has to be zero (RFC 8017 section 9.1.2, step 6).
#[test]
fn a_bit_above_a_pss_encoding_is_refused() {
    for signer in Signer::all() {
        for algorithm in PS {
            let hash = algorithm.hash();
            let first_bit = UBig::ONE << (signer.bits - 1);
            // With the bit not every encoding is below the modulus; whether it is depends on the key and on the salt.
            let raised = (0..=u8::MAX).find_map(|byte| {
                let good = signer.pss_block(hash, MESSAGE, &vec![byte; hash.bytes()]);
                let raised = UBig::from_be_bytes(&good) + &first_bit;
                (raised < signer.modulus()).then(|| signer.number(&raised))
            });
            let raised = raised.unwrap_or_else(|| panic!("{algorithm} {}: there is no room for it", signer.bits));
            assert!(!holds(&signer, algorithm, &raised), "{algorithm} {}", signer.bits);
        }
    }
}
