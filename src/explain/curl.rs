//! The request that a `curl` line sends, as far as a gateway sees it.

mod options;
mod url;
mod words;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use self::options::{Meaning, meaning_of_letter, meaning_of_name};
use super::inquiry::{Inquiry, header};

/// A curl line, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curl {
    /// Its request.
    pub inquiry: Inquiry,
    /// What is in the line and cannot be followed here; a phrase each.
    pub notes: Vec<String>,
}

/// Reads `line` as bash or cmd would give it to curl; else what is wrong with it.
pub fn parse(line: &str) -> Result<Curl, String> {
    let words::Split { words, notes, unclosed } = words::split(line.trim_start().trim_start_matches("$ "));
    let is_curl = |word: &String| matches!(word.rsplit(['/', '\\']).next(), Some("curl" | "curl.exe"));
    let behind = words.iter().position(is_curl).map(|place| words.iter().skip(place + 1));
    let mut words = behind.ok_or("there is no `curl` in it")?.cloned();
    if let Some(quote) = unclosed {
        // What was meant to stand behind it is in the word that it begins: the URL, or half of the headers.
        return Err(format!("a quote is not closed: a {quote} is missing"));
    }
    let mut line = Line { notes, ..Line::default() };
    while let Some(word) = words.next() {
        if line.only_urls || word == "-" || !word.starts_with('-') {
            line.urls.push(word);
        } else if word == "--" {
            line.only_urls = true;
        } else if let Some(name) = word.strip_prefix("--") {
            line.long(name, &mut words)?;
        } else {
            line.short(word.strip_prefix('-').unwrap_or_default(), &mut words)?;
        }
    }
    line.finish()
}

/// What was read so far.
#[derive(Default)]
struct Line {
    urls: Vec<String>,
    /// What is asked for instead of the path.
    target: Option<String>,
    method: Option<String>,
    headers: Vec<(String, String)>,
    /// Headers that `-H 'Name:'` takes away.
    removed: Vec<String>,
    /// Headers that an option makes, unless `-H` has them: name and value.
    made: Vec<(&'static str, String)>,
    data: Vec<String>,
    query: Vec<String>,
    /// The method and the type that a body brings along.
    body: Option<(&'static str, Option<&'static str>)>,
    /// The name of the file that is sent, which a folder in the URL gets at its end.
    upload: Option<String>,
    head: bool,
    get: bool,
    as_is: bool,
    only_urls: bool,
    unknown: Vec<String>,
    notes: Vec<String>,
}

impl Line {
    fn long(&mut self, name: &str, words: &mut impl Iterator<Item = String>) -> Result<(), String> {
        // Every switch has its opposite, which is what happens without it.
        let opposite = name.strip_prefix("no-").and_then(meaning_of_name);
        match (meaning_of_name(name), opposite) {
            (None, Some(Meaning::Nothing)) => Ok(()),
            (None, _) => {
                self.unknown.push(format!("`--{name}`"));
                Ok(())
            }
            (Some(meaning), _) if meaning.takes_value() => {
                let value = words.next().ok_or_else(|| format!("`--{name}` is the last word: its value is missing"))?;
                self.take(meaning, &value)
            }
            (Some(meaning), _) => self.take(meaning, ""),
        }
    }

    /// Letters may stand together, and the value of the last one with them.
    fn short(&mut self, letters: &str, words: &mut impl Iterator<Item = String>) -> Result<(), String> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            match meaning_of_letter(letter) {
                None => self.unknown.push(format!("`-{letter}`")),
                Some(meaning) if meaning.takes_value() => {
                    let joined = rest.as_str();
                    let value = if joined.is_empty() { words.next() } else { Some(joined.to_owned()) };
                    let value = value.ok_or_else(|| format!("`-{letter}` is the last word: its value is missing"))?;
                    return self.take(meaning, &value);
                }
                Some(meaning) => self.take(meaning, "")?,
            }
        }
        Ok(())
    }

    fn take(&mut self, meaning: Meaning, value: &str) -> Result<(), String> {
        match meaning {
            Meaning::Nothing | Meaning::NothingWithValue => {}
            Meaning::Method => self.method = Some(value.to_owned()),
            Meaning::Url => self.urls.push(value.to_owned()),
            Meaning::Target => self.target = Some(value.to_owned()),
            Meaning::Header => self.header(value)?,
            Meaning::Cookie if value.contains('=') => self.made.push(("Cookie", value.to_owned())),
            Meaning::Cookie => self.notes.push(format!("the cookies of the file `{value}` are not sent here")),
            Meaning::User => self.made.push(basic(value)),
            Meaning::Bearer => self.made.push(("Authorization", format!("Bearer {value}"))),
            Meaning::Made(name) => self.made.push((name, value.to_owned())),
            Meaning::Compressed => self.made.push(("Accept-Encoding", "deflate, gzip, br, zstd".to_owned())),
            Meaning::Data => {
                self.data.push(value.to_owned());
                self.body = Some(("POST", Some("application/x-www-form-urlencoded")));
            }
            Meaning::UrlEncode => {
                self.data.push(url::encoded(value));
                self.body = Some(("POST", Some("application/x-www-form-urlencoded")));
            }
            Meaning::Json => {
                self.data.push(value.to_owned());
                self.body = Some(("POST", Some("application/json")));
                self.made.push(("Accept", "application/json".to_owned()));
            }
            Meaning::Form => self.body = Some(("POST", Some("multipart/form-data"))),
            Meaning::Upload => {
                self.body = Some(("PUT", None));
                self.upload = value.rsplit('/').next().filter(|name| !matches!(*name, "-" | ".")).map(str::to_owned);
            }
            Meaning::UrlQuery => self.query.push(url::encoded(value)),
            Meaning::Get => self.get = true,
            Meaning::Head => self.head = true,
            Meaning::AsIs => self.as_is = true,
            Meaning::File(what) => self.notes.push(format!("the {what} of the file `{value}` are not read here")),
            Meaning::Range => self.made.push(("Range", format!("bytes={value}"))),
            Meaning::Elsewhere(what) => self.notes.push(format!("{what} are not read here")),
            Meaning::Next => return Err("`--next` begins another request: leave one of them".to_owned()),
        }
        Ok(())
    }

    fn header(&mut self, value: &str) -> Result<(), String> {
        if value.starts_with('@') {
            self.notes.push(format!("the headers of the file `{}` are not sent here", value.trim_start_matches('@')));
            return Ok(());
        }
        // `Name;` is how curl writes an empty header, and `Name:` takes one away.
        if let Some(name) = value.trim().strip_suffix(';').filter(|name| !name.contains(':')) {
            self.headers.push((name.to_owned(), String::new()));
            return Ok(());
        }
        let (name, value) = header(value).ok_or_else(|| format!("`{value}` is no header: `Name: value`"))?;
        if value.is_empty() {
            self.removed.push(name);
        } else {
            self.headers.push((name, value));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Curl, String> {
        if !self.unknown.is_empty() {
            let names = self.unknown.join(", ");
            return Err(format!("not known here: {names}; leave it out, with its value if it has one"));
        }
        let mut urls = self.urls.into_iter();
        let target = urls.next().ok_or("there is no URL in it")?;
        if urls.next().is_some() {
            self.notes.push(format!("there are several URLs in it; this is of the first, {target}"));
        }
        if self.get {
            self.query.append(&mut self.data);
            self.body = None;
        }
        let url = url::parse(&target, &self.query, self.upload.as_deref(), self.as_is)?;
        let path = self.target.unwrap_or(url.path);
        // Options come before what the URL says, and curl keeps the last word for a bearer token.
        if let Some(user) = url.user
            && !self.made.iter().any(|(name, _)| *name == "Authorization")
        {
            self.made.push(basic(&user));
        }
        let by_body = self.body.map(|(method, _)| method);
        let by_head = self.head.then_some("HEAD");
        let method = self.method.unwrap_or_else(|| by_head.or(by_body).unwrap_or("GET").to_owned());
        if let Some((_, Some(kind))) = self.body {
            self.made.push(("Content-Type", kind.to_owned()));
        }
        let written = self.headers.iter().map(|(name, _)| name).chain(&self.removed);
        let written: Vec<String> = written.map(|name| name.to_ascii_lowercase()).collect();
        let mut headers: Vec<(String, String)> = Vec::new();
        // Of two options for one header the last one counts; cookies are joined.
        for (name, value) in self.made {
            match headers.iter_mut().find(|(known, _)| known == name) {
                _ if written.contains(&name.to_ascii_lowercase()) => {}
                Some((_, known)) if name == "Cookie" => *known = format!("{known};{value}"),
                Some((_, known)) => *known = value,
                None => headers.push((name.to_owned(), value)),
            }
        }
        headers.extend(self.headers);
        Ok(Curl { inquiry: Inquiry { method, path, headers }, notes: self.notes })
    }
}

/// The header of a name and a password, of which the second may be left out.
fn basic(user: &str) -> (&'static str, String) {
    let pair = if user.contains(':') { user.to_owned() } else { format!("{user}:") };
    ("Authorization", format!("Basic {}", STANDARD.encode(pair)))
}

#[cfg(test)]
mod tests;
