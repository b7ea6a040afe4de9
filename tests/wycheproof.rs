//! Project Wycheproof's vectors for the primitives, each set in the parameters that JSON Web Algorithms have. Its set
//! for JSON Web Signatures is in `vectors.rs`.
//!
//! The crate has one vector of PSS with 2048 bits, SHA-512 and its own salt, and none with 3072 bits and SHA-384 or
//! SHA-512; those are held against the crate `rsa` and against openssl in `src/jwt/key/tests`.

#[cfg(test)]
mod tests {
    use portcullis::jwt::alg::Algorithm::{self, EdDsa, Es256, Es384, Es512, Hs256, Hs384, Hs512};
    use portcullis::jwt::alg::Algorithm::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    use portcullis::jwt::key::{HmacKey, InvalidKey};
    use portcullis::jwt::pem::public_key;
    use wycheproof::{HashFunction, TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

    /// One vector: its number, what is published of it and what we say.
    struct Row {
        id: usize,
        published: bool,
        ours: Result<bool, InvalidKey>,
        comment: String,
    }

    /// What is only acceptable, a hash identifier without its NULL say, is to be refused.
    fn holds(result: TestResult) -> bool {
        result == TestResult::Valid
    }

    /// The rows of a set of the module, of those groups that fit.
    macro_rules! rows {
        ($module:ident, $name:expr, $algorithm:expr) => {
            rows!($module, $name, |_: &$module::TestGroup| $algorithm, |_: &$module::TestGroup| true)
        };
        ($module:ident, $name:expr, $algorithm:expr, $fits:expr) => {
            $module::TestSet::load($name)
                .unwrap()
                .test_groups
                .into_iter()
                .filter($fits)
                .flat_map(|group| {
                    let key = public_key(&group.pem);
                    let algorithm: Algorithm = $algorithm(&group);
                    group.tests.into_iter().map(move |test| Row {
                        id: test.tc_id,
                        published: holds(test.result),
                        ours: key.as_ref().map_err(|why| *why).map(|key| key.verify(algorithm, &test.msg, &test.sig)),
                        comment: format!("{} {:?}", test.comment, test.flags),
                    })
                })
                .collect::<Vec<Row>>()
        };
    }

    /// Exactly `exceptions` differ from what is published, and at least so many ran.
    fn check(set: &str, rows: &[Row], least: usize, exceptions: &[usize]) {
        let different = rows.iter().filter(|row| row.ours != Ok(row.published));
        let (ids, told): (Vec<usize>, Vec<String>) = different
            .map(|row| {
                (row.id, format!("{}: published {}, ours {:?} ({})", row.id, row.published, row.ours, row.comment))
            })
            .unzip();
        assert_eq!(ids, exceptions, "{set}: {told:#?}");
        assert!(rows.len() >= least, "{set}: only {} ran", rows.len());
        assert!(rows.iter().any(|row| row.ours == Ok(true)), "{set}: nothing held");
    }

    /// The exceptions are keys with the exponent 3, which is under our floor, whatever they sign.
    #[test]
    fn rsa_pkcs1_signatures_are_judged_as_published() {
        use rsa_pkcs1_verify::TestName::{
            Rsa2048Sha256, Rsa2048Sha384, Rsa2048Sha512, Rsa3072Sha256, Rsa3072Sha384, Rsa3072Sha512, Rsa4096Sha256,
            Rsa4096Sha384, Rsa4096Sha512, Rsa8192Sha256, Rsa8192Sha384, Rsa8192Sha512,
        };
        for (name, algorithm, exceptions) in [
            (Rsa2048Sha256, Rs256, &[258, 259][..]),
            (Rsa2048Sha384, Rs384, &[]),
            (Rsa2048Sha512, Rs512, &[259]),
            (Rsa3072Sha256, Rs256, &[259]),
            (Rsa3072Sha384, Rs384, &[]),
            (Rsa3072Sha512, Rs512, &[260]),
            (Rsa4096Sha256, Rs256, &[]),
            (Rsa4096Sha384, Rs384, &[]),
            (Rsa4096Sha512, Rs512, &[]),
            (Rsa8192Sha256, Rs256, &[]),
            (Rsa8192Sha384, Rs384, &[]),
            (Rsa8192Sha512, Rs512, &[]),
        ] {
            let rows = rows!(rsa_pkcs1_verify, name, algorithm);
            check(&format!("{name:?}"), &rows, 258, exceptions);
            for row in rows.iter().filter(|row| exceptions.contains(&row.id)) {
                assert_eq!(row.ours, Err(InvalidKey::Exponent), "{name:?}: {}", row.comment);
            }
        }
    }

    fn of_hash(hash: HashFunction) -> Option<Algorithm> {
        match hash {
            HashFunction::Sha2_256 => Some(Ps256),
            HashFunction::Sha2_384 => Some(Ps384),
            HashFunction::Sha2_512 => Some(Ps512),
            _ => None,
        }
    }

    fn own_algorithm(group: &rsa_pss_verify::TestGroup) -> Algorithm {
        of_hash(group.hash).unwrap()
    }

    /// Whether a group has the parameters that JSON Web Algorithms have (RFC 7518 section 3.5): the salt as long as the
    /// hash, and MGF1 of the same hash.
    fn is_of_jwa(group: &rsa_pss_verify::TestGroup) -> bool {
        let algorithm = of_hash(group.hash);
        group.mgf_hash.as_ref() == Some(&group.hash)
            && algorithm.is_some_and(|algorithm| algorithm.hash().bytes() == group.salt_size)
    }

    #[test]
    fn rsa_pss_signatures_are_judged_as_published() {
        use rsa_pss_verify::TestName::{
            RsaPss2048Sha256Mgf1SaltLen32, RsaPss2048Sha384Mgf1SaltLen48, RsaPss3072Sha256Mgf1SaltLen32,
            RsaPss4096Sha256Mgf1SaltLen32, RsaPss4096Sha384Mgf1SaltLen48, RsaPss4096Sha512Mgf1SaltLen64, RsaPssmisc,
        };
        for (name, least) in [
            (RsaPss2048Sha256Mgf1SaltLen32, 108),
            (RsaPss2048Sha384Mgf1SaltLen48, 141),
            (RsaPss3072Sha256Mgf1SaltLen32, 108),
            (RsaPss4096Sha256Mgf1SaltLen32, 108),
            (RsaPss4096Sha384Mgf1SaltLen48, 141),
            (RsaPss4096Sha512Mgf1SaltLen64, 179),
            (RsaPssmisc, 3),
        ] {
            let rows = rows!(rsa_pss_verify, name, own_algorithm, is_of_jwa);
            check(&format!("{name:?}"), &rows, least, &[]);
        }
    }

    #[test]
    fn rsa_pss_with_another_salt_length_or_mask_hash_is_refused() {
        use rsa_pss_verify::TestName::{
            RsaPss2048Sha256Mgf1SaltLen0, RsaPss2048Sha256Mgf1Sha1_20, RsaPss4096Sha512Mgf1SaltLen32, RsaPssmisc,
        };
        for (name, least, held) in [
            // Number 69 is a salt of 32 among those of 0: for us the one that is right.
            (RsaPss2048Sha256Mgf1SaltLen0, 103, &[69][..]),
            (RsaPss2048Sha256Mgf1Sha1_20, 108, &[]),
            (RsaPss4096Sha512Mgf1SaltLen32, 177, &[]),
            (RsaPssmisc, 87, &[]),
        ] {
            let others = |group: &rsa_pss_verify::TestGroup| of_hash(group.hash).is_some() && !is_of_jwa(group);
            let rows = rows!(rsa_pss_verify, name, own_algorithm, others);
            let ours: Vec<usize> = rows.iter().filter(|row| row.ours == Ok(true)).map(|row| row.id).collect();
            assert_eq!(ours, held, "{name:?}");
            assert!(rows.iter().all(|row| row.ours.is_ok()), "{name:?}: a key was not read");
            assert!(rows.len() >= least, "{name:?}: only {} ran", rows.len());
            assert!(rows.iter().any(|row| row.published), "{name:?}: none is right with its own parameters");
        }
    }

    #[test]
    fn ecdsa_signatures_are_judged_as_published() {
        use ecdsa::TestName::{EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363, EcdsaSecp521r1Sha512P1363};
        for (name, algorithm, least) in [
            (EcdsaSecp256r1Sha256P1363, Es256, 262),
            (EcdsaSecp384r1Sha384P1363, Es384, 280),
            (EcdsaSecp521r1Sha512P1363, Es512, 318),
        ] {
            check(&format!("{name:?}"), &rows!(ecdsa, name, algorithm), least, &[]);
        }
    }

    #[test]
    fn ecdsa_signatures_in_der_are_refused_right_or_wrong() {
        use ecdsa::TestName::{EcdsaSecp256r1Sha256, EcdsaSecp384r1Sha384, EcdsaSecp521r1Sha512};
        for (name, algorithm, least) in
            [(EcdsaSecp256r1Sha256, Es256, 484), (EcdsaSecp384r1Sha384, Es384, 504), (EcdsaSecp521r1Sha512, Es512, 542)]
        {
            let rows = rows!(ecdsa, name, algorithm);
            assert!(rows.iter().all(|row| row.ours == Ok(false)), "{name:?}");
            assert!(rows.iter().any(|row| row.published), "{name:?}: none is right as DER");
            assert!(rows.len() >= least, "{name:?}: only {} ran", rows.len());
        }
    }

    #[test]
    fn ed25519_signatures_are_judged_as_published() {
        check("Ed25519", &rows!(eddsa, eddsa::TestName::Ed25519, EdDsa), 150, &[]);
    }

    #[test]
    fn hmac_codes_are_judged_as_published_and_shorter_ones_refused() {
        use mac::TestName::{HmacSha256, HmacSha384, HmacSha512};
        for (name, algorithm) in [(HmacSha256, Hs256), (HmacSha384, Hs384), (HmacSha512, Hs512)] {
            let mut rows = Vec::new();
            let mut short = 0;
            for group in mac::TestSet::load(name).unwrap().test_groups {
                let full = group.tag_size == 8 * algorithm.hash().bytes();
                for test in group.tests {
                    let key = HmacKey::new(&test.key).unwrap();
                    let ours = key.verify(algorithm.hash(), &test.msg, &test.tag);
                    if full {
                        let published = holds(test.result);
                        rows.push(Row { id: test.tc_id, published, ours: Ok(ours), comment: test.comment });
                    } else {
                        assert!(!ours, "{name:?}: number {} is of {} bits", test.tc_id, group.tag_size);
                        short += 1;
                    }
                }
            }
            check(&format!("{name:?}"), &rows, 87, &[]);
            assert!(short >= 80, "{name:?}: only {short} short codes");
        }
    }
}
