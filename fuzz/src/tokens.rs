//! Tokens as the targets make and judge them, by none of the library's own code.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use portcullis::time::UnixTime;
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};

/// The secret of all gateways here, and what `seeds.mjs` signs with.
pub const SECRET: &str = "a-secret-of-sixty-four-bytes-which-is-enough-for-all-the-hashes!";

/// The time at which targets run.
pub const NOW: UnixTime = UnixTime::from_seconds(1_700_000_000);

/// A token of these parts, signed with `secret` by HMAC and SHA-256.
pub fn sign(secret: &str, header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let code = code::<Hmac<Sha256>>(secret, &input).map(|mac| mac.finalize().into_bytes().to_vec());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(code.unwrap_or_default()))
}

/// Whether `token` is signed with [`SECRET`] by the HMAC that its header names.
pub fn is_signed(token: &str) -> bool {
    let Some((input, signature)) = token.rsplit_once('.') else { return false };
    let header = input.split('.').next().and_then(json);
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    match header.as_ref().and_then(|header| header.get("alg")?.as_str()) {
        Some("HS256") => is_code::<Hmac<Sha256>>(input, &signature),
        Some("HS384") => is_code::<Hmac<Sha384>>(input, &signature),
        Some("HS512") => is_code::<Hmac<Sha512>>(input, &signature),
        _ => false,
    }
}

/// The claims of `token`, if it is signed with [`SECRET`].
pub fn signed_claims(token: &str) -> Option<Map<String, Value>> {
    let payload = token.split('.').nth(1).and_then(json);
    payload.filter(|_| is_signed(token))
}

/// All that could be a token within `text`: runs of its letters with two dots.
pub fn candidates(text: &str) -> impl Iterator<Item = &str> {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    text.split(move |letter| !is_letter(letter)).filter(|run| run.bytes().filter(|byte| *byte == b'.').count() == 2)
}

/// The JSON object that a part of a token holds, as a forgiving parser reads it.
fn json(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn code<M: Mac + KeyInit>(secret: &str, input: &str) -> Option<M> {
    let keyed = <M as KeyInit>::new_from_slice(secret.as_bytes()).ok()?;
    Some(keyed.chain_update(input))
}

fn is_code<M: Mac + KeyInit>(input: &str, signature: &[u8]) -> bool {
    code::<M>(SECRET, input).is_some_and(|mac| mac.verify_slice(signature).is_ok())
}
