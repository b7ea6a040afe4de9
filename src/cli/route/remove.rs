//! `portcullis route rm`.

use std::path::PathBuf;

use clap::builder::TypedValueParser;
use portcullis::outline::outline;
use portcullis::route::pattern::Pattern;
use portcullis::route::router::Router;
use serde_json::{Value, json};

use super::super::answer::{No, Told};
use super::edit::Written;
use super::{File, method, pattern};

#[derive(Debug, clap::Args)]
pub(in super::super) struct Arguments {
    /// The path, as `route add` takes it or as `route ls` shows it.
    path: String,
    /// Only the route of exactly this path.
    #[arg(long)]
    exact: bool,
    /// Only this method; may be given several times.
    #[arg(long = "method", value_name = "METHOD", value_delimiter = ',', value_parser = clap::builder::StringValueParser::new().map(|text| method(&text)))]
    methods: Vec<String>,
    /// Also where an open route takes the requests then.
    #[arg(long)]
    force: bool,
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "gateway.json")]
    config: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// A path that is there, and what is to be left of its methods.
struct Found {
    number: usize,
    name: String,
    pattern: Pattern,
    removed: Vec<String>,
    left: Vec<String>,
    guarded: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Told, No> {
    let mut file = File::read(&arguments.config)?;
    let found = find(&file, arguments)?;
    // From the last to the first, so that the numbers of the others stay.
    for one in found.iter().rev() {
        let methods = match one.left.as_slice() {
            [] => None,
            [left] => Some(Written::String(left.clone())),
            several => Some(Written::from(several.to_vec())),
        };
        let done = match methods {
            None => file.document.remove_path(one.number),
            Some(methods) => file.document.change_path(one.number, vec![("method", Some(methods))]),
        };
        done.ok_or_else(|| file.uneditable())?;
    }
    let (text, warnings) = file.checked()?;
    let mut notes = Vec::new();
    for one in found.iter().filter(|one| one.guarded) {
        if let Some(open) = opened(&text, one) {
            if !arguments.force {
                return No::answer(format!(
                    "{} asks for a token, and without it {open} takes its requests, which asks for none\n--force removes it",
                    one.name
                ));
            }
            notes.push(format!("{open} takes the requests of {} now, WITHOUT A TOKEN", one.name));
        }
    }
    file.write(&text)?;
    notes.extend(warnings);
    let names: Vec<String> = found
        .iter()
        .map(|one| format!("{} {}", one.removed.join(","), one.name.split_once(' ').map_or("", |(_, path)| path)))
        .collect();
    let lines = names.iter().map(|name| format!("removed {name} from {}\n", arguments.config.display()));
    Ok(Told { text: lines.collect(), json: json!({ "removed": names }), notes })
}

/// The entries that are meant.
fn find(file: &File, arguments: &Arguments) -> Result<Vec<Found>, No> {
    let below = pattern(&arguments.path, arguments.exact)?.1;
    let exact = pattern(&arguments.path, true)?.1;
    let all: Vec<Found> = file
        .paths()
        .into_iter()
        .enumerate()
        .filter_map(|(number, path)| {
            let (pattern, methods, written) = path?;
            let (removed, left): (Vec<String>, Vec<String>) = methods
                .iter()
                .cloned()
                .partition(|method| arguments.methods.is_empty() || arguments.methods.contains(method));
            let name = format!("{} {}", methods.join(","), written.get("path")?.as_str()?);
            let guarded = !matches!(written.get("auth"), None | Some(Value::Null | Value::Bool(false)));
            (!removed.is_empty()).then_some(Found { number, name, pattern, removed, left, guarded })
        })
        .collect();
    let (one, other): (Vec<Found>, Vec<Found>) = all
        .into_iter()
        .filter(|found| found.pattern.fits_the_same(&below) || found.pattern.fits_the_same(&exact))
        .partition(|found| found.pattern.fits_the_same(&below));
    match (one.is_empty(), other.is_empty()) {
        (true, true) => {
            let methods = arguments.methods.join(",");
            let name = format!("{methods} {}", arguments.path);
            No::answer(format!(
                "there is no route {} in {}: `portcullis route ls`",
                name.trim(),
                arguments.config.display()
            ))
        }
        (false, false) => {
            let path = arguments.path.trim_end_matches('/');
            No::answer(format!(
                "two routes can be meant: --exact for {path} alone, or '{path}/{{.+}}' for all that is below it"
            ))
        }
        (false, true) => Ok(one),
        (true, false) => Ok(other),
    }
}

/// The open route that takes requests of what was removed, if there is one.
fn opened(text: &str, removed: &Found) -> Option<String> {
    let routes = outline(text).ok()?.routes;
    let mut tree: Router<Vec<usize>> = Router::default();
    for (number, route) in routes.iter().enumerate() {
        if let Ok(pattern) = Pattern::parse(&route.path)
            && let Some(there) = tree.entry(&pattern, Vec::new)
        {
            there.push(number);
        }
    }
    let path = format!("/{}", removed.pattern.sample("any").join("/"));
    let mut takers = tree.find(&path)?.iter().filter_map(|number| routes.get(*number));
    let fits = |method: &String| {
        removed.removed.contains(method) || method == "ANY" || removed.removed.iter().any(|one| one == "ANY")
    };
    let open = takers.find(|route| !route.needs_token && route.methods.iter().any(fits))?;
    Some(format!("{} {}", open.methods.join(","), open.path))
}
