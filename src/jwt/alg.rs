//! The one table of algorithms (RFC 7518 section 3.1).

use std::fmt;

/// A hash function of the SHA-2 family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// Bytes of a digest.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// What kind of key an algorithm takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A shared secret.
    Hmac,
    /// RSASSA-PKCS1-v1_5.
    Rsa,
}

/// A signature algorithm that the gateway can check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
}

struct Row {
    algorithm: Algorithm,
    name: &'static str,
    family: Family,
    hash: Hash,
}

const TABLE: [Row; 6] = [
    Row { algorithm: Algorithm::Hs256, name: "HS256", family: Family::Hmac, hash: Hash::Sha256 },
    Row { algorithm: Algorithm::Hs384, name: "HS384", family: Family::Hmac, hash: Hash::Sha384 },
    Row { algorithm: Algorithm::Hs512, name: "HS512", family: Family::Hmac, hash: Hash::Sha512 },
    Row { algorithm: Algorithm::Rs256, name: "RS256", family: Family::Rsa, hash: Hash::Sha256 },
    Row { algorithm: Algorithm::Rs384, name: "RS384", family: Family::Rsa, hash: Hash::Sha384 },
    Row { algorithm: Algorithm::Rs512, name: "RS512", family: Family::Rsa, hash: Hash::Sha512 },
];

impl Algorithm {
    /// The algorithm called `name`, letter for letter.
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.algorithm)
    }

    /// The names of all.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.name)
    }

    /// The name in a token's `alg`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The kind of key it takes.
    pub fn family(self) -> Family {
        self.row().family
    }

    /// The hash it uses.
    pub fn hash(self) -> Hash {
        self.row().hash
    }

    fn row(self) -> &'static Row {
        let [first, ..] = &TABLE;
        TABLE.iter().find(|row| row.algorithm == self).unwrap_or(first)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_has_its_own_row() {
        for row in &TABLE {
            assert_eq!(Algorithm::named(row.name), Some(row.algorithm));
            assert_eq!(row.algorithm.name(), row.name);
        }
    }

    #[test]
    fn names_are_compared_letter_for_letter() {
        for name in ["hs256", "HS256 ", "none", "None", "NONE", "", "HS"] {
            assert_eq!(Algorithm::named(name), None, "{name:?}");
        }
    }
}
