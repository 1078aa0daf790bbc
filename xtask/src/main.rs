//! Chores of the repository: `cargo xtask ci` runs every check, `cargo xtask ui` builds the page.
#![allow(clippy::print_stdout)] // a tool that talks to a terminal

mod arrows;
mod e2e;
mod licences;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, bail};
use xshell::{Shell, cmd};

const HELP: &str = "\
cargo xtask ci        format, structure, tests, the page and its tests: what a change must pass
cargo xtask ui        build ui/dist from ui/
cargo xtask e2e       the binary against real SDKs, readers of Parquet, crashes and a browser; arguments go to pytest
cargo xtask arrows    check who depends on whom, and the licences";

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let task = args.next();
    let shell = Shell::new()?;
    // Asked of cargo, which runs this, and not baked in: checkouts may share a target folder, and with it this program.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
    shell.change_dir(PathBuf::from(here).join(".."));
    match task.as_deref() {
        Some("ci") => ci(&shell),
        Some("ui") => build_page(&shell),
        Some("e2e") => {
            e2e::build(&shell)?;
            e2e::run(&shell, &args.collect::<Vec<_>>())
        }
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
    step("lints", || {
        let strict = ["--", "-D", "warnings"];
        Ok(cmd!(shell, "cargo clippy --workspace --all-targets {strict...}").run()?)
    })?;
    step("tests", || Ok(cmd!(shell, "cargo test --workspace").run()?))?;
    step("page", || check_page(shell))?;
    // The tests have built the binary.
    step("end to end", || e2e::run(shell, &[]))?;
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
