//! Edits of gateway.json that leave everything else as it is: order, layout, indentation, line ends, byte order mark.

use jsonc_parser::ParseOptions;
pub(super) use jsonc_parser::cst::CstInputValue as Written;
use jsonc_parser::cst::{CstArray, CstNode, CstObject, CstObjectProp, CstRootNode};

/// A text on its way to another.
pub(super) struct Document {
    root: CstRootNode,
    style: Style,
    marked: bool,
}

/// How a file writes what stands on one line.
#[derive(Clone, Copy)]
struct Style {
    /// `{ "a": 1 }` rather than `{"a": 1}`.
    braces: bool,
    /// `"a": 1, "b": 2` rather than `"a":1,"b":2`.
    marks: bool,
    /// Whether it has several lines.
    lines: bool,
}

/// An object with its members in this order.
pub(super) fn object(members: Vec<(&str, Written)>) -> Written {
    Written::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

impl Document {
    /// Reads strict JSON with an object at its top; none for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('\u{feff}');
        let (marked, text) = (bare.is_some(), bare.unwrap_or(text));
        let root = CstRootNode::parse(text, &ParseOptions::default()).ok()?;
        root.object_value()?;
        let style = Style {
            braces: text.contains("{ \"") || !text.contains("{\""),
            marks: text.contains("\": ") || !text.contains("\":"),
            lines: text.trim().contains('\n'),
        };
        Some(Self { root, style, marked })
    }

    pub(super) fn text(&self) -> String {
        format!("{}{}", if self.marked { "\u{feff}" } else { "" }, self.root)
    }

    /// Adds an element to the list `name` of the file, which is made where it is not: before `paths`, or as the last.
    pub(super) fn append(&mut self, name: &str, element: Written) -> Option<()> {
        let top = self.root.object_value()?;
        let Some(list) = top.get(name) else {
            let list = Written::Array(vec![element]);
            return self.put_before_paths(name, &list);
        };
        let list = list.array_value()?;
        let elements = list.elements();
        if elements.last().is_some_and(|last| last.to_string().contains('\n')) {
            list.append(element);
        } else {
            let is_first = elements.is_empty();
            self.write_raw(&list.append(Written::Null), &element)?;
            if is_first && self.style.lines {
                list.ensure_multiline();
            }
        }
        self.settle()
    }

    /// Puts a new member of the file before `paths`, which people look for at the end.
    pub(super) fn put_before_paths(&mut self, name: &str, value: &Written) -> Option<()> {
        let top = self.root.object_value()?;
        let place = top.get("paths").map_or(top.properties().len(), |paths| paths.property_index());
        self.insert(&top, place, name, value)?;
        self.settle()
    }

    /// Sets or removes members of the path `number`. What is new comes behind the member `path`, or else as the last.
    pub(super) fn change_path(&mut self, number: usize, members: Vec<(&str, Option<Written>)>) -> Option<()> {
        for (name, value) in members {
            let path = self.paths()?.elements().get(number)?.as_object()?;
            match (path.get(name), value) {
                (Some(member), Some(value)) => self.set(&path, &member, &value)?,
                (Some(member), None) => self.remove_member(&path, member)?,
                (None, Some(value)) => {
                    let after = path.get("path").filter(|_| name == "auth").map(|path| path.property_index() + 1);
                    self.insert(&path, after.unwrap_or(path.properties().len()), name, &value)?;
                }
                (None, None) => {}
            }
            self.settle()?;
        }
        Some(())
    }

    pub(super) fn remove_path(&mut self, number: usize) -> Option<()> {
        self.paths()?.elements().get(number)?.clone().remove();
        self.settle()
    }

    /// Reads the text anew, so that the next edit finds values where this one has put their text.
    fn settle(&mut self) -> Option<()> {
        self.root = CstRootNode::parse(&self.root.to_string(), &ParseOptions::default()).ok()?;
        Some(())
    }

    fn paths(&self) -> Option<CstArray> {
        self.root.object_value()?.array_value("paths")
    }

    fn set(&self, object: &CstObject, member: &CstObjectProp, value: &Written) -> Option<()> {
        if self.is_laid_out(object) && !member.value()?.to_string().contains('\n') {
            member.set_value(Written::Null);
            return self.write_raw(&member.value()?, value);
        }
        if self.is_laid_out(object) {
            member.set_value(value.clone());
            return Some(());
        }
        let name = member.decoded_name()?;
        let members = raw_members(object).map(|(known, raw)| {
            let raw = if known == name { self.member(&known, value) } else { raw };
            (known, raw)
        });
        self.rebuild(object, &members.map(|(_, raw)| raw).collect::<Vec<_>>())
    }

    fn remove_member(&self, object: &CstObject, member: CstObjectProp) -> Option<()> {
        if self.is_laid_out(object) {
            member.remove();
            return Some(());
        }
        let name = member.decoded_name()?;
        let kept: Vec<String> = raw_members(object).filter(|(known, _)| *known != name).map(|(_, raw)| raw).collect();
        self.rebuild(object, &kept)
    }

    fn insert(&self, object: &CstObject, place: usize, name: &str, value: &Written) -> Option<()> {
        if !self.is_laid_out(object) {
            let mut members: Vec<String> = raw_members(object).map(|(_, raw)| raw).collect();
            members.insert(place.min(members.len()), self.member(name, value));
            return self.rebuild(object, &members);
        }
        // As its neighbours are: objects over several lines, or each on one.
        let over_lines = object
            .properties()
            .iter()
            .any(|member| member.object_value().is_some_and(|inner| self.is_laid_out(&inner)));
        if over_lines && matches!(value, Written::Object(_)) {
            object.insert(place, name, value.clone());
            return Some(());
        }
        self.write_raw(&object.insert(place, name, Written::Null).value()?, value)
    }

    /// Whether an object has its members on lines of their own.
    fn is_laid_out(&self, object: &CstObject) -> bool {
        self.style.lines && object.children().iter().any(CstNode::is_newline)
    }

    /// An object on one line, with these members.
    fn rebuild(&self, object: &CstObject, members: &[String]) -> Option<()> {
        let put = object.clone().replace_with(Written::String(String::new()))?;
        // A literal's text is taken as it is.
        put.as_string_lit()?.set_raw_value(self.braced(members));
        Some(())
    }

    /// Writes `value` on one line in the place of a `null` that was put there for it.
    fn write_raw(&self, node: &CstNode, value: &Written) -> Option<()> {
        let put = node.as_null_keyword()?.replace_with(Written::String(String::new()))?;
        put.as_string_lit()?.set_raw_value(self.one_line(value));
        Some(())
    }

    fn member(&self, name: &str, value: &Written) -> String {
        let space = if self.style.marks { " " } else { "" };
        format!("{}:{space}{}", quoted(name), self.one_line(value))
    }

    fn one_line(&self, value: &Written) -> String {
        match value {
            Written::Null => "null".to_owned(),
            Written::Bool(truth) => truth.to_string(),
            Written::Number(number) => number.clone(),
            Written::String(text) => quoted(text),
            Written::Array(list) => {
                let comma = if self.style.marks { ", " } else { "," };
                format!("[{}]", list.iter().map(|value| self.one_line(value)).collect::<Vec<_>>().join(comma))
            }
            Written::Object(members) => {
                let members: Vec<String> = members.iter().map(|(name, value)| self.member(name, value)).collect();
                self.braced(&members)
            }
        }
    }

    fn braced(&self, members: &[String]) -> String {
        let space = if self.style.braces && !members.is_empty() { " " } else { "" };
        let comma = if self.style.marks { ", " } else { "," };
        format!("{{{space}{}{space}}}", members.join(comma))
    }
}

/// The members of an object, each with its name and its text.
fn raw_members(object: &CstObject) -> impl Iterator<Item = (String, String)> {
    let members = object.properties().into_iter();
    members.map(|member| (member.decoded_name().unwrap_or_default(), member.to_string()))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
