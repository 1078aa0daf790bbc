//! Configuration: from what was written, anywhere, to settings that fit together. Opens nothing but the config file.
//!
//! [`written`] collects words and their places, [`keys`] has the catalogue and gives every word its type, and
//! [`load`] checks what must fit. All problems are reported at once, each with its place.

mod fit;
pub(crate) mod keys;
pub(crate) mod reference;
pub(crate) mod value;
pub(crate) mod written;

use std::fmt;
use std::path::{Path, PathBuf};

pub(crate) use keys::Settings;

use self::written::{Problem, Written};

/// Where settings were written, besides the environment.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// A YAML file.
    pub(crate) file: Option<PathBuf>,
    /// Flags as they were spelled, with the path of their setting and the value.
    pub(crate) flags: Vec<(String, String, String)>,
}

/// Settings with what was odd about them.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The settings.
    pub(crate) settings: Settings,
    /// To be logged.
    pub(crate) warnings: Vec<String>,
}

/// Everything that is wrong, one line each, and what was odd besides.
#[derive(Debug)]
pub(crate) struct Problems {
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        writeln!(
            f,
            "the configuration has {count} {}:",
            if count == 1 { "problem" } else { "problems" }
        )?;
        for problem in &self.problems {
            writeln!(f, "  {problem}")?;
        }
        let mut warnings = self.warnings.iter();
        warnings.try_for_each(|warning| writeln!(f, "  (a warning) {warning}"))
    }
}

/// Reads and checks all settings. `users` says what those who use them would refuse.
pub(crate) fn load(
    sources: &Sources,
    environment: impl IntoIterator<Item = (String, String)>,
    users: impl FnOnce(&Settings) -> Vec<Problem>,
) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let mut written = Written::default();
    if let Some(path) = &sources.file {
        match read_file(path) {
            Ok(yaml) => written.add_file(&path.display().to_string(), &yaml, &mut problems),
            Err(problem) => problems.push(problem),
        }
    }
    written.add_environment(environment, &mut warnings);
    for (flag, path, value) in &sources.flags {
        written.add_flag(flag, path, value.clone(), &mut problems);
    }
    let settings = Settings::read(&written, &mut problems);
    if let Some(settings) = &settings {
        fit::check(settings, &mut problems);
        problems.extend(users(settings));
    }
    match settings {
        Some(settings) if problems.is_empty() => Ok(Loaded { settings, warnings }),
        _ => Err(Problems { problems, warnings }),
    }
}

fn read_file(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|error| Problem {
        place: path.display().to_string(),
        text: format!("cannot read the file: {error}"),
    })
}
