//! curl's options by what they mean to a gateway. Most mean nothing; one that is in no list is named to its writer, since nobody could say
//! whether the word behind it is its value.

/// What an option does to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing that a gateway sees.
    Nothing,
    /// The same, and a value follows.
    NothingWithValue,
    Method,
    Url,
    Target,
    Header,
    Cookie,
    User,
    Bearer,
    /// A header of this name with the option's value.
    Made(&'static str),
    Range,
    Compressed,
    Data,
    UrlEncode,
    Json,
    Form,
    Upload,
    UrlQuery,
    Get,
    Head,
    AsIs,
    /// The file that it names has some of these.
    File(&'static str),
    /// Something in files or in the environment.
    Elsewhere(&'static str),
    Next,
}

impl Meaning {
    pub(super) const fn takes_value(self) -> bool {
        !matches!(
            self,
            Self::Nothing | Self::Compressed | Self::Get | Self::Head | Self::AsIs | Self::Elsewhere(_) | Self::Next
        )
    }
}

/// Options that do something, by name and letter.
const DOING: [(&str, Option<char>, Meaning); 29] = [
    ("request", Some('X'), Meaning::Method),
    ("url", None, Meaning::Url),
    ("header", Some('H'), Meaning::Header),
    ("cookie", Some('b'), Meaning::Cookie),
    ("user", Some('u'), Meaning::User),
    ("oauth2-bearer", None, Meaning::Bearer),
    ("user-agent", Some('A'), Meaning::Made("User-Agent")),
    ("referer", Some('e'), Meaning::Made("Referer")),
    ("range", Some('r'), Meaning::Range),
    ("compressed", None, Meaning::Compressed),
    ("data", Some('d'), Meaning::Data),
    ("data-ascii", None, Meaning::Data),
    ("data-binary", None, Meaning::Data),
    ("data-raw", None, Meaning::Data),
    ("data-urlencode", None, Meaning::UrlEncode),
    ("json", None, Meaning::Json),
    ("form", Some('F'), Meaning::Form),
    ("form-string", None, Meaning::Form),
    ("upload-file", Some('T'), Meaning::Upload),
    ("url-query", None, Meaning::UrlQuery),
    ("get", Some('G'), Meaning::Get),
    ("head", Some('I'), Meaning::Head),
    ("path-as-is", None, Meaning::AsIs),
    ("netrc", Some('n'), Meaning::Elsewhere("the passwords of .netrc")),
    ("netrc-file", None, Meaning::File("passwords")),
    ("netrc-optional", None, Meaning::Elsewhere("the passwords of .netrc")),
    ("config", Some('K'), Meaning::File("options")),
    ("next", None, Meaning::Next),
    ("request-target", None, Meaning::Target),
];

/// Switches about connections and output.
const SWITCHES: &str = "\
alt-svc-none anyauth append basic ca-native cert-status create-dirs crlf digest disable disable-eprt disable-epsv doh-insecure fail \
fail-early fail-with-body false-start globoff haproxy-protocol http0.9 http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only \
ignore-content-length include insecure ipv4 ipv6 junk-session-cookies keepalive list-only location location-trusted negotiate no-buffer \
no-progress-meter ntlm parallel progress-bar progress-meter proxy-insecure raw remote-header-name remote-name remote-name-all remove-on-error \
retry-all-errors retry-connrefused sessionid show-error show-headers silent ssl ssl-no-revoke ssl-reqd ssl-revoke-best-effort styled-output \
suppress-connect-headers tcp-fastopen tcp-nodelay tls-earlydata tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tr-encoding trace-ids trace-time \
use-ascii verbose xattr post301 post302 post303 alpn npn buffer clobber compressed-ssh proxytunnel \
disallow-username-in-url doh-cert-status form-escape metalink ntlm-wb parallel-immediate proxy-anyauth proxy-basic proxy-digest \
proxy-negotiate proxy-ntlm proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxy-tlsv1 remote-time sasl-ir socks5-basic socks5-gssapi \
socks5-gssapi-nec ssl-allow-beast ssl-auto-client-cert sslv2 sslv3";
const SWITCH_LETTERS: &str = "#012346BfgijkLlMNOJpqRSsvZa";

/// Options about them that have a value.
const VALUES: &str = "\
abstract-unix-socket cacert capath cert cert-type ciphers connect-timeout connect-to continue-at cookie-jar create-file-mode crlfile curves \
delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header egd-file etag-compare etag-save expect100-timeout \
happy-eyeballs-timeout-ms hsts interface keepalive-time key key-type limit-rate local-port max-filesize max-redirs max-time noproxy output \
output-dir parallel-max pass pinnedpubkey preproxy proto proto-default proto-redir proxy proxy-cacert proxy-header proxy-user random-file rate \
resolve retry retry-delay retry-max-time socks4 socks4a socks5 socks5-hostname speed-limit speed-time stderr tls-max tls13-ciphers trace \
trace-ascii unix-socket write-out time-cond variable ftp-port quote telnet-option \
alt-svc engine libcurl login-options proxy-capath proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-key proxy-key-type \
proxy-pass proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser proxy1.0 pubkey \
sasl-authzid service-name socks5-gssapi-service tlsauthtype tlspassword tlsuser";
const VALUE_LETTERS: &str = "CDEPQUYcmotwxyz";

pub(super) fn meaning_of_name(name: &str) -> Option<Meaning> {
    let doing = DOING.iter().find(|(known, _, _)| *known == name).map(|(_, _, meaning)| *meaning);
    let has = |list: &str| list.split(' ').any(|known| known == name);
    doing
        .or_else(|| has(SWITCHES).then_some(Meaning::Nothing))
        .or_else(|| has(VALUES).then_some(Meaning::NothingWithValue))
}

pub(super) fn meaning_of_letter(letter: char) -> Option<Meaning> {
    let doing = DOING.iter().find(|(_, known, _)| *known == Some(letter)).map(|(_, _, meaning)| *meaning);
    doing
        .or_else(|| SWITCH_LETTERS.contains(letter).then_some(Meaning::Nothing))
        .or_else(|| VALUE_LETTERS.contains(letter).then_some(Meaning::NothingWithValue))
}
