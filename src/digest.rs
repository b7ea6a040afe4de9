//! Texts of digests.

use sha2::{Digest, Sha256};

/// Two hexadecimal digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// SHA-256 of `text`, in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// `key` as it is or, where it has more than `most` bytes, its digest.
pub(crate) fn short(key: String, most: usize) -> String {
    if key.len() <= most { key } else { format!("sha256:{}", sha256(&key)) }
}
