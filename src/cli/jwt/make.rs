//! What a new credential is made of: the system's randomness, or the consumer's own public key.

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::jwt::alg::{Algorithm, Family};
use portcullis::jwt::pem;
use serde_json::{Map, Value, json};

use super::super::files::create;
use super::super::private_key::{PrivateKey, random};
use super::super::table::table;
use super::Keys;

/// Bits of an RSA key.
const RSA_BITS: usize = 2048;

/// What proves a consumer's tokens.
pub(super) struct Material {
    algorithm: Algorithm,
    proof: Proof,
}

enum Proof {
    /// As text, whose characters are its bytes: what every library takes as it is.
    Secret(String),
    Pair {
        private: String,
        public: String,
    },
    /// The consumer has the private key.
    Public(String),
}

/// Files that were written with it.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<PathBuf>);

impl Kept {
    /// Takes the files back where what they belong to has failed.
    pub(super) fn unless<T>(&self, done: Result<T, String>) -> Result<T, String> {
        if done.is_err() {
            for file in &self.0 {
                let _ = fs::remove_file(file);
            }
        }
        done
    }
}

impl Material {
    pub(super) fn make(algorithm: Algorithm, keys: &Keys) -> Result<Self, String> {
        let is_shared = algorithm.family() == Family::Hmac;
        let proof = match &keys.public_key {
            Some(_) if is_shared => {
                return Err(format!("{algorithm} has a secret: --public-key is for RS, PS, ES and EdDSA"));
            }
            Some(file) => {
                let told = |why: String| format!("{}: {why}", file.display());
                let text = fs::read_to_string(file).map_err(|error| told(error.to_string()))?;
                let key =
                    pem::public_key(&text).map_err(|why| told(format!("the gateway does not use this key: {why}")))?;
                if !key.fits(algorithm) {
                    return Err(told(format!("{algorithm} does not sign with a key of this kind: --alg says another")));
                }
                Proof::Public(text)
            }
            None if is_shared => {
                // As many bytes as the hash gives: RFC 7518 section 3.2 asks for no less.
                let bytes = random::<64>()?;
                Proof::Secret(URL_SAFE_NO_PAD.encode(bytes.get(..algorithm.hash().bytes()).unwrap_or(&bytes)))
            }
            None => {
                let key = PrivateKey::generate(algorithm, RSA_BITS)?;
                Proof::Pair { private: key.pem()?, public: key.public_pem()? }
            }
        };
        Ok(Self { algorithm, proof })
    }

    /// What KV gets: never a private key.
    pub(super) fn stored(&self) -> Map<String, Value> {
        let (name, value) = match &self.proof {
            Proof::Secret(secret) => ("secret", secret),
            Proof::Pair { public, .. } | Proof::Public(public) => ("public_key", public),
        };
        Map::from_iter([
            ("algorithm".to_owned(), self.algorithm.name().into()),
            (name.to_owned(), value.as_str().into()),
        ])
    }

    /// Writes the files that `--out` asks for; those that are there stay.
    pub(super) fn keep(&self, keys: &Keys) -> Result<Kept, String> {
        let Some(prefix) = &keys.out else { return Ok(Kept::default()) };
        let parts = match &self.proof {
            Proof::Secret(secret) => vec![(".secret", secret, true)],
            Proof::Pair { private, public } => vec![(".private.pem", private, true), (".public.pem", public, false)],
            Proof::Public(_) => Vec::new(),
        };
        let mut kept = Kept::default();
        for (ending, text, secret) in parts {
            let file = PathBuf::from(format!("{prefix}{ending}"));
            kept.unless(create(&file, &format!("{}\n", text.trim_end()), secret))?;
            kept.0.push(file);
        }
        Ok(kept)
    }

    /// What to do with something secret that is shown, and not kept in files.
    pub(super) fn advice(&self, kept: &Kept) -> Option<&'static str> {
        match self.proof {
            _ if !kept.0.is_empty() => None,
            Proof::Secret(_) => Some("keep the secret: nothing but `portcullis jwt ls --show-secrets` shows it again"),
            Proof::Pair { .. } => Some("keep the private key: it is stored nowhere, and never shown again"),
            Proof::Public(_) => None,
        }
    }

    /// Algorithm, secret and `iss` in one line; a private key below it.
    pub(super) fn table(&self, iss: &str, kept: &Kept) -> String {
        let algorithm = self.algorithm.name().to_owned();
        let file = kept.0.first().map(|file| file.display().to_string());
        match (&self.proof, file) {
            (Proof::Secret(_), Some(file)) => {
                table(["ALGORITHM", "SECRET IN", "ISS"], &[[algorithm, file, iss.to_owned()]])
            }
            (Proof::Secret(secret), None) => {
                table(["ALGORITHM", "SECRET", "ISS"], &[[algorithm, secret.clone(), iss.to_owned()]])
            }
            (Proof::Pair { .. }, Some(file)) => {
                table(["ALGORITHM", "PRIVATE KEY IN", "ISS"], &[[algorithm, file, iss.to_owned()]])
            }
            (Proof::Pair { private, .. }, None) => {
                format!("{}{}\n", table(["ALGORITHM", "ISS"], &[[algorithm, iss.to_owned()]]), private.trim_end())
            }
            (Proof::Public(_), _) => table(["ALGORITHM", "ISS"], &[[algorithm, iss.to_owned()]]),
        }
    }

    pub(super) fn json(&self, iss: &str, kept: &Kept) -> Value {
        let mut told = json!({ "algorithm": self.algorithm.name(), "iss": iss });
        let Some(members) = told.as_object_mut() else { return told };
        let file = kept.0.first().map(|file| file.display().to_string());
        let (name, secret, public) = match &self.proof {
            Proof::Secret(secret) => ("secret", Some(secret), None),
            Proof::Pair { private, public } => ("private_key", Some(private), Some(public)),
            Proof::Public(public) => ("private_key", None, Some(public)),
        };
        match (file, secret) {
            (Some(file), _) => members.insert(format!("{name}_file"), file.into()),
            (None, Some(secret)) => members.insert(name.to_owned(), secret.as_str().into()),
            (None, None) => None,
        };
        members.extend(public.map(|public| ("public_key".to_owned(), public.as_str().into())));
        told
    }
}

#[cfg(test)]
mod tests {
    use portcullis::consumer::Credential;

    use super::super::super::directory::{Consumer, credential};
    use super::*;

    const NO_FILES: Keys = Keys { public_key: None, out: None };

    #[test]
    fn what_is_stored_is_what_the_worker_reads_for_every_kind_of_algorithm() {
        let owner = Consumer { name: "my-app".into(), id: "c-1".into(), created: None };
        for name in ["HS256", "HS384", "HS512", "RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"] {
            let algorithm = Algorithm::named(name).unwrap();
            let material = Material::make(algorithm, &NO_FILES).unwrap();
            let put = credential("iss-1", &owner, material.stored(), [("created", Some(1)), ("not_after", Some(2))]);
            let text = put.value.to_string();
            let read = Credential::signing_key(&text, "iss-1").unwrap_or_else(|why| panic!("{name}: {why}"));
            assert_eq!((read.proof.algorithm, read.consumer.credential.as_str()), (algorithm, "iss-1"), "{name}");
            assert!(!text.contains("PRIVATE"), "{name}: the private key is the consumer's alone");
            assert!(!read.window.is_always(), "{name}");
        }
    }

    #[test]
    fn a_secret_is_as_long_as_its_hash_and_another_each_time() {
        let made = || Material::make(Algorithm::Hs512, &NO_FILES).unwrap().stored();
        let (one, other) = (made(), made());
        assert_ne!(one, other);
        assert!(one.get("secret").unwrap().as_str().unwrap().len() >= 64);
    }

    #[test]
    fn a_line_has_algorithm_secret_and_iss() {
        let material = Material { algorithm: Algorithm::Hs256, proof: Proof::Secret("s3cret".into()) };
        let none = Kept::default();
        assert_eq!(material.table("i-1", &none), "ALGORITHM  SECRET  ISS\nHS256      s3cret  i-1\n");
        assert_eq!(material.json("i-1", &none), json!({"algorithm": "HS256", "iss": "i-1", "secret": "s3cret"}));
        let kept = Kept(vec!["x.secret".into()]);
        assert_eq!(material.table("i-1", &kept), "ALGORITHM  SECRET IN  ISS\nHS256      x.secret   i-1\n");
        assert!(!material.json("i-1", &kept).to_string().contains("s3cret"), "what is in a file is not printed");
    }
}
