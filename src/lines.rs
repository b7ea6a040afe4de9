//! Headers that are set, as the text that becomes of them: a list of pairs costs an allocation for each name and each value.

/// Headers in the order in which they were set, `name:value` and a line end each. Neither name nor value holds a line end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines(String);

impl Lines {
    /// Empty, with room for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Sets one more. `name` is a token, and `value` has no line end, which a text of the configuration cannot have and any other was asked for.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        debug_assert!(!name.contains([':', '\n']) && !value.contains('\n'), "{name:?}: {value:?}");
        self.0.reserve(name.len() + value.len() + 2);
        self.0.push_str(name);
        self.0.push(':');
        self.0.push_str(value);
        self.0.push('\n');
    }

    /// Sets those of `others` too.
    pub(crate) fn append(&mut self, others: &Self) {
        self.0.push_str(&others.0);
    }

    /// Gives back the room that is not used.
    pub(crate) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// Takes off those that are called `name`.
    pub(crate) fn remove(&mut self, name: &str) {
        if self.get(name).is_none() {
            return;
        }
        let mut others = Self::with_capacity(self.0.len());
        for (other, value) in self.iter().filter(|(known, _)| *known != name) {
            others.push(other, value);
        }
        *self = others;
    }

    /// The value of the first that is called `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.split_terminator('\n').filter_map(|line| line.split_once(':'))
    }

    /// All of them as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_there_in_its_order_until_it_is_taken_off() {
        let mut lines = Lines::with_capacity(8);
        for (name, value) in [("a", "1"), ("b", "x:y"), ("a", "2"), ("c", "")] {
            lines.push(name, value);
        }
        assert_eq!(lines.as_str(), "a:1\nb:x:y\na:2\nc:\n");
        assert_eq!(
            (lines.get("a"), lines.get("b"), lines.get("c"), lines.get("d")),
            (Some("1"), Some("x:y"), Some(""), None)
        );
        lines.remove("d");
        lines.remove("a");
        assert_eq!(lines.iter().collect::<Vec<_>>(), [("b", "x:y"), ("c", "")]);
    }
}
