//! The documentation, as the tests read it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The folder of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of a folder and of those below it.
pub(crate) fn pages_in(folder: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages.extend(pages_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    pages
}

/// All pages.
pub(crate) fn pages() -> Vec<PathBuf> {
    let mut pages = pages_in(&root().join("docs"));
    pages.extend(["README.md", "CONTRIBUTING.md"].map(|name| root().join(name)));
    pages
}

/// The JSON that a page shows.
pub(crate) fn json_blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap())
}

/// Every configuration that a page shows, with the page. An authorizer alone is shown without the file around it, and gets one.
pub(crate) fn configurations() -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    for page in pages() {
        for block in json_blocks(&fs::read_to_string(&page).unwrap()) {
            let value: Value =
                serde_json::from_str(block).unwrap_or_else(|error| panic!("{}: {error}\n{block}", page.display()));
            let whole = if value.get("paths").is_some() {
                block.to_owned()
            } else {
                let path = json!({ "method": "GET", "path": "/", "auth": true, "response": {} });
                json!({ "authorizer": value, "paths": [path] }).to_string()
            };
            all.push((page.clone(), whole));
        }
    }
    all
}
