//! Requests as targets read them, and their way through a gateway where every limit leaves room.

use std::sync::LazyLock;

use portcullis::authn::Context;
use portcullis::compile::compile;
use portcullis::config::reference::Env;
use portcullis::gateway::{Action, Authn, Authorized, Gateway, Matched, Refused};
use portcullis::jwks::KeyRing;
use portcullis::limit::{Counted, Counters};
use portcullis::memory::Memory;
use portcullis::records::Records;
use portcullis::request::{Head, RequestId};
use portcullis::route::path::decode;
use portcullis::time::UnixTime;

use crate::tokens::{SECRET, sign};

/// Names and values of headers.
pub type Lines = Vec<(String, String)>;

/// A request with all that a head of it borrows.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The absolute URL.
    pub url: String,
    /// The headers.
    pub headers: Lines,
    id: RequestId,
}

/// What control characters in an input stand for, so that mutations can put tokens wherever they like without breaking a signature: a good
/// token and another, one that is past, one that somebody else signed.
static TOKENS: LazyLock<[(char, String); 4]> = LazyLock::new(|| {
    let token = |secret: &str, claims: &str| sign(secret, br#"{"alg":"HS256"}"#, claims.as_bytes());
    let good = r#"{"iss":"i","aud":"a","sub":"somebody","exp":1700003600}"#;
    [
        ('\u{1}', token(SECRET, good)),
        ('\u{2}', token(SECRET, r#"{"aud":["a","b"],"sub":"somebody\nelse/../x","exp":1700000060}"#)),
        ('\u{3}', token(SECRET, r#"{"iss":"i","aud":"a","sub":"somebody","exp":1600000000}"#)),
        ('\u{4}', token("a secret that is not the gateway's", good)),
    ]
});

impl Request {
    /// Reads method, URL, and headers, each on a line of its own.
    pub fn read(data: &[u8]) -> Self {
        let mut text = String::from_utf8_lossy(data).into_owned();
        for (placeholder, token) in TOKENS.iter() {
            text = text.replace(*placeholder, token);
        }
        let mut lines = text.split('\n');
        let mut line = || lines.next().unwrap_or_default().to_owned();
        let (method, url) = (line(), line());
        let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        Self::new(&method, &url, lines.filter_map(header).collect())
    }

    /// From its parts.
    pub fn new(method: &str, url: &str, headers: Lines) -> Self {
        Self { method: method.to_owned(), url: url.to_owned(), headers, id: RequestId::new(|| "fresh".to_owned()) }
    }

    /// As the gateway asks for it.
    pub fn head(&self) -> Head<'_> {
        Head { method: &self.method, url: &self.url, headers: &self.headers, id: &self.id }
    }
}

/// The gateway of a target's own configuration, with every reference bound to [`SECRET`]. It stays for as long as the program runs.
///
/// # Panics
/// Where the configuration is not good: the target says nothing then.
#[expect(clippy::expect_used, reason = "as above")]
pub fn gateway(config: &str) -> &'static Gateway {
    let bound = |_: &str| Some(SECRET.to_owned());
    let compiled = compile(config, Env::Known(&bound));
    assert!(compiled.is_good(), "{:?}", compiled.problems);
    Box::leak(Box::new(compiled.gateway.expect("without a problem there is a gateway")))
}

/// Finds out who is asking, with no keys but those of the configuration, and no record read.
pub fn authenticate<'g, 'r>(
    gateway: &Gateway,
    matched: Matched<'g, 'r>,
    head: &Head<'_>,
    memory: &Memory,
    now: UnixTime,
) -> Authn<'g, 'r> {
    let (ring, records) = (KeyRing::new(gateway.sources().len()), Records::default());
    let context = Context { ring: &ring, memory, sources: gateway.sources(), records: &records, now };
    let room = room(&matched.limits(head));
    matched.authenticate(head, context, room)
}

/// What is to be done with a request that may pass.
pub fn action<'g>(passed: &Authorized<'g, '_>, head: &Head<'_>) -> Result<Action, Refused<'g>> {
    passed.action(head, room(&passed.limits(head)))
}

/// Room for all that a request counts as; and none where one of the answers is no.
#[expect(clippy::expect_used, reason = "what it finds missing is a finding")]
fn room<Stage>(counters: &Counters<'_, Stage>) -> Counted<Stage> {
    let mut answers = vec![true; counters.list().len()];
    assert!(counters.list().iter().all(|counter| !counter.key.is_empty() && counter.key.len() <= 256));
    if let Some(last) = answers.last_mut() {
        *last = false;
        assert!(counters.judge(&answers).is_err(), "a limit that is reached leaves room");
    }
    answers.fill(true);
    counters.judge(&answers).expect("every limit leaves room")
}

/// The literal that a segment of a path stands for: decoded, and without its parameters.
pub fn literal(segment: &str) -> String {
    let decoded = decode(segment);
    let name = decoded.split(|byte| *byte == b';').next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}
