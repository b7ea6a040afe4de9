//! What edits do to files of different layouts: to the letter.

use super::*;

fn entry() -> Written {
    object(vec![("method", "ANY".into()), ("path", "/b/{.+}".into()), ("auth", true.into())])
}

const LINES: &str = r#"{
  "title": "mine",
  "paths": [
    { "method": "GET", "path": "/a", "response": { "a":  1 } }
  ]
}
"#;

const PRETTY: &str = r#"{
    "paths": [
        {
            "method": "GET",
            "path": "/a",
            "response": {
                "a": 1
            }
        }
    ],
    "limits": {}
}
"#;

#[test]
fn a_new_path_is_written_as_its_neighbours_are() {
    for (name, before, after) in [
        ("a line each", LINES, LINES.replace("\n  ]", ",\n    { \"method\": \"ANY\", \"path\": \"/b/{.+}\", \"auth\": true }\n  ]").replace("\n,", ",")),
        (
            "a line for each member",
            PRETTY,
            PRETTY.replace(
                "        }\n    ],",
                "        },\n        {\n            \"method\": \"ANY\",\n            \"path\": \"/b/{.+}\",\n            \"auth\": true\n        }\n    ],",
            ),
        ),
        (
            "all in one line",
            r#"{ "paths": [{ "method": "GET", "path": "/a", "response": 1 }] }"#,
            r#"{ "paths": [{ "method": "GET", "path": "/a", "response": 1 }, { "method": "ANY", "path": "/b/{.+}", "auth": true }] }"#.into(),
        ),
        (
            "without spaces",
            r#"{"paths":[{"method":"GET","path":"/a","response":1}]}"#,
            r#"{"paths":[{"method":"GET","path":"/a","response":1}, {"method":"ANY","path":"/b/{.+}","auth":true}]}"#.into(),
        ),
        (
            "an empty list",
            "{\n\t\"paths\": []\n}",
            "{\n\t\"paths\": [\n\t\t{ \"method\": \"ANY\", \"path\": \"/b/{.+}\", \"auth\": true }\n\t]\n}".into(),
        ),
        (
            "no list",
            "{\n  \"title\": \"x\"\n}\n",
            "{\n  \"title\": \"x\",\n  \"paths\": [{ \"method\": \"ANY\", \"path\": \"/b/{.+}\", \"auth\": true }]\n}\n".into(),
        ),
        (
            "a mark and line ends of two bytes",
            "\u{feff}{\r\n  \"paths\": [\r\n    { \"method\": \"GET\", \"path\": \"/a\", \"response\": 1 }\r\n  ]\r\n}\r\n",
            "\u{feff}{\r\n  \"paths\": [\r\n    { \"method\": \"GET\", \"path\": \"/a\", \"response\": 1 },\r\n    { \"method\": \"ANY\", \"path\": \"/b/{.+}\", \"auth\": true }\r\n  ]\r\n}\r\n".into(),
        ),
    ] {
        let mut document = Document::parse(before).unwrap();
        assert_eq!(document.text(), before, "{name}: unread is unchanged");
        document.append("paths", entry()).unwrap();
        assert_eq!(document.text(), after, "{name}");
        let number = serde_json::from_str::<serde_json::Value>(before.trim_start_matches('\u{feff}')).unwrap();
        let number = number["paths"].as_array().map_or(0, Vec::len);
        if name != "no list" && name != "an empty list" {
            document.remove_path(number).unwrap();
            assert_eq!(document.text(), before, "{name}: taken away again");
        }
    }
}

#[test]
fn a_path_is_changed_where_it_stands() {
    let auth = |value: Option<Written>| vec![("auth", value)];
    let open = LINES.replace("\"/a\",", "\"/a\", \"auth\": true,");
    let pretty_open = PRETTY.replace("\"/a\",", "\"/a\",\n            \"auth\": true,");
    for (name, before, members, after) in [
        ("a member is added", LINES, auth(Some(true.into())), open.as_str()),
        ("a member is taken away", &open, auth(None), LINES),
        ("a member that is not there", LINES, auth(None), LINES),
        ("a member is set", &open, auth(Some("x".into())), &open.replace("true", "\"x\"")),
        ("over lines: added", PRETTY, auth(Some(true.into())), &pretty_open),
        ("over lines: taken away", &pretty_open, auth(None), PRETTY),
        ("over lines: set", &pretty_open, auth(Some("x".into())), &pretty_open.replace("true", "\"x\"")),
        (
            "another target",
            LINES,
            vec![("response", None), ("integration", Some(object(vec![("server", "s".into())])))],
            &LINES.replace("\"response\": { \"a\":  1 }", "\"integration\": { \"server\": \"s\" }"),
        ),
        (
            "over lines: another target",
            PRETTY,
            vec![("integration", Some(object(vec![("server", "s".into())]))), ("response", None)],
            &PRETTY.replace("\"response\"", "\"integration\"").replace("\"a\": 1", "\"server\": \"s\""),
        ),
    ] {
        let mut document = Document::parse(before).unwrap();
        document.change_path(0, members).unwrap();
        assert_eq!(document.text(), after, "{name}");
    }
}

#[test]
fn authorizers_and_servers_come_before_the_paths() {
    let authorizer = || object(vec![("type", "consumers".into())]);
    let server = || object(vec![("alias", "s".into()), ("url", "https://s.example".into())]);
    let mut document = Document::parse(LINES).unwrap();
    document.put_before_paths("authorizer", &authorizer()).unwrap();
    document.append("servers", server()).unwrap();
    let expected = LINES.replace(
        "  \"paths\"",
        "  \"authorizer\": { \"type\": \"consumers\" },\n  \"servers\": [{ \"alias\": \"s\", \"url\": \"https://s.example\" }],\n  \"paths\"",
    );
    assert_eq!(document.text(), expected);
    document.append("servers", server()).unwrap();
    assert_eq!(document.text().matches("\"alias\": \"s\"").count(), 2);
    let mut line = Document::parse(r#"{"paths": []}"#).unwrap();
    line.put_before_paths("authorizer", &authorizer()).unwrap();
    assert_eq!(line.text(), r#"{"authorizer": {"type": "consumers"}, "paths": []}"#);
}

#[test]
fn what_is_no_object_is_not_edited() {
    for text in ["", "[]", "1", "{", "{\"a\": }"] {
        assert!(Document::parse(text).is_none(), "{text}");
    }
}

#[test]
fn what_is_added_and_taken_away_again_leaves_every_file_as_it_was() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut tried = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        let Ok(config) = serde_json::from_str::<serde_json::Value>(&text) else { continue };
        let Some(mut document) = Document::parse(&text) else { continue };
        assert_eq!(document.text(), text, "{}", file.display());
        let Some(paths) = config["paths"].as_array().filter(|paths| !paths.is_empty()) else { continue };
        document.append("paths", entry_of("/somewhere/new")).unwrap();
        let mut expected = config.clone();
        expected["paths"].as_array_mut().unwrap().push(serde_json::json!({"method": "ANY", "path": "/somewhere/new"}));
        let edited: serde_json::Value = serde_json::from_str(&document.text()).unwrap();
        assert_eq!(edited, expected, "{}", file.display());
        for (number, path) in paths.iter().enumerate() {
            if path.is_object() && path.get("auth").is_none() {
                document.change_path(number, vec![("auth", Some(true.into()))]).unwrap();
                document.change_path(number, vec![("auth", None)]).unwrap();
            }
        }
        document.remove_path(paths.len()).unwrap();
        assert_eq!(document.text(), text, "{}", file.display());
        tried += 1;
    }
    assert!(tried >= 25, "only {tried} files were tried");
}

fn entry_of(path: &str) -> Written {
    object(vec![("method", "ANY".into()), ("path", path.into())])
}
