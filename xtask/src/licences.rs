//! Only permissive licences: nothing that would bind those who ship the binary.

use anyhow::Context as _;
use cargo_metadata::MetadataCommand;

/// Licences that may stand alone or after an `OR`.
const PERMISSIVE: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "CC0-1.0",
    "BSL-1.0",
    "Unlicense",
    "Unicode-3.0",
    "CDLA-Permissive-2.0",
];

/// Every dependency whose licence is not permissive, in words.
///
/// # Errors
/// When `cargo metadata` fails.
pub(crate) fn violations() -> anyhow::Result<Vec<String>> {
    let metadata = MetadataCommand::new().exec().context("cargo metadata")?;
    let wrong = metadata
        .packages
        .iter()
        .filter(|package| !is_permissive(package.license.as_deref().unwrap_or_default()));
    Ok(wrong
        .map(|package| {
            format!(
                "`{}` has the licence {:?}",
                package.name,
                package.license.as_deref().unwrap_or("(none)")
            )
        })
        .collect())
}

/// Reads an SPDX expression: some alternative of each part that `AND` joins must be permissive.
fn is_permissive(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    flat.split(" AND ").all(|part| {
        part.split(" OR ")
            .any(|licence| PERMISSIVE.contains(&licence.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::is_permissive;

    #[test]
    fn one_permissive_alternative_is_enough_and_one_binding_part_too_much() {
        assert!(is_permissive("MIT/Apache-2.0"));
        assert!(is_permissive("(MIT OR GPL-3.0-only) AND Unicode-3.0"));
        assert!(!is_permissive("MIT AND GPL-3.0-only"));
        assert!(!is_permissive(""));
    }
}
