use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

/// A router whose values are the patterns themselves, as they were first written.
fn router<S: AsRef<str>>(patterns: &[S]) -> Router<String> {
    let mut router = Router::default();
    for text in patterns {
        let text = text.as_ref();
        router.entry(&Pattern::parse(text).unwrap(), || text.to_owned()).unwrap();
    }
    router
}

/// Name, patterns, and for each path the pattern that it is to find.
type Row<'r> = (&'r str, &'r [&'r str], &'r [(&'r str, Option<&'r str>)]);

/// Every row is tried with its patterns in the order written and in the reverse.
fn check(rows: &[Row<'_>]) {
    for (name, patterns, paths) in rows {
        let reversed: Vec<&str> = patterns.iter().rev().copied().collect();
        for order in [patterns.to_vec(), reversed] {
            let router = router(&order);
            for (path, expected) in *paths {
                assert_eq!(router.find(path).map(String::as_str), *expected, "{name}: {path} among {order:?}");
            }
        }
    }
}

#[test]
fn literals_come_before_parameters_before_the_rest_segment_by_segment() {
    check(&[
        (
            "one segment",
            &["/{.+}", "/{id}", "/a"],
            &[("/a", Some("/a")), ("/b", Some("/{id}")), ("/a/b", Some("/{.+}")), ("/", Some("/{.+}"))],
        ),
        (
            "the first segment decides before the second",
            &["/{x}/b", "/a/{y}", "/a/b"],
            &[("/a/b", Some("/a/b")), ("/a/c", Some("/a/{y}")), ("/c/b", Some("/{x}/b")), ("/c/c", None)],
        ),
        (
            "a literal first and anything then wins over a parameter first and literals then",
            &["/{x}/b/c", "/a/{.+}"],
            &[("/a/b/c", Some("/a/{.+}")), ("/z/b/c", Some("/{x}/b/c")), ("/z/b", None)],
        ),
        (
            "an end comes before an empty rest",
            &["/a/{.+}", "/a"],
            &[("/a", Some("/a")), ("/a/", Some("/a")), ("/a/b", Some("/a/{.+}"))],
        ),
        (
            "a parameter at the end comes before the rest",
            &["/a/{.+}", "/a/{id}"],
            &[("/a/b", Some("/a/{id}")), ("/a/b/c", Some("/a/{.+}")), ("/a", Some("/a/{.+}"))],
        ),
    ]);
}

#[test]
fn a_way_that_ends_nowhere_is_gone_back() {
    check(&[
        (
            "to the parameter beside the literal",
            &["/a/b/c", "/{x}/b/d"],
            &[("/a/b/c", Some("/a/b/c")), ("/a/b/d", Some("/{x}/b/d")), ("/a/b", None), ("/a/b/e", None)],
        ),
        (
            "to the rest of an outer level",
            &["/{.+}", "/a/{.+}", "/a/b/c"],
            &[
                ("/a/b/c", Some("/a/b/c")),
                ("/a/b", Some("/a/{.+}")),
                ("/a/b/c/d", Some("/a/{.+}")),
                ("/b/b/c", Some("/{.+}")),
            ],
        ),
        (
            "to the literal without its parameters",
            &["/a;x/c", "/a/b", "/{.+}"],
            &[
                ("/a;x/c", Some("/a;x/c")),
                ("/a/b", Some("/a/b")),
                ("/a;y/b", Some("/a/b")),
                ("/a;x/b", Some("/a/b")),
                ("/a%3Bx/b", Some("/a/b")),
                ("/a;x/d", Some("/{.+}")),
            ],
        ),
        (
            "over several levels",
            &["/a/a/a/a", "/{w}/a/a/b", "/a/{x}/a/c", "/a/a/{y}/d", "/{.+}"],
            &[
                ("/a/a/a/a", Some("/a/a/a/a")),
                ("/a/a/a/b", Some("/{w}/a/a/b")),
                ("/a/a/a/c", Some("/a/{x}/a/c")),
                ("/a/a/a/d", Some("/a/a/{y}/d")),
                ("/a/a/a/e", Some("/{.+}")),
            ],
        ),
    ]);
}

#[test]
fn the_rest_matches_any_number_of_segments_and_none() {
    check(&[
        (
            "behind a literal",
            &["/a/{.+}"],
            &[
                ("/a", Some("/a/{.+}")),
                ("/a/", Some("/a/{.+}")),
                ("/a/b", Some("/a/{.+}")),
                ("/a/b/c/d/e", Some("/a/{.+}")),
                ("/ab", None),
                ("/", None),
                ("/b/a", None),
            ],
        ),
        ("at the root", &["/{.+}"], &[("/", Some("/{.+}")), ("/a", Some("/{.+}")), ("/a/b/", Some("/{.+}"))]),
        ("behind a parameter", &["/{x}/{.+}"], &[("/", None), ("/a", Some("/{x}/{.+}")), ("/a/b", Some("/{x}/{.+}"))]),
    ]);
}

#[test]
fn a_trailing_slash_means_nothing_in_pattern_or_path() {
    check(&[
        ("pattern without", &["/a/b"], &[("/a/b", Some("/a/b")), ("/a/b/", Some("/a/b"))]),
        ("pattern with", &["/a/b/"], &[("/a/b", Some("/a/b/")), ("/a/b/", Some("/a/b/"))]),
        ("behind a parameter", &["/a/{id}"], &[("/a/b/", Some("/a/{id}")), ("/a/", None), ("/a", None)]),
    ]);
}

#[test]
fn the_root_is_a_path_of_its_own() {
    check(&[
        ("alone", &["/"], &[("/", Some("/")), ("/a", None)]),
        ("beside the rest", &["/{.+}", "/"], &[("/", Some("/")), ("/a", Some("/{.+}"))]),
        ("beside a parameter", &["/{x}"], &[("/", None), ("/a", Some("/{x}"))]),
        ("of nothing", &[], &[("/", None), ("/a", None)]),
    ]);
}

#[test]
fn segments_are_compared_whole_and_with_their_case() {
    check(&[(
        "near misses",
        &["/admin", "/admin/users"],
        &[
            ("/admin", Some("/admin")),
            ("/Admin", None),
            ("/admi", None),
            ("/admins", None),
            ("/admin/user", None),
            ("/admin/users/1", None),
            ("admin", None),
            ("", None),
        ],
    )]);
}

#[test]
fn patterns_that_differ_in_names_of_parameters_alone_are_one() {
    let mut router = Router::default();
    let mut enter = |text: &str| router.entry(&Pattern::parse(text).unwrap(), || text.to_owned()).unwrap().clone();
    for (written, known) in [
        ("/a/{id}", "/a/{id}"),
        ("/a/{name}", "/a/{id}"),
        ("/a/{name}/", "/a/{id}"),
        ("/a/{id}/{.+}", "/a/{id}/{.+}"),
        ("/a/{x}/{.+}", "/a/{id}/{.+}"),
        ("/%61", "/%61"),
        ("/a", "/%61"),
    ] {
        assert_eq!(enter(written), known, "{written}");
    }
    let values: Vec<&String> = router.values().collect();
    assert_eq!(values, ["/a/{id}", "/a/{id}/{.+}", "/%61"], "in the order in which they came");
}

#[test]
fn among_ten_thousand_patterns_each_path_finds_its_own() {
    let patterns: Vec<String> = (0..10_000).map(|number| format!("/r{number}/{{id}}/x{}", number % 7)).collect();
    let router = router(&patterns);
    for (number, pattern) in patterns.iter().enumerate() {
        assert_eq!(router.find(&format!("/r{number}/1/x{}", number % 7)), Some(pattern));
        assert_eq!(router.find(&format!("/r{number}/1/x{}", (number + 1) % 7)), None);
    }
}

/// How well a pattern fits a path, the naive way: a rank for each segment (literal, parameter, rest) and one for the end.
fn fit(pattern: &str, path: &str) -> Option<Vec<u8>> {
    let parts =
        |text: &str| -> Vec<String> { text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect() };
    let (pattern, path) = (parts(pattern), parts(path));
    let mut ranks = Vec::new();
    for (index, segment) in pattern.iter().enumerate() {
        if segment == "{.+}" {
            ranks.push(2);
            return Some(ranks);
        }
        let given = path.get(index)?;
        if segment.starts_with('{') {
            ranks.push(1);
        } else if segment == given {
            ranks.push(0);
        } else {
            return None;
        }
    }
    ranks.push(0);
    (pattern.len() == path.len()).then_some(ranks)
}

/// The pattern that fits best, by looking at all of them.
fn reference<'p>(patterns: &'p [String], path: &str) -> Option<&'p str> {
    let mut best: Option<(Vec<u8>, &str)> = None;
    for pattern in patterns {
        let Some(ranks) = fit(pattern, path) else { continue };
        let better = best.as_ref().is_none_or(|(known, _)| ranks.cmp(known) == Ordering::Less);
        if better {
            best = Some((ranks, pattern));
        }
    }
    best.map(|(_, pattern)| pattern)
}

fn some_pattern() -> impl Strategy<Value = String> {
    let segment = prop_oneof![Just("a"), Just("b"), Just("ab"), Just("{}")];
    (prop::collection::vec(segment, 0..5), any::<bool>()).prop_map(|(segments, rest)| {
        let named = segments.iter().enumerate().map(|(place, segment)| match *segment {
            "{}" => format!("/{{p{place}}}"),
            literal => format!("/{literal}"),
        });
        let text: String = named.chain(rest.then(|| "/{.+}".to_owned())).collect();
        if text.is_empty() { "/".to_owned() } else { text }
    })
}

fn some_path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![Just("a"), Just("b"), Just("ab"), Just("c")];
    (prop::collection::vec(segment, 0..6), any::<bool>()).prop_map(|(segments, slash)| {
        let text = segments.join("/");
        if slash && !text.is_empty() { format!("/{text}/") } else { format!("/{text}") }
    })
}

proptest! {
    #[test]
    fn the_router_finds_what_looking_at_all_patterns_finds(
        patterns in prop::collection::vec(some_pattern(), 0..12),
        paths in prop::collection::vec(some_path(), 1..12),
    ) {
        let router = router(&patterns);
        for path in &paths {
            prop_assert_eq!(router.find(path).map(String::as_str), reference(&patterns, path), "{}", path);
        }
    }

    #[test]
    fn the_order_of_insertion_never_matters(
        (patterns, shuffled) in prop::collection::vec(some_pattern(), 0..12)
            .prop_flat_map(|patterns| (Just(patterns.clone()), Just(patterns).prop_shuffle())),
        paths in prop::collection::vec(some_path(), 1..12),
    ) {
        let (one, other) = (router(&patterns), router(&shuffled));
        for path in &paths {
            prop_assert_eq!(one.find(path), other.find(path), "{}", path);
        }
    }
}
