//! gateway.schema.json is what the code says, and says what `portcullis check` says, as far as a schema can.
//!
//! `UPDATE_GOLDEN=1 cargo test --test schema` writes it anew; read the difference before you believe it.

#![cfg(feature = "cli")]

#[cfg(test)]
mod pages;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;

    use boon::{Compiler, SchemaIndex, Schemas};
    use portcullis::compile::compile;
    use portcullis::config::problem::Problem;
    use portcullis::config::reference::Env;
    use portcullis::schema;
    use serde_json::{Value, json};

    use crate::pages::{configurations, root};

    const REMARKS: [&str; 3] = ["$schema", "title", "description"];

    /// The schema, ready to judge.
    struct Judge(Schemas, SchemaIndex);

    impl Judge {
        fn new() -> Self {
            let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
            compiler.add_resource("gateway.schema.json", parsed()).unwrap();
            let index = compiler.compile("gateway.schema.json", &mut schemas).unwrap();
            Self(schemas, index)
        }

        fn judge(&self, value: &Value) -> Result<(), String> {
            self.0.validate(value, self.1).map_err(|error| format!("{error:#}"))
        }
    }

    fn parsed() -> Value {
        serde_json::from_str(&schema::text()).unwrap()
    }

    fn problems(text: &str) -> Vec<Problem> {
        compile(text, Env::Unknown).problems
    }

    fn is_good(text: &str) -> bool {
        compile(text, Env::Unknown).is_good()
    }

    /// Whether the problem is one of form: a name, a kind of value or a word that is not known there. A schema finds these.
    fn is_of_form(problem: &Problem) -> bool {
        let message = problem.message.as_str();
        let starts = ["unknown field ", "unknown value ", "unknown method ", "unknown algorithm ", "`type` is to be "];
        let holds = [" is expected here, not ", "an object with a `type` is needed"];
        starts.iter().any(|start| message.starts_with(start)) || holds.iter().any(|part| message.contains(part))
    }

    fn json_files(folder: PathBuf) -> Vec<(String, String)> {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|ext| ext == "json")).collect();
        files.sort();
        files.into_iter().map(|file| (file.display().to_string(), fs::read_to_string(&file).unwrap())).collect()
    }

    fn config_files() -> Vec<(String, String)> {
        json_files(root().join("tests/config"))
    }

    /// The example configurations, if they are here.
    fn examples() -> Vec<(String, String)> {
        let folder =
            std::env::var_os("PORTCULLIS_EXAMPLES").map_or_else(|| root().join("../shared/examples"), PathBuf::from);
        if folder.is_dir() {
            return json_files(folder);
        }
        println!("{} does not exist here: no examples to check", folder.display());
        Vec::new()
    }

    /// Every configuration at hand that has no problem.
    fn good_ones() -> Vec<(String, String)> {
        let pages = configurations().into_iter().map(|(page, text)| (page.display().to_string(), text));
        let all = config_files().into_iter().chain(examples()).chain(pages);
        all.filter(|(_, text)| is_good(text)).collect()
    }

    #[test]
    fn the_file_in_the_repository_is_what_the_code_says() {
        let file = root().join("gateway.schema.json");
        let text = schema::text();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&file, &text).unwrap();
        }
        assert!(fs::read_to_string(&file).unwrap() == text, "UPDATE_GOLDEN=1 cargo test --test schema writes it anew");
    }

    #[test]
    fn the_command_prints_the_file() {
        let output = Command::new(env!("CARGO_BIN_EXE_portcullis")).arg("schema").output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap() == schema::text());
    }

    #[test]
    fn what_the_check_accepts_is_valid() {
        let judge = Judge::new();
        let good = good_ones();
        for (name, text) in &good {
            judge.judge(&serde_json::from_str(text).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        }
        assert!(good.len() >= 25, "only {} configurations were held against the schema", good.len());
    }

    #[test]
    fn every_example_is_valid() {
        let judge = Judge::new();
        for (name, text) in examples() {
            judge.judge(&serde_json::from_str(&text).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }

    #[test]
    fn a_file_with_a_problem_of_form_is_invalid() {
        let judge = Judge::new();
        let mut refused = 0;
        for (name, text) in config_files() {
            let Ok(value) = serde_json::from_str(&text) else { continue };
            let found = problems(&text);
            if found.iter().any(is_of_form) {
                assert!(judge.judge(&value).is_err(), "{name} is valid, and has {found:?}");
                refused += 1;
            }
        }
        assert!(refused >= 15, "only {refused} files were refused");
    }

    /// Every good configuration with one thing in it changed, at every place: the schema accepts what the check accepts, and finds what the
    /// check finds wrong in form.
    #[test]
    fn the_schema_and_the_check_agree_wherever_a_value_or_a_name_is_wrong() {
        let judge = Judge::new();
        let (mut accepted, mut refused, mut seen) = (0, 0, BTreeSet::new());
        for (name, text) in good_ones() {
            let whole: Value = serde_json::from_str(&text).unwrap();
            for changed in pointers(&whole).iter().flat_map(|pointer| changed(&whole, pointer)) {
                let text = changed.to_string();
                if !seen.insert(text.clone()) {
                    continue;
                }
                let compiled = compile(&text, Env::Unknown);
                let judged = judge.judge(&changed);
                if compiled.is_good() {
                    judged.unwrap_or_else(|error| panic!("{name} is accepted: {error}\n{text}"));
                    accepted += 1;
                } else if compiled.problems.iter().any(is_of_form) {
                    assert!(judged.is_err(), "{name} is valid, and has {:?}\n{text}", compiled.problems);
                    refused += 1;
                }
            }
        }
        assert!(accepted >= 500 && refused >= 4000, "{accepted} were accepted, {refused} refused");
    }

    /// The places of all values in `value`.
    fn pointers(value: &Value) -> Vec<String> {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
            Value::Array(elements) => {
                elements.iter().enumerate().map(|(i, element)| (i.to_string(), element)).collect()
            }
            _ => Vec::new(),
        };
        let mut all = vec![String::new()];
        for (step, child) in children {
            let step = step.replace('~', "~0").replace('/', "~1");
            all.extend(pointers(child).into_iter().map(|rest| format!("/{step}{rest}")));
        }
        all
    }

    /// `whole` with another value at `pointer`, or with a member more.
    fn changed(whole: &Value, pointer: &str) -> Vec<Value> {
        let others =
            [json!(null), json!(true), json!(7), json!("text"), json!([]), json!([7]), json!({}), json!({ "a": 7 })];
        let mut values = others.to_vec();
        if let Some(Value::Object(members)) = whole.pointer(pointer) {
            for name in ["surely_unknown", "title", "domain"] {
                let mut members = members.clone();
                members.insert(name.to_owned(), json!("text"));
                values.push(members.into());
            }
        }
        let put = |value| {
            let mut changed = whole.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            changed
        };
        values.into_iter().map(put).collect()
    }

    /// The structs of the wire types as their source has them, each with its fields in all spellings.
    fn written() -> Vec<(String, BTreeSet<String>)> {
        let mut sources = vec![root().join("src/config/wire.rs")];
        sources.extend(fs::read_dir(root().join("src/config/wire")).unwrap().map(|entry| entry.unwrap().path()));
        let mut structs = Vec::new();
        for source in sources {
            let text = fs::read_to_string(source).unwrap();
            for rest in text.split("\npub struct ").skip(1) {
                let Some((name, rest)) = rest.split_once(" {\n") else { continue };
                let body = rest.split("\n}\n").next().unwrap();
                if name.contains(['(', '<']) {
                    continue;
                }
                let own = body.lines().filter_map(|line| line.strip_prefix("    pub ")?.split_once(": "));
                let aliases = body.split("alias = \"").skip(1).map(|rest| rest.split('"').next().unwrap());
                structs.push((name.to_owned(), own.map(|(name, _)| name).chain(aliases).map(str::to_owned).collect()));
            }
        }
        structs
    }

    #[test]
    fn every_field_in_every_spelling_is_in_the_schema_and_no_other() {
        let schema = parsed();
        let names = |object: &Value| object["properties"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        let structs = written();
        for (name, mut fields) in structs.clone() {
            let is_whole = name == "Config";
            let object = if is_whole { &schema } else { &schema["$defs"][&name] };
            let mut known = names(object);
            if name == "Jwt" {
                // Settings of providers stand with their types.
                let types = schema["$defs"]["Authorizer"]["oneOf"].as_array().unwrap();
                let here = |kind: &&Value| kind["allOf"][0]["$ref"] == "#/$defs/Jwt";
                known.extend(types.iter().filter(here).flat_map(names).filter(|field| field != "type"));
            }
            fields.extend(REMARKS.map(str::to_owned));
            assert_eq!(known, fields, "{name}");
        }
        assert!(structs.len() >= 18, "only {} structs were found", structs.len());
    }

    /// What no good configuration has, the tests above would not have seen.
    #[test]
    fn every_field_in_every_spelling_is_in_some_good_configuration() {
        let good: String = good_ones().into_iter().map(|(_, text)| text).collect();
        for (name, fields) in written() {
            // `function` is known and refused.
            for field in fields.iter().filter(|field| *field != "function") {
                assert!(
                    good.contains(&format!("\"{field}\":")),
                    "{name}: `{field}` is in no good file of tests/config"
                );
            }
        }
    }

    #[test]
    fn no_object_of_the_configuration_is_left_open() {
        let schema = parsed();
        let definitions = schema["$defs"].as_object().unwrap();
        assert_eq!(schema["additionalProperties"], false);
        let mut alternatives = Vec::new();
        for definition in definitions.values() {
            let kinds = definition["oneOf"].as_array().into_iter().flatten();
            alternatives.extend(kinds.filter(|kind| kind.get("allOf").is_some()));
        }
        for kind in &alternatives {
            assert_eq!(kind["unevaluatedProperties"], false, "{kind}");
        }
        let inside = |name: &str| {
            let reference = format!("#/$defs/{name}");
            alternatives.iter().any(|kind| kind["allOf"][0]["$ref"] == reference.as_str())
        };
        for (name, definition) in definitions.iter().filter(|(_, definition)| definition.get("properties").is_some()) {
            assert!(inside(name) || definition["additionalProperties"] == false, "{name} is open");
        }
    }
}
