//! The documentation is held against the code. What the providers' pages say of the presets is held against them in
//! `src/compile/presets/tests.rs`.

#[cfg(test)]
mod pages;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use portcullis::compile::compile;
    use portcullis::config::reference::Env;
    use portcullis::reject::Code;
    use serde_json::Value;

    use crate::pages::{configurations, json_blocks, pages, pages_in, root};

    /// The pages of identity providers, each with its name and its text.
    fn providers() -> Vec<(String, String)> {
        let named = pages_in(&root().join("docs/providers"))
            .into_iter()
            .map(|page| (page.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&page).unwrap()));
        named.filter(|(name, _)| name != "README").collect()
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
    fn the_page_of_401_has_every_such_code_and_no_other() {
        let page = fs::read_to_string(root().join("docs/401.md")).unwrap();
        let table = page.split("\n## ").next().unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let mut written: Vec<&str> = rows.collect();
        let mut known: Vec<&str> =
            Code::ALL.iter().filter(|code| code.status() == 401).map(|code| code.code()).collect();
        written.sort_unstable();
        known.sort_unstable();
        assert_eq!(written, known);
    }

    #[test]
    fn every_json_block_of_the_docs_passes_the_check() {
        let blocks = configurations();
        for (page, text) in &blocks {
            let compiled = compile(text, Env::Unknown);
            assert!(compiled.is_good(), "{}: {:?}\n{text}", page.display(), compiled.problems);
        }
        assert!(blocks.len() >= 14, "only {} blocks were found", blocks.len());
    }

    /// The names of all fields: whatever the schema calls a property.
    fn fields(schema: &Value, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(members) => {
                if let Some(Value::Object(properties)) = members.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                members.values().for_each(|member| fields(member, found));
            }
            Value::Array(elements) => elements.iter().for_each(|element| fields(element, found)),
            _ => {}
        }
    }

    /// The words that a page has between backticks, but for its blocks.
    fn named(page: &str) -> BTreeSet<String> {
        let prose: String = page.split("```").step_by(2).collect();
        let code = prose.split('`').skip(1).step_by(2);
        let words =
            code.flat_map(|code| code.split(|letter: char| !letter.is_alphanumeric() && !"_$".contains(letter)));
        words.map(str::to_owned).collect()
    }

    #[test]
    fn the_reference_names_every_field_in_every_spelling() {
        let schema = fs::read_to_string(root().join("gateway.schema.json")).unwrap();
        let mut all = BTreeSet::new();
        fields(&serde_json::from_str(&schema).unwrap(), &mut all);
        let mut known = BTreeSet::new();
        for page in ["configuration", "consumers", "rules"] {
            known.extend(named(&fs::read_to_string(root().join(format!("docs/{page}.md"))).unwrap()));
        }
        known.extend(providers().iter().flat_map(|(_, page)| named(page)));
        let missing: Vec<&String> = all.difference(&known).collect();
        assert!(missing.is_empty(), "docs/configuration.md and docs/providers do not name {missing:?}");
        assert!(all.len() >= 80, "only {} fields were found", all.len());
    }

    #[test]
    fn every_section_of_the_reference_has_an_example_to_paste() {
        let page = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
        let sections: Vec<&str> = page.split("\n## ").skip(1).collect();
        for section in &sections {
            assert!(json_blocks(section).next().is_some(), "{}", section.lines().next().unwrap());
        }
        assert!(sections.len() >= 10, "only {} sections were found", sections.len());
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
                // Pictures are no text, and have no sections.
                let text = fs::read(&file).unwrap_or_else(|_| panic!("{}: {target}", page.display()));
                let text = String::from_utf8_lossy(&text);
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
