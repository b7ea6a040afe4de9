//! An answer that the gateway makes itself.

use crate::lines::Lines;

/// Status, headers and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status, 200 to 599.
    pub status: u16,
    /// Names in lower case.
    pub headers: Lines,
    /// The body; nothing is sent of it with 204, 205 and 304.
    pub body: String,
}

impl Reply {
    /// An answer in JSON.
    pub fn json(status: u16, body: String) -> Self {
        let mut reply = Self { body, ..Self::empty(status) };
        reply.header("content-type", "application/json");
        reply
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Lines::default(), body: String::new() }
    }

    /// Adds a header.
    pub fn header(&mut self, name: &str, value: &str) {
        self.headers.push(name, value);
    }

    /// Puts a header in place of what there is by its name; with no value it is taken away.
    pub fn replace(&mut self, name: &str, value: Option<&str>) {
        self.headers.remove(name);
        if let Some(value) = value {
            self.header(name, value);
        }
    }

    /// The value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }
}
