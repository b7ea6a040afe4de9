//! Texts of digests.

use sha2::{Digest, Sha256};

/// Two hexadecimal digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push_hex(&mut text, bytes);
    text
}

/// The same, at the end of `text`.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
}

/// SHA-256 of `text`, in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// `key` as it is or, where it has more than `most` bytes, its digest.
pub(crate) fn short(key: String, most: usize) -> String {
    if key.len() <= most { key } else { format!("sha256:{}", sha256(&key)) }
}
