//! An HTTP server for one person and a handful of files: GET and HEAD, one request a connection, and no more of HTTP than that needs.
//!
//! Whoever can make a browser on this machine send something here is not let in: pages of other sites, by `Sec-Fetch-Site` and by what the
//! answers allow; names that were bound to 127.0.0.1 (DNS rebinding), by `Host`.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// What is at a path.
pub(super) struct Content {
    pub(super) kind: &'static str,
    pub(super) body: Vec<u8>,
}

/// More than browsers send to a host that sets no cookies.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// How long one read may wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many reads a head may take: more than any network splits one into, and an end for who sends a byte at a time.
const MAX_READS: usize = 64;

/// How many clients at once: more than a browser opens, and an end for who opens connections and says nothing.
const MAX_CLIENTS: usize = 64;

/// What the page may do: load its own files, run its own wasm, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Answers until the process ends.
pub(super) fn serve(
    listener: &TcpListener,
    port: u16,
    content: impl Fn(&str) -> Option<Content> + Send + Sync + 'static,
) {
    // What each thread holds as long as it runs, so that their number is known.
    let content = Arc::new(content);
    for stream in listener.incoming().flatten() {
        if Arc::strong_count(&content) > MAX_CLIENTS {
            continue;
        }
        let content = Arc::clone(&content);
        // Where there is no thread to be had, this client gets no answer, and the next ones do.
        let _ = std::thread::Builder::new().spawn(move || {
            // A client that is gone needs no answer.
            let _ = one(stream, port, content.as_ref());
        });
    }
}

fn one(mut stream: TcpStream, port: u16, content: &dyn Fn(&str) -> Option<Content>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = head(&mut stream)?;
    stream.write_all(&respond(&head, port, content))?;
    stream.shutdown(Shutdown::Write)?;
    // Closing over a body that was not read would take the answer away from its client.
    let mut rest = [0; 4096];
    for _ in 0..16 {
        if stream.read(&mut rest)? == 0 {
            break;
        }
    }
    Ok(())
}

/// The bytes up to the end of the head, or as many as there may be.
fn head(stream: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut piece = [0; 2048];
    for _ in 0..MAX_READS {
        if head.len() >= MAX_HEAD_BYTES || head.windows(4).any(|end| end == b"\r\n\r\n") {
            break;
        }
        match stream.read(&mut piece)? {
            0 => break,
            count => head.extend_from_slice(piece.get(..count).unwrap_or_default()),
        }
    }
    Ok(head)
}

/// The whole answer to a request's head.
fn respond(head: &[u8], port: u16, content: &dyn Fn(&str) -> Option<Content>) -> Vec<u8> {
    let (method, judged) = judge(head, port);
    let found = judged.and_then(|path| content(path).ok_or("404 Not Found"));
    let (status, Content { kind, body }) = match found {
        Ok(content) => ("200 OK", content),
        Err(status) => {
            (status, Content { kind: "text/plain; charset=utf-8", body: format!("{status}\n").into_bytes() })
        }
    };
    let allow = if status.starts_with("405") { "allow: GET, HEAD\r\n" } else { "" };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n{allow}connection: close\r\ncache-control: no-store\r\n\
         content-security-policy: {POLICY}\r\nx-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\n\
         cross-origin-resource-policy: same-origin\r\ncross-origin-opener-policy: same-origin\r\n\r\n",
        body.len()
    )
    .into_bytes();
    if method != Some("HEAD") {
        answer.extend_from_slice(&body);
    }
    answer
}

/// The method, and the path that is asked for; or the status of a refusal.
fn judge(head: &[u8], port: u16) -> (Option<&str>, Result<&str, &'static str>) {
    let Some(text) = std::str::from_utf8(head).ok().and_then(|text| Some(text.split_once("\r\n\r\n")?.0)) else {
        let too_long = head.len() >= MAX_HEAD_BYTES;
        let status = if too_long { "431 Request Header Fields Too Large" } else { "400 Bad Request" };
        return (None, Err(status));
    };
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return (None, Err("400 Bad Request"));
    };
    let headers: Vec<(&str, &str)> =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())).collect();
    let all = |name: &str| -> Vec<&str> {
        headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value).collect()
    };
    let path = target.split('?').next().unwrap_or_default();
    let hosts = all("host");
    let ours = |host: &&str| {
        ["localhost", "127.0.0.1"].iter().any(|name| host.eq_ignore_ascii_case(&format!("{name}:{port}")))
    };
    // Another site may lead people to the page, which holds nothing, and to nothing else.
    let foreign = all("sec-fetch-site").iter().any(|site| !matches!(*site, "same-origin" | "none"))
        || all("origin").iter().any(|origin| !origin.strip_prefix("http://").is_some_and(|host| ours(&host)));
    let verdict = if hosts.len() != 1 {
        Err("400 Bad Request")
    } else if !hosts.iter().all(ours) {
        Err("421 Misdirected Request")
    } else if foreign && path != "/" {
        Err("403 Forbidden")
    } else if !matches!(method, "GET" | "HEAD") {
        Err("405 Method Not Allowed")
    } else if path.starts_with('/') {
        Ok(path)
    } else {
        Err("400 Bad Request")
    };
    (Some(method), verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(head: &str) -> String {
        let content = |path: &str| (path == "/" || path == "/a").then(|| Content { kind: "k", body: b"body".to_vec() });
        String::from_utf8(respond(head.as_bytes(), 8789, &content)).unwrap()
    }

    #[test]
    fn a_request_is_answered_or_refused() {
        let long = format!("GET /a HTTP/1.1\r\nHost: localhost:8789\r\nX: {}", "a".repeat(MAX_HEAD_BYTES));
        let with = |lines: &str| format!("GET /a HTTP/1.1\r\nHost: localhost:8789\r\n{lines}\r\n");
        for (name, head, status) in [
            ("by name", with(""), 200),
            ("by number", "GET /a HTTP/1.1\r\nHOST:127.0.0.1:8789\r\n\r\n".to_owned(), 200),
            ("with a query", "GET /a?b HTTP/1.1\r\nHost: LOCALHOST:8789\r\n\r\n".to_owned(), 200),
            ("from itself", with("Sec-Fetch-Site: same-origin\r\n"), 200),
            ("typed by hand", with("sec-fetch-site: none\r\n"), 200),
            ("from another site", with("Sec-Fetch-Site: cross-site\r\n"), 403),
            ("from a page of another origin", with("Origin: https://evil.example\r\n"), 403),
            ("from a file", with("Origin: null\r\n"), 403),
            ("with its own origin", with("Origin: http://127.0.0.1:8789\r\n"), 200),
            ("from another port", with("Sec-Fetch-Site: same-site\r\n"), 403),
            (
                "led here",
                "GET / HTTP/1.1\r\nHost: localhost:8789\r\nSec-Fetch-Site: cross-site\r\n\r\n".to_owned(),
                200,
            ),
            ("another path", "GET /b HTTP/1.1\r\nHost: localhost:8789\r\n\r\n".to_owned(), 404),
            ("another host", "GET /a HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(), 421),
            ("another port", "GET /a HTTP/1.1\r\nHost: localhost:80\r\n\r\n".to_owned(), 421),
            ("no port", "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 421),
            ("a longer host", "GET /a HTTP/1.1\r\nHost: localhost:8789.evil.example\r\n\r\n".to_owned(), 421),
            ("no host", "GET /a HTTP/1.1\r\n\r\n".to_owned(), 400),
            ("two hosts", with("Host: evil.example\r\n"), 400),
            (
                "a host in the target",
                "GET http://localhost:8789/a HTTP/1.1\r\nHost: localhost:8789\r\n\r\n".to_owned(),
                400,
            ),
            ("POST", "POST /a HTTP/1.1\r\nHost: localhost:8789\r\n\r\n".to_owned(), 405),
            ("no method", "GET\r\n\r\n".to_owned(), 400),
            ("another protocol", "GET /a HTTP/2\r\nHost: localhost:8789\r\n\r\n".to_owned(), 400),
            ("not to its end", "GET /a HTTP/1.1\r\nHost: localhost:8789\r\n".to_owned(), 400),
            ("too long", long, 431),
            ("nothing", String::new(), 400),
        ] {
            let answer = told(&head);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer}");
            assert!(answer.contains("\r\ncontent-security-policy: default-src 'none';"), "{name}");
            assert!(answer.contains("\r\nx-content-type-options: nosniff\r\n"), "{name}");
        }
    }

    #[test]
    fn head_has_the_length_and_not_the_body() {
        let answer = told("HEAD /a HTTP/1.1\r\nHost: localhost:8789\r\n\r\n");
        assert!(answer.contains("\r\ncontent-length: 4\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    }

    #[test]
    fn a_head_that_comes_in_pieces_is_read_and_one_that_comes_by_single_bytes_is_ended() {
        struct Pieces(Vec<u8>, usize);
        impl Read for Pieces {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                let count = self.1.min(self.0.len()).min(into.len());
                into[..count].copy_from_slice(&self.0.drain(..count).collect::<Vec<u8>>());
                Ok(count)
            }
        }
        let request =
            b"GET /a HTTP/1.1\r\nHost: localhost:8789\r\nX-Something: and more of it, for bytes\r\n\r\n".to_vec();
        assert_eq!(head(&mut Pieces(request.clone(), 5)).unwrap(), request);
        assert_eq!(head(&mut Pieces(request, 1)).unwrap().len(), MAX_READS);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let answer = respond(b"GET /\xff HTTP/1.1\r\nHost: localhost:8789\r\n\r\n", 8789, &|_| None);
        assert!(answer.starts_with(b"HTTP/1.1 400 "));
    }
}
