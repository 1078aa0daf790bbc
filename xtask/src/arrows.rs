//! The allowed arrows between crates: who may depend on whom, and which outside crates only one of ours may see.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// A crate of ours and the crates of ours that it may depend on. Arrows point down: a row names only rows below it.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "server",
        &[
            "api", "query", "collect", "store", "journal", "shop", "analysis", "evaluate",
            "traceql", "wire", "block", "model",
        ],
    ),
    (
        "api",
        &[
            "query", "collect", "store", "journal", "analysis", "evaluate", "traceql", "wire",
            "model",
        ],
    ),
    (
        "benches",
        &[
            "query", "collect", "store", "journal", "shop", "evaluate", "traceql", "block", "wire",
            "model",
        ],
    ),
    (
        "query",
        &["collect", "store", "block", "evaluate", "traceql", "model"],
    ),
    ("collect", &["store", "journal", "block", "wire", "model"]),
    ("store", &["block", "model"]),
    ("journal", &["model"]),
    ("shop", &["wire", "model"]),
    ("analysis", &["model"]),
    ("evaluate", &["traceql", "model"]),
    ("testkit", &["traceql", "model"]),
    ("traceql", &["model"]),
    ("block", &["model"]),
    ("wire", &["model"]),
    ("model", &[]),
    ("xtask", &[]),
];

/// What tests may use besides: the generator of traces, and what they look at results with.
const TEST_ARROWS: &[&str] = &[
    "testkit", "shop", "wire", "block", "store", "journal", "collect", "query", "model",
];

/// Outside crates that only these of ours may name.
const ONLY: &[(&str, &[&str])] = &[
    ("axum", &["api"]),
    ("parquet", &["block", "store", "benches"]),
    ("arrow", &["block", "store"]),
    ("object_store", &["store", "server"]),
    ("serde-saphyr", &["server"]),
    ("clap", &["server"]),
];

/// Outside crates that the pure crates must not reach, directly or not: they do no I/O and spawn nothing.
const IMPURE: &[&str] = &["tokio", "hyper", "object_store", "rand"];
const PURE: &[&str] = &["analysis", "evaluate", "traceql", "wire", "block", "model"];

/// Every arrow that is not allowed, in words.
///
/// # Errors
/// When `cargo metadata` fails.
pub(crate) fn violations() -> anyhow::Result<Vec<String>> {
    let metadata = MetadataCommand::new().exec().context("cargo metadata")?;
    let ours: BTreeSet<&str> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut found = Vec::new();
    for name in &ours {
        if !ARROWS.iter().any(|(known, _)| known == name) {
            found.push(format!("crate `{name}` is missing in the table of arrows"));
        }
    }
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let allowed = ARROWS
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(&[] as &[_], |(_, allowed)| allowed);
        for dependency in &package.dependencies {
            let target = dependency.name.as_str();
            let normal = dependency.kind == DependencyKind::Normal;
            if ours.contains(target)
                && !allowed.contains(&target)
                && (normal || !TEST_ARROWS.contains(&target))
            {
                found.push(format!("`{name}` must not depend on `{target}`"));
            }
            let only = ONLY.iter().find(|(outside, _)| *outside == target);
            if let Some((_, users)) = only.filter(|(_, users)| normal && !users.contains(&name)) {
                found.push(format!(
                    "only {users:?} may depend on `{target}`, not `{name}`"
                ));
            }
        }
    }
    found.extend(impure(&metadata)?);
    Ok(found)
}

fn impure(metadata: &Metadata) -> anyhow::Result<Vec<String>> {
    let graph = metadata
        .resolve
        .as_ref()
        .context("cargo metadata without a dependency graph")?;
    let names: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package.name.as_str()))
        .collect();
    let nodes: BTreeMap<_, _> = graph.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut found = Vec::new();
    for pure in PURE {
        let Some(start) = names
            .iter()
            .find_map(|(id, name)| (name == pure).then_some(*id))
        else {
            continue;
        };
        let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            // What parquet itself can do for others (its async readers; ulid's
            // making of ids) is not what our pure crates do with it.
            let through_columns = matches!(names[id], "parquet" | "arrow" | "ulid");
            let dependencies = nodes[id].deps.iter().filter(|dependency| {
                !through_columns
                    && dependency
                        .dep_kinds
                        .iter()
                        .any(|kind| kind.kind == DependencyKind::Normal)
            });
            open.extend(dependencies.map(|dependency| &dependency.pkg));
        }
        found.extend(
            seen.into_iter()
                .filter(|id| IMPURE.contains(&names[*id]))
                .map(|id| format!("`{pure}` must not reach `{}`", names[id])),
        );
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #[test]
    fn arrows_between_crates_are_those_of_the_table() {
        assert_eq!(super::violations().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn the_table_points_down() {
        for (row, (name, allowed)) in super::ARROWS.iter().enumerate() {
            for target in *allowed {
                let below = super::ARROWS[row + 1..]
                    .iter()
                    .any(|(other, _)| other == target);
                assert!(below, "`{name}` points up to `{target}`");
            }
        }
    }
}
