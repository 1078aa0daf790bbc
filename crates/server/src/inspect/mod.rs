//! `throughline inspect`: what a data folder or storage holds, for a person. Reads only; a server may run on it meanwhile.

mod blocks;
mod journal;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use block::BlockId;
use clap::{Args, Subcommand};
use collect::TENANT;
use store::{Store, StoreConfig};

use crate::clock::SystemClock;
use crate::serve::{BLOCKS_FOLDER, JOURNAL_FOLDER};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  throughline inspect --data-dir /var/lib/throughline
  throughline inspect blocks --storage s3://traces/prod
  throughline inspect block 01KAJ3YW8Q4T4Q9J0D4Q7S1V2X")]
pub(crate) struct InspectArgs {
    #[command(subcommand)]
    what: Option<What>,
    /// The data folder of the server
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = "./throughline-data",
        env = "THROUGHLINE_DATA_DIR"
    )]
    data_dir: PathBuf,
    /// Where its blocks are, if not in the data folder
    #[arg(long, global = true, value_name = "URL", env = "THROUGHLINE_STORAGE")]
    storage: Option<String>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// All blocks, those with the newest traces first
    Blocks,
    /// The manifest: how many blocks of which level on which day
    Manifest,
    /// The segments of the journal, and what is wrong with them
    Journal,
    /// One block in detail: files, columns, attribute keys, services
    Block {
        /// The id of the block
        id: BlockId,
    },
}

/// Runs the command.
#[expect(clippy::print_stdout, reason = "the answer is what the command is for")]
pub(crate) async fn run(args: InspectArgs) -> anyhow::Result<()> {
    let text = match &args.what {
        None => overview(&args).await?,
        Some(What::Blocks) => blocks::list(&open_store(&args).await?),
        Some(What::Manifest) => blocks::manifest(&open_store(&args).await?),
        Some(What::Journal) => inspect_journal(&args.data_dir).await?,
        Some(What::Block { id }) => {
            let store = open_store(&args).await?;
            let blocks = store.blocks();
            let block = blocks
                .find(*id)
                .with_context(|| format!("the manifest has no block {id}"))?;
            blocks::describe(block)
        }
    };
    print!("{text}");
    Ok(())
}

async fn overview(args: &InspectArgs) -> anyhow::Result<String> {
    let mut text = String::new();
    // Writing into memory cannot fail.
    let _ = writeln!(text, "storage {}", storage_url(args));
    text.push_str(&blocks::manifest(&open_store(args).await?));
    if args.data_dir.join(JOURNAL_FOLDER).is_dir() {
        let _ = writeln!(
            text,
            "\njournal {}",
            args.data_dir.join(JOURNAL_FOLDER).display()
        );
        text.push_str(&inspect_journal(&args.data_dir).await?);
    }
    Ok(text)
}

fn storage_url(args: &InspectArgs) -> String {
    args.storage
        .clone()
        .unwrap_or_else(|| args.data_dir.join(BLOCKS_FOLDER).display().to_string())
}

async fn open_store(args: &InspectArgs) -> anyhow::Result<Store> {
    let url = storage_url(args);
    // Opening a local store would create the folder; looking must not.
    let local = url.strip_prefix("file://").unwrap_or(&url);
    if !local.contains("://") && !Path::new(local).is_dir() {
        bail!("there is no folder {local}; name the data with --data-dir or --storage");
    }
    let (objects, root) = store::open_object_store(&url).context("cannot open the storage")?;
    Store::open(
        StoreConfig::new(root, TENANT),
        objects,
        Arc::new(SystemClock),
    )
    .await
    .context("cannot open the store")
}

async fn inspect_journal(data_dir: &Path) -> anyhow::Result<String> {
    let folder = data_dir.join(JOURNAL_FOLDER);
    if !folder.is_dir() {
        bail!(
            "there is no folder {}; name the data with --data-dir",
            folder.display()
        );
    }
    let found =
        tokio::task::spawn_blocking(move || ::journal::inspect(&folder, &::journal::SystemFiles))
            .await
            .context("reading the journal was interrupted")?
            .context("cannot read the journal")?;
    Ok(journal::describe(&found))
}
