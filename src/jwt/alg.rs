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

/// A curve of NIST's (FIPS 186-5) that has a JSON Web Algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

impl Curve {
    /// The curve called `name` in a JWK's `crv`.
    pub fn named(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.name() == name)
    }

    /// The name in a JWK's `crv`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// Bytes of a coordinate.
    pub const fn bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// What kind of key an algorithm takes, and what is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A shared secret.
    Hmac,
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1,
    /// RSASSA-PSS.
    RsaPss,
    /// ECDSA, each hash with its own curve.
    Ecdsa(Curve),
    /// EdDSA with Ed25519.
    EdDsa,
}

macro_rules! algorithms {
    ($($variant:ident $name:literal $family:expr, $hash:ident, $doc:literal;)*) => {
        /// A signature algorithm that the gateway can check.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Algorithm {
            $(#[doc = $doc] $variant,)*
        }

        impl Algorithm {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in a token's `alg`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The kind of key it takes.
            pub const fn family(self) -> Family {
                match self { $(Self::$variant => $family,)* }
            }

            /// The hash it uses.
            pub const fn hash(self) -> Hash {
                match self { $(Self::$variant => Hash::$hash,)* }
            }
        }
    };
}

algorithms! {
    Hs256 "HS256" Family::Hmac, Sha256, "HMAC with SHA-256.";
    Hs384 "HS384" Family::Hmac, Sha384, "HMAC with SHA-384.";
    Hs512 "HS512" Family::Hmac, Sha512, "HMAC with SHA-512.";
    Rs256 "RS256" Family::RsaPkcs1, Sha256, "RSASSA-PKCS1-v1_5 with SHA-256.";
    Rs384 "RS384" Family::RsaPkcs1, Sha384, "RSASSA-PKCS1-v1_5 with SHA-384.";
    Rs512 "RS512" Family::RsaPkcs1, Sha512, "RSASSA-PKCS1-v1_5 with SHA-512.";
    Ps256 "PS256" Family::RsaPss, Sha256, "RSASSA-PSS with SHA-256.";
    Ps384 "PS384" Family::RsaPss, Sha384, "RSASSA-PSS with SHA-384.";
    Ps512 "PS512" Family::RsaPss, Sha512, "RSASSA-PSS with SHA-512.";
    Es256 "ES256" Family::Ecdsa(Curve::P256), Sha256, "ECDSA on P-256 with SHA-256.";
    Es384 "ES384" Family::Ecdsa(Curve::P384), Sha384, "ECDSA on P-384 with SHA-384.";
    Es512 "ES512" Family::Ecdsa(Curve::P521), Sha512, "ECDSA on P-521 with SHA-512.";
    EdDsa "EdDSA" Family::EdDsa, Sha512, "EdDSA with Ed25519, which hashes by itself.";
}

/// The name that RFC 9864 gives to EdDSA with Ed25519: the same algorithm.
pub(crate) const ED25519: &str = "Ed25519";

impl Algorithm {
    /// The algorithm called `name`, letter for letter.
    pub fn named(name: &str) -> Option<Self> {
        let name = if name == ED25519 { Self::EdDsa.name() } else { name };
        Self::ALL.iter().copied().find(|algorithm| algorithm.name() == name)
    }

    /// The names of all.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|algorithm| algorithm.name())
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
    fn every_algorithm_is_found_by_its_name() {
        assert_eq!(Algorithm::ALL.len(), 13);
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::named(algorithm.name()), Some(*algorithm));
        }
        assert_eq!(Algorithm::named("Ed25519"), Some(Algorithm::EdDsa));
    }

    #[test]
    fn names_are_compared_letter_for_letter() {
        for name in ["hs256", "HS256 ", "none", "None", "NONE", "", "HS"] {
            assert_eq!(Algorithm::named(name), None, "{name:?}");
        }
    }
}
