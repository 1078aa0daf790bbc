//! Settings as written, from all places where they can be written: file < environment < flag.
//!
//! Nothing here knows what a value means. What is not known by name is refused with a suggestion; a key that stands in
//! several places is taken from the strongest.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::keys::{KEYS, Key, PREFIX, variable_of};
use super::value::Value;

/// What is wrong with one setting, with the place where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where: a line of the file, a variable, a flag; or the path of a setting that does not fit others.
    pub(crate) place: String,
    /// What is wrong and what is accepted.
    pub(crate) text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// The words of each setting that was written, and where.
#[derive(Debug, Default)]
pub(crate) struct Written {
    entries: BTreeMap<&'static str, Entry>,
}

#[derive(Debug)]
struct Entry {
    words: Vec<String>,
    place: String,
}

impl Written {
    /// Adds what a YAML file says. `name` is what problems call it.
    pub(crate) fn add_file(&mut self, name: &str, yaml: &str, problems: &mut Vec<Problem>) {
        // An empty file, or one of comments alone, says nothing.
        let is_empty = yaml
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        if is_empty {
            return;
        }
        match serde_saphyr::from_str::<Spanned<Node>>(yaml) {
            Ok(root) => self.add_node(name, "", root, problems),
            Err(error) => problems.push(Problem {
                place: name.to_owned(),
                text: error.to_string(),
            }),
        }
    }

    fn add_node(
        &mut self,
        file: &str,
        path: &str,
        node: Spanned<Node>,
        problems: &mut Vec<Problem>,
    ) {
        let line = node.referenced.line();
        let place = if path.is_empty() {
            format!("{file}:{line}")
        } else {
            format!("{file}:{line}: {path}")
        };
        let key = find(path);
        let text = match (node.value, key) {
            (Node::Map(entries), None) if path.is_empty() || is_section(path) => {
                for (name, value) in entries {
                    let path = if path.is_empty() {
                        name
                    } else {
                        format!("{path}.{name}")
                    };
                    self.add_node(file, &path, value, problems);
                }
                return;
            }
            // A key without a value, or a section with all keys commented out, says nothing.
            (Node::Null, Some(_)) => return,
            (Node::Null, None) if is_section(path) => return,
            (Node::Scalar(word), Some(key)) => return self.set(key, vec![word], place),
            (Node::List(words), Some(key)) => return self.set(key, words, place),
            (Node::Map(_), Some(key)) => format!("expected {}", key.accepts),
            _ if path.is_empty() => "expected `key: value` lines".to_owned(),
            _ if is_section(path) => "expected keys below this one".to_owned(),
            _ => format!(
                "there is no such setting{}",
                suggestion(path, KEYS.iter().map(|key| key.path.to_owned()))
            ),
        };
        problems.push(Problem { place, text });
    }

    /// Adds what environment variables say. A variable that only looks like one of ours is a warning, not a problem:
    /// orchestrators set some for every service they know.
    pub(crate) fn add_environment(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
        warnings: &mut Vec<String>,
    ) {
        for (name, value) in variables
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX))
        {
            if let Some(key) = KEYS.iter().find(|key| variable_of(key.path) == name) {
                self.set(key, vec![value], name);
            } else if let Some(meant) = nearest_variable(&name) {
                warnings.push(format!(
                    "{name}: there is no such setting; did you mean `{meant}`?"
                ));
            }
        }
    }

    /// Adds what a flag says.
    pub(crate) fn add_flag(
        &mut self,
        flag: &str,
        path: &str,
        value: String,
        problems: &mut Vec<Problem>,
    ) {
        match find(path) {
            Some(key) => self.set(key, vec![value], flag.to_owned()),
            None => problems.push(Problem {
                place: flag.to_owned(),
                text: format!(
                    "there is no setting `{path}`{}",
                    suggestion(path, KEYS.iter().map(|key| key.path.to_owned()))
                ),
            }),
        }
    }

    fn set(&mut self, key: &'static Key, words: Vec<String>, place: String) {
        self.entries.insert(key.path, Entry { words, place });
    }

    /// The value of a setting, or its default.
    pub(super) fn value<T: Value>(
        &self,
        path: &str,
        default: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<T> {
        let Some(entry) = self.entries.get(path) else {
            let value = T::read(&[default.to_owned()]);
            debug_assert!(value.is_some(), "the default of {path} cannot be read");
            return value;
        };
        let value = T::read(&entry.words);
        if value.is_none() {
            let found = entry.words.join(", ");
            problems.push(Problem {
                place: entry.place.clone(),
                text: format!("expected {}, found `{found}`", T::ACCEPTS),
            });
        }
        value
    }
}

fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

fn is_section(path: &str) -> bool {
    KEYS.iter().any(|key| {
        key.path
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// The variable that was probably meant. The prefix that all share tells nothing, and orchestrators set variables of
/// their own with it, so the rest must be a slip of the pen.
fn nearest_variable(name: &str) -> Option<String> {
    const SLIPS_MAX: usize = 3;
    let rest = name.strip_prefix(PREFIX)?;
    KEYS.iter()
        .map(|key| variable_of(key.path))
        .map(|known| {
            let slips = strsim::damerau_levenshtein(rest, &known[PREFIX.len()..]);
            (slips, known)
        })
        .filter(|(slips, _)| *slips <= SLIPS_MAX)
        .min()
        .map(|(_, known)| known)
}

/// The known name that was probably meant, as the end of a sentence; empty when none is near.
fn suggestion(found: &str, known: impl Iterator<Item = String>) -> String {
    /// Jaro-Winkler similarity below which a suggestion would only confuse.
    const SIMILAR: f64 = 0.85;
    known
        .map(|name| (strsim::jaro_winkler(found, &name), name))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}

/// A YAML node, without meaning.
#[derive(Debug)]
enum Node {
    Null,
    Scalar(String),
    List(Vec<String>),
    Map(Vec<(String, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list of values, or keys with values")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut words = Vec::new();
        while let Some(item) = items.next_element::<Node>()? {
            match item {
                Node::Scalar(word) => words.push(word),
                _ => return Err(serde::de::Error::custom("a list holds plain values only")),
            }
        }
        Ok(Node::List(words))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            entries.push((key, map.next_value::<Spanned<Node>>()?));
        }
        Ok(Node::Map(entries))
    }
}
