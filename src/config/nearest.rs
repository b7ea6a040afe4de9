//! The nearest known spelling of a name that is not known.

/// The candidate nearest to `name`, if one is near enough to be what was meant: at most a third of its letters differ, two swapped
/// neighbours counting as one difference (Damerau–Levenshtein, restricted form), case and the difference of `-` and `_` as none. A name
/// without a letter or a digit is nobody's suggestion.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = fold(name);
    candidates
        .into_iter()
        .filter(|candidate| candidate.contains(char::is_alphanumeric))
        .map(|candidate| (distance(&wanted, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "`name`: did you mean `nearest`?", or just "`name`" where nothing is near.
pub fn quoted_with_suggestion<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    match nearest(name, candidates) {
        Some(known) => format!("`{name}`: did you mean `{known}`?"),
        None => format!("`{name}`"),
    }
}

fn fold(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let cell = |cells: &[usize], at: usize| cells.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best = (cell(&last, j) + usize::from(x != y)).min(cell(&last, j + 1) + 1).min(cell(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(cell(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["auth", "path", "method", "integration", "jwks_url", "response"];
        for (name, expected) in [
            ("auht", Some("auth")),
            ("Auth", Some("auth")),
            ("jwks-url", Some("jwks_url")),
            ("jwksUrls", Some("jwks_url")),
            ("integation", Some("integration")),
            ("methods", Some("method")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }

    #[test]
    fn an_empty_name_is_never_suggested() {
        for (name, known, expected) in
            [("a", [""], None), ("", [""], None), ("-", ["_"], None), ("b", ["c"], Some("c"))]
        {
            assert_eq!(nearest(name, known), expected, "{name}, {known:?}");
        }
        assert_eq!(nearest("up", ["", "ups"]), Some("ups"));
        assert_eq!(quoted_with_suggestion("a", [""]), "`a`");
    }
}
