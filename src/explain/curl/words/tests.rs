//! Lines and their words.

use super::*;
use proptest::prelude::*;

#[test]
fn lines_are_split_as_bash_splits_them() {
    for (name, line, expected) in [
        ("words", "curl  -i\thttp://h/ ", vec!["curl", "-i", "http://h/"]),
        ("single quotes", r"curl 'a b' 'c\d'", vec!["curl", "a b", r"c\d"]),
        ("a quote in single quotes", r"curl 'it'\''s'", vec!["curl", "it's"]),
        ("double quotes", r#"curl "a \"b\" \\ \d" "#, vec!["curl", r#"a "b" \ \d"#]),
        ("joined", r#"curl a'b'"c"d"#, vec!["curl", "abcd"]),
        ("empty words", r#"curl '' """#, vec!["curl", "", ""]),
        ("dollar quotes", r"curl $'it\'s \u0041\x42\n' b", vec!["curl", "it's AB\n", "b"]),
        ("a long number", r"curl $'\u00e9x\x4g'", vec!["curl", "éx\u{4}g"]),
        ("a backslash at the line's end", "curl \\\n  -i \\\r\n  -s", vec!["curl", "-i", "-s"]),
        ("one inside of double quotes", "curl \"a\\\nb\"", vec!["curl", "ab"]),
        ("the next line is another command", "\n\ncurl a\ncurl b", vec!["curl", "a"]),
        ("a pipe", "curl a | jq .", vec!["curl", "a"]),
        ("another command", "curl a; ls", vec!["curl", "a"]),
        ("a comment", "curl a # b", vec!["curl", "a"]),
        ("a fragment is no comment", "curl http://h/#a", vec!["curl", "http://h/#a"]),
        ("redirections", "curl a > out 2>/dev/null b 2>&1", vec!["curl", "a", "b"]),
        ("a digit that is none", "curl a1 >x b", vec!["curl", "a1", "b"]),
    ] {
        assert_eq!(split(line), Split { words: words(&expected), ..Split::default() }, "{name}");
    }
}

#[test]
fn what_only_a_shell_knows_is_told() {
    for (name, line, last, note) in [
        ("a variable", r#"curl "Bearer $TOKEN""#, "Bearer $TOKEN", unknown("$TOKEN")),
        ("in braces", "curl ${A_1}b", "${A_1}b", unknown("${A_1}")),
        ("escaped", r#"curl "\$TOKEN" '$TOKEN'"#, "$TOKEN", String::new()),
        ("a dollar", r#"curl "5$ $5""#, "5$ $5", String::new()),
        (
            "unquoted &",
            "curl http://h/?a=1&b=2 -i",
            "http://h/?a=1",
            "`&b=2` is outside of quotes: the shell ends the command at its `&`".to_owned(),
        ),
        ("and", "curl a && ls", "a", String::new()),
    ] {
        let told = split(line);
        assert_eq!(told.words.last().map(String::as_str), Some(last), "{name}");
        assert_eq!(told.notes.join(" "), note, "{name}");
    }
    for line in ["curl $(cat token)", "curl `cat token`", r#"curl "$(cat)""#] {
        assert_eq!(split(line).notes.len(), 1, "{line}");
    }
}

#[test]
fn lines_are_split_as_cmd_splits_them() {
    for (name, line, expected) in [
        (
            "carets at line ends",
            "curl \"http://h/\" ^\r\n  -H \"a: b\" ^\n  --compressed",
            vec!["curl", "http://h/", "-H", "a: b", "--compressed"],
        ),
        (
            "carets before quotes",
            r#"curl ^"http://h/?a=1^&b=2^" -H ^"a: b^""#,
            vec!["curl", "http://h/?a=1&b=2", "-H", "a: b"],
        ),
        (
            "quotes in quotes",
            r#"curl -H ^"ua: ^\^"Chromium^\^";v=^\^"128^\^"^""#,
            vec!["curl", "-H", r#"ua: "Chromium";v="128""#],
        ),
        ("doubled quotes", "curl \"a \"\"b\"\"\" ^\n", vec!["curl", r#"a "b""#]),
        ("backslashes", "curl \"a\\\\\" \\\\b c\\d ^\n", vec!["curl", "a\\", "\\\\b", "c\\d"]),
        ("a line break in a value", "curl -d ^\"a^\n\nb^\"", vec!["curl", "-d", "a\nb"]),
    ] {
        assert_eq!(split(line), Split { words: words(&expected), ..Split::default() }, "{name}");
    }
}

#[test]
fn a_quote_that_does_not_end_is_told() {
    for (name, line, unclosed) in [
        ("single", "curl 'a b", Some('\'')),
        ("double", r#"curl "a b"#, Some('"')),
        ("double, escaped", r#"curl "a\""#, Some('"')),
        ("dollar", r"curl $'a\'", Some('\'')),
        ("cmd", "curl ^\n \"a b", Some('"')),
        ("closed", r#"curl 'a' "b" $'c' '"' "'""#, None),
        ("closed, in cmd", "curl ^\n \"a b\"", None),
        ("in another command", "curl a | jq 'b", None),
    ] {
        let told = split(line);
        assert_eq!(told.unclosed, unclosed, "{name}");
        assert_eq!(told.words.first().map(String::as_str), Some("curl"), "{name}");
    }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

proptest! {
        #[test]
        fn quoted_words_come_back(list in proptest::collection::vec("\\PC*", 0..6)) {
let quoted: Vec<String> = list.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
            let line = quoted.join(" ");
            prop_assert_eq!(bash(&line).words, list);
        }

        #[test]
        fn any_line_is_split(line in "(?s).*") {
            let _ = (bash(&line), cmd::split(&line));
        }
    }
