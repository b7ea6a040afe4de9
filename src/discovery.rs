//! Where an issuer says its keys are (OpenID Connect Discovery 1.0).

use serde_json::Value;

use crate::jwt::json;
use crate::url::HttpUrl;

/// Where the discovery document of `issuer` is (section 4).
pub fn document_url(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// Why a document does not say where keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidDiscovery {
    /// Not a JSON object with the strings `issuer` and `jwks_uri`.
    NotADocument,
    /// Of another issuer (section 4.3): whoever answers here must be who was asked.
    OtherIssuer,
    /// The keys are at no https URL, nor on this machine or in a private network.
    KeysUrl,
}

/// Where the keys are, according to `document`, which was asked of `issuer`.
pub fn keys_url(document: &[u8], issuer: &str) -> Result<String, InvalidDiscovery> {
    let document = json::object(document).map_err(|_| InvalidDiscovery::NotADocument)?;
    let text = |name: &str| document.get(name).and_then(Value::as_str).ok_or(InvalidDiscovery::NotADocument);
    if text("issuer")? != issuer {
        return Err(InvalidDiscovery::OtherIssuer);
    }
    let url = HttpUrl::parse(text("jwks_uri")?).map_err(|_| InvalidDiscovery::KeysUrl)?;
    if url.may_serve_keys() { Ok(url.to_string()) } else { Err(InvalidDiscovery::KeysUrl) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_believed_about_its_own_issuer_alone() {
        let document = |issuer: &str, keys: &str| format!(r#"{{"issuer":"{issuer}","jwks_uri":"{keys}","other":1}}"#);
        for (name, document, expected) in [
            ("good", document("https://i", "https://k/jwks?x=1"), Ok("https://k/jwks?x=1")),
            ("local", document("https://i", "http://127.0.0.1:9/jwks"), Ok("http://127.0.0.1:9/jwks")),
            ("other issuer", document("https://j", "https://k/jwks"), Err(InvalidDiscovery::OtherIssuer)),
            ("trailing slash", document("https://i/", "https://k/jwks"), Err(InvalidDiscovery::OtherIssuer)),
            ("plain http", document("https://i", "http://k.example/jwks"), Err(InvalidDiscovery::KeysUrl)),
            ("no URL", document("https://i", "keys"), Err(InvalidDiscovery::KeysUrl)),
            ("no keys", r#"{"issuer":"https://i"}"#.into(), Err(InvalidDiscovery::NotADocument)),
            (
                "issuer twice",
                r#"{"issuer":"https://j","issuer":"https://i","jwks_uri":"https://k"}"#.into(),
                Err(InvalidDiscovery::NotADocument),
            ),
            ("HTML", "<html>".into(), Err(InvalidDiscovery::NotADocument)),
        ] {
            assert_eq!(keys_url(document.as_bytes(), "https://i"), expected.map(str::to_owned), "{name}");
        }
    }

    #[test]
    fn the_document_is_below_the_issuer_whatever_its_last_slash() {
        assert_eq!(document_url("https://i/t/"), "https://i/t/.well-known/openid-configuration");
        assert_eq!(document_url("https://i"), "https://i/.well-known/openid-configuration");
    }
}
