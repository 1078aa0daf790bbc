//! The reference page and the sample file, made from the catalogue. Both are kept in `docs/`, and a test keeps them fresh.

use std::fmt::Write as _;

use super::keys::{KEYS, Key, variable_of};

/// `docs/configuration.md`
pub(crate) fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    for key in KEYS {
        let default = match key.default {
            "" => "empty".to_owned(),
            "auto" => "not given".to_owned(),
            default => format!("`{default}`"),
        };
        // Writing into memory cannot fail.
        let _ = write!(
            page,
            "\n## `{}`\n\n{}\n\n- Default: {default}\n- Accepts: {}\n- Variable: `{}`\n",
            key.path,
            doc_lines(key).collect::<Vec<_>>().join("\n"),
            key.accepts,
            variable_of(key.path),
        );
    }
    page
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Made by `throughline check-config --print-reference`; edit crates/server/src/config/keys.rs instead. -->

Throughline runs without any configuration. What differs from the defaults is written in a YAML file (`--config FILE`), in
environment variables, or as flags; a flag is stronger than a variable, a variable stronger than the file. Every setting has a
place in the file, written here with dots (`journal.size_max` is `size_max` below `journal:`), a variable, and the flag
`--set PATH=VALUE`; the most frequent ones have a flag of their own, see `throughline serve --help`.

`throughline check-config` reports everything that is wrong with a configuration, or shows the settings in effect, without
opening anything but the files that it names. A wrong configuration ends the server with exit code 2 before it listens, and so does a
key that does not exist. Only of variables that begin with `THROUGHLINE_` and are no setting the server merely warns, when
one is nearly meant: orchestrators set such variables for every service that they know.
A file with all settings at their defaults is in [throughline.yaml](throughline.yaml).
";

/// `docs/throughline.yaml`
pub(crate) fn sample() -> String {
    let mut sample = String::from(
        "# All settings at their defaults. Each is explained in configuration.md, where this file comes from.\n",
    );
    let mut section = "";
    for key in KEYS {
        let (head, name) = key.path.split_once('.').unwrap_or(("", key.path));
        if head != section {
            let _ = write!(sample, "\n{head}:");
            section = head;
        }
        let indent = if head.is_empty() { "" } else { "  " };
        sample.push('\n');
        for line in doc_lines(key) {
            let _ = writeln!(sample, "{indent}# {line}");
        }
        let _ = match key.default {
            "" => writeln!(sample, "{indent}{name}: []"),
            default => writeln!(sample, "{indent}{name}: {default}"),
        };
    }
    sample
}

fn doc_lines(key: &Key) -> impl Iterator<Item = &'static str> {
    key.doc
        .iter()
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
}
