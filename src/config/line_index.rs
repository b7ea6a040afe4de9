//! Lines and columns of the places in a text.

/// How many bytes are looked through for a place, at most.
const STRIDE: usize = 256;

/// What tells the line and column of any place without reading all that stands before it: a file with thousands of problems is asked for
/// each of them, and may be a single line.
pub(super) struct LineIndex {
    /// Where each line starts.
    lines: Vec<usize>,
    /// How many characters start before each block of [`STRIDE`] bytes, and in the whole text.
    characters: Vec<usize>,
}

impl LineIndex {
    /// Reads `text`, which is to be the text of all that is asked later.
    pub(super) fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let mut characters = vec![0];
        let mut before = 0;
        for block in text.as_bytes().chunks(STRIDE) {
            before += starts(block);
            characters.push(before);
        }
        Self { lines: std::iter::once(0).chain(ends).collect(), characters }
    }

    /// Line and column of a byte offset, both counted from one; columns count characters, as editors do.
    pub(super) fn line_and_column(&self, text: &str, offset: usize) -> (usize, usize) {
        let offset = offset.min(text.len());
        let line = self.lines.partition_point(|&start| start <= offset);
        let line_start = line.checked_sub(1).and_then(|index| self.lines.get(index)).copied().unwrap_or(0);
        let column = self.characters_before(text, offset) - self.characters_before(text, line_start) + 1;
        (line, column)
    }

    fn characters_before(&self, text: &str, offset: usize) -> usize {
        let block = offset / STRIDE;
        let rest = text.as_bytes().get(block * STRIDE..offset).unwrap_or_default();
        self.characters.get(block).copied().unwrap_or(0) + starts(rest)
    }
}

/// How many characters start in `bytes`: all but the continuation bytes of UTF-8 (RFC 3629 section 3).
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
        LineIndex::new(text).line_and_column(text, offset)
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(line_and_column("{\n  \"é\": x", 9), (2, 7));
        assert_eq!(line_and_column("", 0), (1, 1));
        assert_eq!(line_and_column("a", 99), (1, 2));
    }

    #[test]
    fn every_place_is_where_reading_from_the_start_says() {
        let long = "é€😀x".repeat(STRIDE);
        for (name, text) in [
            ("empty", String::new()),
            ("one line", long.clone()),
            ("long lines", format!("{long}\n{long}\r\n\n{long}\n")),
            ("short lines", "é\n\na\r\n".repeat(STRIDE)),
            ("a block exactly", "a".repeat(STRIDE)),
            ("a block that ends a line", format!("{}\n{}\n", "a".repeat(STRIDE - 1), "b".repeat(2 * STRIDE - 1))),
        ] {
            let index = LineIndex::new(&text);
            for offset in (0..=text.len()).filter(|&offset| text.is_char_boundary(offset)) {
                let before = &text[..offset];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
                assert_eq!(index.line_and_column(&text, offset), (line, column), "{name}, {offset}");
            }
        }
    }
}
