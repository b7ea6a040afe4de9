//! API keys and passwords that are not among those that are known.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Cause, cause};
use crate::authn::{CredentialStore, KeySource};
use crate::config::nearest::nearest;
use crate::consumer::{PasswordHash, api_key_hash};
use crate::credential::{Found, find};
use crate::explain::Question;
use crate::explain::evidence::Evidence;
use crate::explain::moment::duration;
use crate::time::{UnixTime, Window};

pub(super) fn unknown_credential(question: Question<'_>, evidence: &Evidence<'_>, otherwise: String) -> Cause {
    let told = evidence.authorizers.iter().find_map(|authorizer| match &authorizer.keys {
        KeySource::ApiKeys(store) => match find(&authorizer.places, question.head) {
            Ok(Found::Token(key)) => Some(api_key(store, &key, question.now)),
            _ => None,
        },
        KeySource::Passwords(store) => {
            let value = question.head.headers.get("authorization")?;
            let (name, password) = pair(&value)?;
            Some(password_of(store, &name, &password, question.now))
        }
        _ => None,
    });
    told.unwrap_or_else(|| cause(otherwise, "add the credential, or send one that is there and counts now"))
}

/// Name and password behind `Basic`.
fn pair(value: &str) -> Option<(String, String)> {
    let encoded = value.trim().split_once(' ')?.1;
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    pair.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}

fn api_key(store: &CredentialStore<()>, key: &str, now: UnixTime) -> Cause {
    let known = |key: &str| store.known.iter().find(|(hash, _)| *hash == api_key_hash(key));
    if let Some((_, credential)) = known(key) {
        return at_another_time(&format!("the key of {}", credential.consumer.username), credential.window, now);
    }
    if store.known.iter().any(|(hash, _)| hash.eq_ignore_ascii_case(key)) {
        return cause(
            "the key that is sent is the hash of one",
            "send the key itself: its hash is for the configuration alone",
        );
    }
    let bare = key.trim_matches(['"', '\'', '<', '>']);
    if bare != key && known(bare).is_some() {
        return cause("the key is in quotes", "send it without them");
    }
    let hash = api_key_hash(key);
    cause(
        format!("no known key is the one that is sent, whose SHA-256 is {hash}"),
        format!("send another, or let it in: {{ \"sha256\": \"{hash}\", \"consumer\": NAME }} in `keys`"),
    )
}

fn password_of(store: &CredentialStore<PasswordHash>, name: &str, password: &str, now: UnixTime) -> Cause {
    let Some((_, credential)) = store.known.iter().find(|(known, _)| known == name) else {
        let names: Vec<&str> = store.known.iter().map(|(known, _)| known.as_str()).collect();
        let meant = nearest(name, names.iter().copied()).map_or_else(
            || format!(" (there is {})", names.join(", ")),
            |near| format!("; there is `{near}`, letter for letter"),
        );
        return cause(format!("no user is called `{name}`{meant}"), "send a name that is in `users`, or add this one");
    };
    if !credential.window.holds(now) {
        return at_another_time(&format!("the password of {name}"), credential.window, now);
    }
    if password.trim() != password && credential.proof.fits(password.trim().as_bytes()) {
        return cause(
            format!("the password of `{name}` is sent with white space around it"),
            "send it without: `echo` adds a line break that `printf %s` does not",
        );
    }
    cause(
        format!("another password than that of `{name}`"),
        "send the right one, or set its `password_hash` anew, which is a hash and not the password",
    )
}

fn at_another_time(what: &str, window: Window, now: UnixTime) -> Cause {
    let seconds = |from: UnixTime, to: UnixTime| duration(to.as_numeric_date() - from.as_numeric_date());
    match (window.not_before, window.not_after) {
        (Some(from), _) if from > now => {
            cause(format!("{what} counts in {} (`not_before`)", seconds(now, from)), "wait, or use another until then")
        }
        (_, Some(until)) => cause(
            format!("{what} ended {} ago (`not_after`)", seconds(until, now)),
            "use the one that came after it, or let this one count for longer",
        ),
        _ => cause(format!("{what} counts at another time"), "use another"),
    }
}
