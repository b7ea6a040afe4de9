//! A gateway and requests to it, for what measures the library: `tests/allocations.rs` and `benches/pipeline.rs`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use portcullis::authn::Context;
use portcullis::compile::compile;
use portcullis::config::reference::Env;
use portcullis::gateway::{Authn, Gateway, Routed, Then};
use portcullis::jwks::KeyRing;
use portcullis::memory::Memory;
use portcullis::records::Records;
use portcullis::request::{Head, RequestId};
use portcullis::time::UnixTime;
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey, LineEnding};
use rsa::{RsaPrivateKey, pkcs1v15, signature::SignatureEncoding, signature::Signer};
use sha2::Sha256;

const SECRET: &str = "a secret of more than thirty-two bytes, for tests alone";
const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const CLAIMS: &str = r#""iss":"https://issuer.example","aud":"api","sub":"user-1","email":"user-1@example.com""#;

/// A gateway, with what an isolate keeps.
pub(crate) struct Scene {
    gateway: Gateway,
    ring: KeyRing,
    records: Records,
    memory: Memory,
    key: RsaPrivateKey,
}

/// What is asked, and what comes of it.
pub(crate) struct Case {
    /// For people.
    pub(crate) name: &'static str,
    path: &'static str,
    token: Option<String>,
    status: u16,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let key = RsaPrivateKey::from_pkcs8_pem(include_str!("../keys/rsa-pkcs8.pem")).unwrap();
        let public = key.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
        let config = include_str!("gateway.json").replace("PUBLIC_KEY", &public.replace('\n', "\\n"));
        let compiled = compile(&config, Env::Known(&|_| Some(SECRET.to_owned())));
        assert!(compiled.is_good(), "{:?}", compiled.problems);
        let gateway = compiled.gateway.unwrap();
        let ring = KeyRing::new(gateway.sources().len());
        Self { gateway, ring, records: Records::default(), memory: Memory::new([0; 16]), key }
    }

    /// Each with a name of its own. The token of "seen before" is remembered from here on.
    pub(crate) fn cases(&mut self) -> Vec<Case> {
        let hs = |claims: &str| Self::hs256(&format!("{{{CLAIMS},{claims}}}"));
        let good = hs(r#""exp":1800000600"#);
        let changed = format!("{}AAAAAAAA", &good[..good.len() - 8]);
        let case = |name, path, token, status| Case { name, path, token, status };
        let cases = vec![
            case("a fixed answer", "/static", None, 200),
            case("no token", "/hs/x", None, 401),
            case("HS256, seen before", "/hs/x", Some(hs(r#""exp":1800000500"#)), 0),
            case("HS256, new", "/hs/x", Some(good), 0),
            case("HS256, bad signature", "/hs/x", Some(changed), 401),
            case("HS256, expired", "/hs/x", Some(hs(r#""exp":1700000000"#)), 401),
            case("RS256, new", "/rs/x", Some(self.rs256(&format!("{{{CLAIMS},\"exp\":1800000600}}"))), 0),
            case("RS256, bad signature", "/rs/x", Some(self.rs256("{}").replace("e30.", "e30_.")), 401),
            case("not found", "/nothing", None, 404),
        ];
        self.remember(&cases[2]);
        cases
    }

    /// The whole way of a request: its status, or 0 where it goes on to the upstream.
    pub(crate) fn ask(&self, case: &Case) -> u16 {
        let status = self.with(case, |head, context| {
            let matched = match self.gateway.route(head) {
                Ok(Routed::Matched(matched)) => matched,
                Ok(Routed::Answer(reply)) => return reply.status,
                Err(refused) => return refused.reply(head).status,
            };
            let room = matched.limits(head).none().unwrap();
            let passed = match matched.authenticate(head, context, room) {
                Authn::Passed(passed) => passed,
                Authn::Refused(refused) => return refused.reply(head).status,
                Authn::Needs(..) => return 1,
            };
            let Ok(authorized) = passed.authorize(head) else { return 403 };
            let room = authorized.limits(head).none().unwrap();
            match authorized.action(head, room) {
                Ok(action) => match action.then {
                    Then::Forward(outbound, _) => u16::from(outbound.url.is_empty()),
                    Then::Answer(reply) => reply.status,
                },
                Err(refused) => refused.reply(head).status,
            }
        });
        assert_eq!(status, case.status, "{}", case.name);
        status
    }

    fn remember(&mut self, case: &Case) {
        let memo = self.with(case, |head, context| {
            let Ok(Routed::Matched(matched)) = self.gateway.route(head) else { return None };
            let room = matched.limits(head).none().unwrap();
            let Authn::Passed(mut passed) = matched.authenticate(head, context, room) else { return None };
            passed.memo.take()
        });
        self.memory.remember(memo.unwrap());
    }

    fn with<T>(&self, case: &Case, look: impl FnOnce(&Head<'_>, Context<'_>) -> T) -> T {
        let mut headers = vec![("connection".to_owned(), "keep-alive".to_owned())];
        headers.extend(case.token.iter().map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
        let url = format!("https://gateway.example{}", case.path);
        let id = RequestId::new(|| "5a1d0b0e-6b1c-4c3e-9a53-0f4a2f9f6f0e".to_owned());
        let head = Head { method: "GET", url: &url, headers: &headers, id: &id };
        let (ring, memory, records) = (&self.ring, &self.memory, &self.records);
        look(&head, Context { ring, memory, records, sources: self.gateway.sources(), now: NOW })
    }

    fn hs256(claims: &str) -> String {
        let input = input(r#"{"alg":"HS256","typ":"JWT"}"#, claims);
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    fn rs256(&self, claims: &str) -> String {
        let input = input(r#"{"alg":"RS256","typ":"JWT"}"#, claims);
        let signed = pkcs1v15::SigningKey::<Sha256>::new(self.key.clone()).sign(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signed.to_bytes()))
    }
}

fn input(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}
