//! The head of a request, as the pipeline asks for it.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::digest::push_hex;

/// The headers of a request. Asked for one by one, since each crosses from JavaScript.
pub trait Headers {
    /// The value of the header `name` (in lower case), lines of one name joined with a comma as RFC 9110 section 5.3 says.
    fn get(&self, name: &str) -> Option<Cow<'_, str>>;
}

/// Where the runtime puts the client's address.
pub const CLIENT_ADDRESS: &str = "cf-connecting-ip";

/// Method, URL and headers.
#[derive(Clone, Copy)]
pub struct Head<'r> {
    /// The method, letter for letter.
    pub method: &'r str,
    /// The absolute URL.
    pub url: &'r str,
    /// The headers.
    pub headers: &'r dyn Headers,
    /// Its id.
    pub id: &'r RequestId,
}

/// The id of a request: the client's own, else a new one, found out when it is first asked for.
#[derive(Debug)]
pub struct RequestId {
    known: OnceCell<String>,
    /// Makes a new one; the library has no randomness.
    fresh: fn() -> String,
}

/// The longest request id that is taken from a client.
const MAX_REQUEST_ID_BYTES: usize = 128;

impl RequestId {
    /// Not known yet; `fresh` makes one where the client has none.
    pub const fn new(fresh: fn() -> String) -> Self {
        Self { known: OnceCell::new(), fresh }
    }

    /// Known already.
    pub fn known(id: String) -> Self {
        Self { known: OnceCell::from(id), fresh: String::new }
    }
}

impl<'r> Head<'r> {
    /// The request's id: the client's `x-request-id`, where it is one that a log can hold, else a new one.
    pub fn request_id(&self) -> &'r str {
        let fits = |id: &Cow<'_, str>| {
            (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
        };
        let RequestId { known, fresh } = self.id;
        known.get_or_init(|| self.headers.get("x-request-id").filter(fits).map_or_else(fresh, Cow::into_owned))
    }
}

/// The UUID of version 4 that these random bytes are (RFC 9562 section 5.4).
pub fn uuid(random: [u8; 16]) -> String {
    let number = u128::from_be_bytes(random) & !(0xF << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let bytes = number.to_be_bytes();
    let mut text = String::with_capacity(36);
    let mut rest = bytes.as_slice();
    for length in [4, 2, 2, 2, 6] {
        let Some((part, after)) = rest.split_at_checked(length) else { break };
        if !text.is_empty() {
            text.push('-');
        }
        push_hex(&mut text, part);
        rest = after;
    }
    text
}

/// For tests and the command line.
impl Headers for Vec<(String, String)> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let first = Cow::Borrowed(values.next()?.as_str());
        Some(values.fold(first, |line, value| line + ", " + value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_version_and_its_variant() {
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xFF; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            uuid(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF_u128.to_be_bytes()),
            "01234567-89ab-4def-8123-456789abcdef"
        );
    }

    #[test]
    fn a_request_id_is_taken_where_a_log_can_hold_it() {
        let longest = "a".repeat(MAX_REQUEST_ID_BYTES);
        let too_long = "a".repeat(MAX_REQUEST_ID_BYTES + 1);
        for (id, taken) in [
            ("abc-123_4.5:6/7+8=", true),
            (longest.as_str(), true),
            (too_long.as_str(), false),
            ("", false),
            ("a b", false),
            (r#"{"a":1}"#, false),
            ("a, b", false),
            ("é", false),
        ] {
            let headers = vec![("X-Request-Id".to_owned(), id.to_owned())];
            let unknown = RequestId::new(|| "fresh".to_owned());
            let head = Head { method: "GET", url: "https://h/", headers: &headers, id: &unknown };
            assert_eq!(head.request_id(), if taken { id } else { "fresh" }, "{id:?}");
        }
    }
}
