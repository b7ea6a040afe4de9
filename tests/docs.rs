//! The documentation is held against the code.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use portcullis::compile::compile;
    use portcullis::config::reference::Env;
    use portcullis::reject::Code;
    use serde_json::Value;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn pages() -> Vec<PathBuf> {
        let mut pages = vec![root().join("README.md")];
        let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
        pages.extend(docs.filter(|page| page.extension().is_some_and(|extension| extension == "md")));
        pages
    }

    #[test]
    fn the_readme_has_every_code_with_its_status_and_no_other() {
        let readme = fs::read_to_string(root().join("README.md")).unwrap();
        let row = |line: &str| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            let status = cells.next()?.parse::<u16>().ok()?;
            Some((cells.next()?.trim_matches('`').to_owned(), status))
        };
        let mut written: Vec<(String, u16)> = readme.lines().filter_map(row).collect();
        let mut known: Vec<(String, u16)> =
            Code::ALL.iter().map(|code| (code.code().to_owned(), code.status())).collect();
        written.sort();
        known.sort();
        assert_eq!(written, known);
    }

    #[test]
    fn every_json_block_of_the_docs_passes_the_check() {
        let mut checked = 0;
        for page in pages() {
            let text = fs::read_to_string(&page).unwrap();
            for block in text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
                let value: Value =
                    serde_json::from_str(block).unwrap_or_else(|error| panic!("{}: {error}\n{block}", page.display()));
                // An authorizer alone is shown without the file around it.
                let whole = if value.get("paths").is_some() {
                    block.to_owned()
                } else {
                    serde_json::json!({ "authorizer": value, "paths": [{ "method": "GET", "path": "/", "auth": true, "response": {} }] }).to_string()
                };
                let compiled = compile(&whole, Env::Unknown);
                assert!(compiled.is_good(), "{}: {:?}\n{block}", page.display(), compiled.problems);
                checked += 1;
            }
        }
        assert!(checked >= 2, "only {checked} blocks were found");
    }
}
