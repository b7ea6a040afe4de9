//! All patterns at once: the most specific one that fits, in time that does not grow with their number.
//!
//! A tree with a level for each segment. At each node literals are looked up first, then the parameter, then the rest, so the first
//! pattern found is the most specific segment by segment, whatever their order in the file. Going back to try the next is bounded by the
//! tree, never by the request.

use super::path::bare;
use super::pattern::{Pattern, Segment};

/// Patterns with what belongs to them.
#[derive(Debug)]
pub struct Router<T> {
    nodes: Vec<Node>,
    values: Vec<T>,
}

#[derive(Debug, Default)]
struct Node {
    /// Sorted by text, for a binary search. No hash map: on wasm its keys are the same at every start.
    literals: Vec<(Box<str>, usize)>,
    param: Option<usize>,
    /// The value of a pattern that ends here.
    end: Option<usize>,
    /// The value of a pattern that ends here in `{.+}`.
    rest: Option<usize>,
}

impl<T> Default for Router<T> {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], values: Vec::new() }
    }
}

impl<T> Router<T> {
    /// The value of `pattern`, made by `new` if the pattern is. Patterns that differ in the names of their parameters alone are one.
    pub fn entry(&mut self, pattern: &Pattern, new: impl FnOnce() -> T) -> Option<&mut T> {
        let mut at = 0;
        for segment in &pattern.segments {
            at = self.child(at, segment)?;
        }
        let fresh = self.values.len();
        let node = self.nodes.get_mut(at)?;
        let slot = if pattern.rest { &mut node.rest } else { &mut node.end };
        let index = *slot.get_or_insert(fresh);
        if index == fresh {
            self.values.push(new());
        }
        self.values.get_mut(index)
    }

    /// The value of the most specific pattern for `path`, which is normalised. A trailing slash means nothing.
    pub fn find(&self, path: &str) -> Option<&T> {
        let path = path.strip_prefix('/')?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let index = self.search(0, (!path.is_empty()).then_some(path))?;
        self.values.get(index)
    }

    /// All values, in the order in which their patterns came.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.iter_mut()
    }

    /// All values, in the order in which their patterns came.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }

    fn search(&self, at: usize, path: Option<&str>) -> Option<usize> {
        let node = self.nodes.get(at)?;
        let Some(path) = path else { return node.end.or(node.rest) };
        let (segment, after) = match path.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (path, None),
        };
        let bare = bare(segment);
        // With its `;` parameters, then without them, which some servers cut off before they look for their route.
        let literal = node.literal(&bare).and_then(|child| self.search(child, after)).or_else(|| {
            let (name, _) = bare.split_once(';')?;
            self.search(node.literal(name)?, after)
        });
        literal.or_else(|| self.search(node.param?, after)).or(node.rest)
    }

    fn child(&mut self, at: usize, segment: &Segment) -> Option<usize> {
        let fresh = self.nodes.len();
        let node = self.nodes.get_mut(at)?;
        let child = match segment {
            Segment::Param(_) => *node.param.get_or_insert(fresh),
            Segment::Literal(text) => match node.literals.binary_search_by(|(known, _)| (**known).cmp(text)) {
                Ok(found) => node.literals.get(found)?.1,
                Err(place) => {
                    node.literals.insert(place, (text.as_str().into(), fresh));
                    fresh
                }
            },
        };
        if child == fresh {
            self.nodes.push(Node::default());
        }
        Some(child)
    }
}

impl Node {
    /// The child for a segment.
    fn literal(&self, segment: &str) -> Option<usize> {
        let found = self.literals.binary_search_by(|(known, _)| (**known).cmp(segment)).ok()?;
        self.literals.get(found).map(|(_, child)| *child)
    }
}

#[cfg(test)]
mod tests;
