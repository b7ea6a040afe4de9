//! The documentation is held against the code. What the providers' pages say of the presets is held against them in
//! `src/compile/presets/tests.rs`.

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

    /// The pages of a folder and of those below it.
    fn pages_in(folder: &Path) -> Vec<PathBuf> {
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

    fn pages() -> Vec<PathBuf> {
        let mut pages = pages_in(&root().join("docs"));
        pages.extend(["README.md", "CONTRIBUTING.md"].map(|name| root().join(name)));
        pages
    }

    /// The pages of identity providers, each with its name and its text.
    fn providers() -> Vec<(String, String)> {
        let named = pages_in(&root().join("docs/providers"))
            .into_iter()
            .map(|page| (page.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&page).unwrap()));
        named.filter(|(name, _)| name != "README").collect()
    }

    fn json_blocks(page: &str) -> impl Iterator<Item = &str> {
        page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap())
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
            for block in json_blocks(&text) {
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
        assert!(checked >= 14, "only {checked} blocks were found");
    }

    #[test]
    fn every_provider_has_a_whole_file_to_paste_of_its_own_type() {
        for (name, page) in providers() {
            let first: Value = serde_json::from_str(json_blocks(&page).next().unwrap()).unwrap();
            assert_eq!(first["authorizer"]["type"], name.replace('-', "_"), "{name}");
            assert!(first.get("paths").is_some() && first.get("servers").is_some(), "{name}: the first block is whole");
            for block in json_blocks(&page).skip(1) {
                let value: Value = serde_json::from_str(block).unwrap();
                assert_eq!(value["type"], name.replace('-', "_"), "{name}: {block}");
            }
        }
    }

    #[test]
    fn every_provider_is_in_the_index_with_its_type() {
        let index = fs::read_to_string(root().join("docs/providers/README.md")).unwrap();
        for (name, _) in providers() {
            let cells = format!("]({name}.md) | `{}` |", name.replace('-', "_"));
            assert!(index.contains(&cells), "{name}");
        }
    }

    #[test]
    fn every_provider_has_the_same_sections_and_its_refusals_are_codes_of_the_gateway() {
        const SECTIONS: [&str; 6] = [
            "Where the values are",
            "What the preset stands for",
            "Which token to send",
            "Claims worth forwarding",
            "Usual refusals",
            "Check a token",
        ];
        for (name, page) in providers() {
            let mut last = 0;
            for section in SECTIONS {
                let place = page.find(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("{name}: {section}"));
                assert!(place > last, "{name}: {section} is out of order");
                last = place;
            }
            let refusals = page.split("\n## Usual refusals\n").nth(1).unwrap().split("\n## ").next().unwrap();
            let rows: Vec<&str> = refusals.lines().filter(|line| line.starts_with("| `")).collect();
            assert!(rows.len() >= 4, "{name}: {rows:?}");
            for row in rows {
                // "`missing_claim` with `aud`": what follows is a claim.
                let codes = row.split(" | ").next().unwrap().split(',').map(|cell| cell.split('`').nth(1).unwrap());
                for written in codes {
                    assert!(Code::ALL.iter().any(|code| code.code() == written), "{name}: {written}");
                }
            }
        }
    }

    #[test]
    fn every_link_to_another_page_leads_to_one() {
        let mut followed = 0;
        for page in pages() {
            let text = fs::read_to_string(&page).unwrap();
            for target in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
                if target.contains("://") {
                    continue;
                }
                let (file, section) = target.split_once('#').unwrap_or((target, ""));
                let file = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
                let text = fs::read_to_string(&file).unwrap_or_else(|_| panic!("{}: {target}", page.display()));
                let found = section.is_empty() || text.lines().any(|line| anchor(line).as_deref() == Some(section));
                assert!(found, "{}: {target}", page.display());
                followed += 1;
            }
        }
        assert!(followed >= 20, "only {followed} links were found");
    }

    /// The name that a heading can be linked by.
    fn anchor(line: &str) -> Option<String> {
        let heading = line.strip_prefix('#')?.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
        Some(kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect())
    }
}
