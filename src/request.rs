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
