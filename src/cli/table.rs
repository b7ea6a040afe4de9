//! Tables for people.

use std::fmt::Write;

/// A line of headings and one for each row, in columns. What would move the cursor is shown as a replacement character.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let shown = |text: &str| -> String {
        text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
    };
    let rows =
        std::iter::once(headings.map(shown)).chain(rows.iter().map(|row| row.each_ref().map(|cell| shown(cell))));
    let rows: Vec<[String; N]> = rows.collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut told = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            // Writing to a `String` cannot fail.
            let _ = write!(line, "{cell:width$}  ");
        }
        told.push_str(line.trim_end());
        told.push('\n');
    }
    told
}

/// `1 route`, `2 routes`, `no routes`.
pub(super) fn count(number: usize, one: &str) -> String {
    match number {
        0 => format!("no {one}s"),
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = [["ä".into(), "1".into()], ["abc".into(), "\u{1b}[1m".into()]];
        assert_eq!(table(["N", "VALUE"], &rows), "N    VALUE\nä    1\nabc  \u{fffd}[1m\n");
    }
}
