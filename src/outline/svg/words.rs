//! What a picture says in words: of each route, and of all.

use crate::outline::Route;

pub(super) fn pattern(route: &Route) -> String {
    format!("{} {}", route.methods.join(","), route.path)
}

pub(super) fn note(route: &Route) -> String {
    route.demands().join(" · ")
}

/// The word on a route that can be had without a token.
pub(super) fn marked(route: &Route) -> Option<&'static str> {
    if route.needs_token { None } else { Some(route.mode.unwrap_or("open")) }
}

pub(super) fn class(route: &Route) -> &'static str {
    match (route.needs_token, route.mode) {
        (true, _) => "closed",
        (false, None) => "open",
        (false, Some(_)) => "maybe",
    }
}

pub(super) fn title(routes: &[Route]) -> String {
    let open = routes.iter().filter(|route| !route.needs_token).count();
    let of = if routes.len() == 1 { "1 route".to_owned() } else { format!("{} routes", routes.len()) };
    format!("{of}, {open} without a token")
}

/// A route for those who listen.
pub(super) fn sentence(route: &Route) -> String {
    let names: Vec<&str> = route.authorizers.iter().map(|authorizer| authorizer.name.as_str()).collect();
    let who = match route.mode {
        None => "open".to_owned(),
        Some(mode) => format!("{mode} by {}", names.join(" or ")),
    };
    let demands = route.demands().iter().fold(String::new(), |told, demand| told + ", " + demand);
    let (label, note) = route.upstream.told();
    let behind = note.map_or_else(String::new, |note| format!(" ({note})"));
    format!("{}: {who}{demands}; to {label}{behind}.", pattern(route))
}

/// Text as XML 1.0 has it: markup escaped, and characters that it does not know replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ if letter.is_control() => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
    out
}

/// The first letters of a text that is longer than `most`.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() > most { text.chars().take(most - 1).chain(['…']).collect() } else { text.to_owned() }
}
