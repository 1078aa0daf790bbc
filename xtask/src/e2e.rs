//! The end-to-end suite of `e2e/`: installs what it runs with, once, and runs it against the built binary.
//!
//! Python and Node packages are pinned and go to folders in the user's cache, named by what they were made from, so that a
//! second run, or another clone, finds them. Browsers cannot be pinned: the one of the machine is taken.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cargo_metadata::MetadataCommand;
use xshell::{Shell, cmd};

/// Where systems keep a Chromium or a browser built from it.
const CHROMIUMS: [&str; 5] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/snap/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// The variable that names another binary than the one built here.
const BINARY: &str = "THROUGHLINE_BIN";

/// Builds the binary with the development profile, unless `THROUGHLINE_BIN` names another.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn build(shell: &Shell) -> anyhow::Result<()> {
    if shell.var_os(BINARY).is_none() {
        cmd!(shell, "cargo build --workspace").run()?;
    }
    Ok(())
}

/// Runs the suite against the binary that is there; `args` go to pytest, and `CHROMIUM` may name another browser.
///
/// # Errors
/// When something cannot be installed, or a test fails.
pub(crate) fn run(shell: &Shell, args: &[String]) -> anyhow::Result<()> {
    let binary = binary(shell)?;
    let python = install_python(shell)?;
    install_node(shell)?;
    install_page(shell)?;
    let chromium = chromium(shell)?;
    let _folder = shell.push_dir("e2e/python");
    cmd!(shell, "{python} -m pytest {args...}")
        .env(BINARY, binary)
        .env("CHROMIUM", chromium)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .run()?;
    Ok(())
}

fn binary(shell: &Shell) -> anyhow::Result<PathBuf> {
    let path = match shell.var_os(BINARY) {
        Some(path) => shell.current_dir().join(path),
        None => {
            let metadata = MetadataCommand::new().no_deps().exec()?;
            metadata
                .target_directory
                .into_std_path_buf()
                .join("debug/throughline")
        }
    };
    if !path.is_file() {
        bail!("there is no binary at {}", path.display());
    }
    Ok(path)
}

/// A virtual environment with the packages of `requirements.txt`; gives its interpreter.
fn install_python(shell: &Shell) -> anyhow::Result<PathBuf> {
    let requirements = shell.current_dir().join("e2e/python/requirements.txt");
    let version = cmd!(shell, "python3 --version").quiet().read()?;
    let content = [shell.read_file(&requirements)?, version];
    let folder = installed(shell, "e2e-python", &content, |folder| {
        cmd!(shell, "python3 -m venv {folder}").run()?;
        let python = folder.join("bin/python");
        let quietly = ["--quiet", "--disable-pip-version-check", "--no-deps"];
        cmd!(
            shell,
            "{python} -m pip install {quietly...} --requirement {requirements}"
        )
        .run()?;
        Ok(())
    })?;
    Ok(folder.join("bin/python"))
}

/// The packages of `e2e/node`, to which a link is laid beside the scripts, where Node looks for them.
fn install_node(shell: &Shell) -> anyhow::Result<()> {
    let scripts = shell.current_dir().join("e2e/node");
    let files = ["package.json", "package-lock.json"];
    let version = cmd!(shell, "node --version").quiet().read()?;
    let mut content = vec![version];
    for file in files {
        content.push(shell.read_file(scripts.join(file))?);
    }
    let folder = installed(shell, "e2e-node", &content, |folder| {
        for file in files {
            shell.copy_file(scripts.join(file), folder)?;
        }
        let _folder = shell.push_dir(folder);
        cmd!(shell, "npm ci --no-audit --no-fund --ignore-scripts").run()?;
        Ok(())
    })?;
    lay_link(
        shell,
        &folder.join("node_modules"),
        &scripts.join("node_modules"),
    )
}

/// Makes `link` lead to `target`, whatever it was before.
fn lay_link(shell: &Shell, target: &Path, link: &Path) -> anyhow::Result<()> {
    match link.symlink_metadata() {
        Ok(there) if there.is_dir() => shell.remove_path(link)?,
        Ok(_) => std::fs::remove_file(link)?,
        Err(_) => {}
    }
    std::os::unix::fs::symlink(target, link)
        .with_context(|| format!("cannot lay the link {}", link.display()))
}

/// The tests of the page need the page's packages; `cargo xtask ci` has installed them before.
fn install_page(shell: &Shell) -> anyhow::Result<()> {
    if !shell.path_exists("ui/node_modules/playwright-core") {
        let _folder = shell.push_dir("ui");
        cmd!(shell, "npm ci --no-audit --no-fund").run()?;
    }
    Ok(())
}

/// A folder in the cache that is named by `content` and was filled by `fill`, now or earlier.
///
/// It gets its name when it is complete, so an interrupted run leaves nothing behind that a later one would take for whole.
fn installed(
    shell: &Shell,
    name: &str,
    content: &[String],
    fill: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let cache = cache_folder(shell)?;
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    let folder = cache.join(format!("{name}-{:016x}", hasher.finish()));
    if folder.is_dir() {
        return Ok(folder);
    }
    let part = cache.join(format!("{name}-part-{}", std::process::id()));
    shell.remove_path(&part)?;
    shell.create_dir(&part)?;
    fill(&part)?;
    // Another run may have been faster; its folder is as good.
    if std::fs::rename(&part, &folder).is_err() {
        shell.remove_path(&part)?;
    }
    if !folder.is_dir() {
        bail!("{} cannot be put into place", folder.display());
    }
    Ok(folder)
}

fn cache_folder(shell: &Shell) -> anyhow::Result<PathBuf> {
    let cache = match shell.var_os("XDG_CACHE_HOME") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => PathBuf::from(shell.var("HOME").context("where is the cache?")?).join(".cache"),
    };
    Ok(cache.join("throughline"))
}

/// The browser for the tests of the page. Where there is none, Debian's is installed if that is possible.
fn chromium(shell: &Shell) -> anyhow::Result<PathBuf> {
    if let Some(path) = shell.var_os("CHROMIUM") {
        return Ok(PathBuf::from(path));
    }
    let find = || {
        CHROMIUMS
            .iter()
            .map(PathBuf::from)
            .find(|path| path.is_file())
    };
    if find().is_none() && Path::new("/usr/bin/apt-get").is_file() {
        cmd!(shell, "apt-get update --quiet").run()?;
        let install = ["install", "--quiet", "--yes", "--no-install-recommends"];
        cmd!(shell, "apt-get {install...} chromium")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .run()
            .context("cannot install Chromium; install a browser and name it in CHROMIUM")?;
    }
    find().context("the page is tested in Chromium: install it, or name a browser in CHROMIUM")
}
