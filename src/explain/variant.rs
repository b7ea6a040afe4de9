//! The same secret in other forms, to find the one that was signed with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What may be wrong with a shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// It is written in this `secret_encoding`.
    Encoding(&'static str),
    /// White space around it belongs to no secret.
    Trimmed,
    /// Quotes around it belong to no secret.
    Unquoted,
    /// The signer's has quotes around it.
    Quoted,
    /// The signer's ends with this line break.
    Ended(&'static str),
    /// It was put into base64 once more.
    Unwrapped,
}

impl Variant {
    /// The secret `text` in this way; an encoding is the configuration's to change.
    pub fn of(self, text: &str) -> String {
        match self {
            Self::Encoding(_) => text.to_owned(),
            Self::Trimmed => text.trim().to_owned(),
            Self::Unquoted => text.trim_matches(['"', '\'']).to_owned(),
            Self::Quoted => format!("\"{text}\""),
            Self::Ended(line) => format!("{text}{line}"),
            Self::Unwrapped => {
                let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                bytes.unwrap_or_else(|| text.to_owned())
            }
        }
    }
}
