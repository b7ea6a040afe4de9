//! Lines that people paste, and the requests that curl makes of them.

use proptest::prelude::*;

use super::*;

fn told(line: &str) -> Curl {
    parse(line).unwrap_or_else(|why| panic!("{line}: {why}"))
}

/// `METHOD PATH`, and each header as `name: value`.
fn shown(curl: &Curl) -> Vec<String> {
    let Inquiry { method, path, headers } = &curl.inquiry;
    let headers = headers.iter().map(|(name, value)| format!("{name}: {value}"));
    std::iter::once(format!("{method} {path}")).chain(headers).collect()
}

#[test]
fn a_line_is_the_request_that_curl_sends() {
    for (name, line, expected) in [
        ("plain", "curl http://localhost:8787/private", vec!["GET /private"]),
        ("a prompt and a path to the program", "$ /usr/bin/curl h/a", vec!["GET /a"]),
        ("behind another command", "time curl h/a", vec!["GET /a"]),
        ("without a path", "curl https://h?x=1", vec!["GET /?x=1"]),
        ("a fragment", "curl 'https://h/a?x=1#frag'", vec!["GET /a?x=1"]),
        ("dots", "curl h/a/../b/./c/..", vec!["GET /b/"]),
        ("another target", "curl --request-target '/a b' h/c", vec!["GET /a b"]),
        ("dots as they are", "curl --path-as-is h/a/../b", vec!["GET /a/../b"]),
        ("a user in the URL", "curl https://me:p%40w@h/a", vec!["GET /a", "Authorization: Basic bWU6cEB3"]),
        ("-H", "curl h/ -H 'Accept: text/html' --header 'X-Y:z'", vec!["GET /", "Accept: text/html", "X-Y: z"]),
        ("joined", "curl -sSiLkXPUT -HA:b h/", vec!["PUT /", "A: b"]),
        ("-X", "curl -X DELETE --url h/a", vec!["DELETE /a"]),
        ("-u", "curl -u user:pass h/", vec!["GET /", "Authorization: Basic dXNlcjpwYXNz"]),
        ("-u without a password", "curl --user user h/", vec!["GET /", "Authorization: Basic dXNlcjo="]),
        ("--oauth2-bearer", "curl --oauth2-bearer abc h/", vec!["GET /", "Authorization: Bearer abc"]),
        ("-b", "curl -b 'a=1' --cookie 'b=2; c=3' h/", vec!["GET /", "Cookie: a=1;b=2; c=3"]),
        ("-A and -e", "curl -A me -e http://from/ h/", vec!["GET /", "User-Agent: me", "Referer: http://from/"]),
        ("-d", "curl -d a=1 h/", vec!["POST /", "Content-Type: application/x-www-form-urlencoded"]),
        (
            "-d with a type and a method",
            "curl -d '{}' -X PATCH -H 'content-type: application/json' h/",
            vec!["PATCH /", "content-type: application/json"],
        ),
        ("--json", "curl --json '{}' h/", vec!["POST /", "Accept: application/json", "Content-Type: application/json"]),
        ("-F", "curl -F a=@b h/", vec!["POST /", "Content-Type: multipart/form-data"]),
        ("-T", "curl -T file h/a", vec!["PUT /a"]),
        ("-T into a folder", "curl -T some/file h/a/?b", vec!["PUT /a/file?b"]),
        ("-T of what is piped in", "curl -T - h/a/", vec!["PUT /a/"]),
        ("a range", "curl -r 0-9 h/", vec!["GET /", "Range: bytes=0-9"]),
        ("letters beyond ASCII", "curl h/é?ü", vec!["GET /%C3%A9?%C3%BC"]),
        ("user and bearer", "curl -u a:b https://c:d@h/", vec!["GET /", "Authorization: Basic YTpi"]),
        (
            "-G",
            "curl -G h/a?x=1 -d y=2 --data-urlencode 'z=a b&c' --data-urlencode é",
            vec!["GET /a?x=1&y=2&z=a+b%26c&%C3%A9"],
        ),
        ("-I", "curl -I h/", vec!["HEAD /"]),
        (
            "a header taken away and an empty one",
            "curl -A x -H 'User-Agent:' -H 'X-Empty;' h/",
            vec!["GET /", "X-Empty: "],
        ),
        ("values that look like options", "curl -o -H -w '%{http_code}' --max-time 5 h/a", vec!["GET /a"]),
        ("the opposite of a switch", "curl --no-keepalive --no-progress-meter h/", vec!["GET /"]),
        ("--", "curl -- h/a", vec!["GET /a"]),
        (
            "several lines",
            "curl 'https://h/a' \\\n  -H 'authorization: Bearer a.b.c' \\\n  --compressed",
            vec!["GET /a", "Accept-Encoding: deflate, gzip, br, zstd", "authorization: Bearer a.b.c"],
        ),
        (
            "from Chrome for cmd",
            "curl ^\"https://h/a?x=1^&y=2^\" ^\r\n  -H ^\"sec-ch-ua: ^\\^\"Chromium^\\^\"^\" ^\r\n  --insecure",
            vec!["GET /a?x=1&y=2", "sec-ch-ua: \"Chromium\""],
        ),
        (
            "from Firefox",
            "curl 'https://h/a' --compressed -X POST -H 'User-Agent: Mozilla/5.0' --data-raw $'{\"a\":\"it\\'s\"}'",
            vec![
                "POST /a",
                "Accept-Encoding: deflate, gzip, br, zstd",
                "Content-Type: application/x-www-form-urlencoded",
                "User-Agent: Mozilla/5.0",
            ],
        ),
    ] {
        let curl = told(line);
        assert_eq!(shown(&curl), expected, "{name}");
        assert_eq!(curl.notes, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    for (name, line, why) in [
        ("nothing", "", "there is no `curl` in it"),
        ("another program", "wget h/", "there is no `curl` in it"),
        ("no URL", "curl -i", "there is no URL in it"),
        (
            "unknown options, all of them",
            "curl --frobnicate h/ -sW --b-c",
            "not known here: `--frobnicate`, `-W`, `--b-c`; leave it out, with its value if it has one",
        ),
        ("a value that is missing", "curl h/ -H", "`-H` is the last word: its value is missing"),
        ("a long one's", "curl h/ --header", "`--header` is the last word: its value is missing"),
        ("no header", "curl h/ -H nothing", "`nothing` is no header: `Name: value`"),
        ("an open quote", "curl -H \"X: open http://h/a", "a quote is not closed: a \" is missing"),
        ("one behind the URL", "curl http://h/a -H 'X: open", "a quote is not closed: a ' is missing"),
        ("another protocol", "curl ftp://h/", "`ftp` is no scheme of a gateway: http or https"),
        ("a space", "curl 'h/a b'", "a URL has no white space: `h/a b`"),
        ("two requests", "curl h/ --next h/", "`--next` begins another request: leave one of them"),
    ] {
        assert_eq!(parse(line), Err(why.to_owned()), "{name}");
    }
}

#[test]
fn what_cannot_be_followed_is_noted() {
    for (name, line, note) in [
        (
            "a variable",
            "curl -H \"Authorization: Bearer $TOKEN\" h/",
            "`$TOKEN` is a variable of the shell: put its value in its place",
        ),
        ("a cookie file", "curl -b jar.txt h/", "the cookies of the file `jar.txt` are not sent here"),
        ("a header file", "curl -H @headers h/", "the headers of the file `headers` are not sent here"),
        ("options in a file", "curl -K more h/", "the options of the file `more` are not read here"),
        (".netrc", "curl -n h/", "the passwords of .netrc are not read here"),
        ("several URLs", "curl h/a h/b", "there are several URLs in it; this is of the first, h/a"),
    ] {
        assert_eq!(told(line).notes, [note], "{name}");
    }
}

proptest! {
    #[test]
    fn any_line_is_read_or_refused(words in proptest::collection::vec("(-{0,2}[a-zA-Z-]{1,8}|\\PC{0,12}|https?://\\PC{0,12})", 0..8)) {
        if let Ok(curl) = parse(&format!("curl {}", words.join(" "))) {
            prop_assert!(!curl.inquiry.method.is_empty() || words.iter().any(|word| word.contains('X')), "{curl:?}");
        }
    }
}
