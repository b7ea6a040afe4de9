//! Signatures that openssl made (tests/keys/README.md), of every algorithm and key.

use super::*;
use crate::jwt::pem;

#[derive(serde::Deserialize)]
struct Row {
    key: String,
    alg: String,
    signature: String,
}

fn key(name: &str) -> PublicKey {
    match name {
        "rsa" => Signer::new(2048).public,
        "p256" => pem::public_key(include_str!("../../../../tests/keys/p256-public.pem")).unwrap(),
        "p384" => pem::public_key(include_str!("../../../../tests/keys/p384-public.pem")).unwrap(),
        "p521" => pem::public_key(include_str!("../../../../tests/keys/p521-public.pem")).unwrap(),
        "ed25519" => pem::public_key(include_str!("../../../../tests/keys/ed25519-public.pem")).unwrap(),
        rsa => Signer::new(rsa.strip_prefix("rsa-").unwrap().parse().unwrap()).public,
    }
}

#[test]
fn what_openssl_signed_holds_and_a_bit_beside_it_does_not() {
    let message = b"a message that openssl signed";
    let rows: Vec<Row> = serde_json::from_str(include_str!("../../../../tests/keys/openssl-signatures.json")).unwrap();
    let mut algorithms = Vec::new();
    for Row { key: name, alg, signature } in &rows {
        let algorithm = Algorithm::named(alg).unwrap();
        let key = key(name);
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(key.verify(algorithm, message, &signature), "{name} {alg}");
        assert!(!key.verify(algorithm, &message[1..], &signature), "{name} {alg}: another message");
        let middle = signature.len() / 2;
        signature[middle] ^= 1;
        assert!(!key.verify(algorithm, message, &signature), "{name} {alg}: another signature");
        algorithms.push(algorithm);
    }
    assert_eq!(rows.len(), 6 * 6 + 4);
    for algorithm in Algorithm::ALL.iter().filter(|algorithm| algorithm.family() != Family::Hmac) {
        assert!(algorithms.contains(algorithm), "{algorithm} did not run");
    }
}
