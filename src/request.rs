//! The head of a request, as the pipeline asks for it.

/// The headers of a request. Asked for one by one, since each crosses from JavaScript.
pub trait Headers {
    /// The value of the header `name` (in lower case), lines of one name joined with a comma as RFC 9110 section 5.3 says.
    fn get(&self, name: &str) -> Option<String>;
}

/// Method, URL and headers.
#[derive(Clone, Copy)]
pub struct Head<'r> {
    /// The method, letter for letter.
    pub method: &'r str,
    /// The absolute URL.
    pub url: &'r str,
    /// The headers.
    pub headers: &'r dyn Headers,
}

/// The longest request id that is taken from a client.
const MAX_REQUEST_ID_BYTES: usize = 128;

impl Head<'_> {
    /// The client's `x-request-id`, where it is one that a log can hold.
    pub fn request_id(&self) -> Option<String> {
        let fits = |id: &String| {
            (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
        };
        self.headers.get("x-request-id").filter(fits)
    }
}

/// For tests and the command line.
impl Headers for Vec<(String, String)> {
    fn get(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let head = Head { method: "GET", url: "https://h/", headers: &headers };
            assert_eq!(head.request_id().as_deref(), taken.then_some(id), "{id:?}");
        }
    }
}
