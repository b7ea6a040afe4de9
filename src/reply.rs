//! An answer that the gateway makes itself.

use std::borrow::Cow;

/// Status, headers and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status, 200 to 599.
    pub status: u16,
    /// Names in lower case, values without line ends.
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The body; nothing is sent of it with 204, 205 and 304.
    pub body: String,
}

impl Reply {
    /// An answer in JSON.
    pub fn json(status: u16, body: String) -> Self {
        let mut headers = Vec::with_capacity(6);
        headers.push(("content-type".into(), "application/json".into()));
        Self { status, headers, body }
    }

    /// An answer without a body.
    pub const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// Adds a header.
    pub fn header(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) {
        self.headers.push((name.into(), value.into()));
    }

    /// Puts a header in place of what there is by its name; with no value it is taken away.
    pub fn replace(&mut self, name: String, value: Option<String>) {
        self.headers.retain(|(known, _)| *known != name);
        if let Some(value) = value {
            self.header(name, value);
        }
    }

    /// The value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }
}
