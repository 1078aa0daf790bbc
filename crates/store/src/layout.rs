//! Where everything lies. The only place that builds or takes apart paths.
//!
//! ```text
//! <root>/tenant=<t>/manifest/<20 digits>.json              an edit
//! <root>/tenant=<t>/manifest/<20 digits>.checkpoint.json   the state after that edit
//! <root>/tenant=<t>/class=<c>/date=<d>/<block ulid>/       a block: spans.parquet, traces.parquet, resources.parquet, trace_id.bloom
//! ```

use block::BlockId;
use object_store::path::Path;

/// A file of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum BlockFile {
    Spans,
    Traces,
    Resources,
    Bloom,
}

impl BlockFile {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Spans => "spans.parquet",
            Self::Traces => "traces.parquet",
            Self::Resources => "resources.parquet",
            Self::Bloom => "trace_id.bloom",
        }
    }
}

/// The paths of one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: Path,
    tenant: Path,
}

/// What an object in the manifest folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ManifestName {
    Edit(u64),
    Checkpoint(u64),
}

impl Layout {
    pub(crate) fn new(root: &Path, tenant: &str) -> Self {
        Self {
            root: root.clone(),
            tenant: root.clone().join(format!("tenant={tenant}")),
        }
    }

    /// The folder of the tenant: everything of it is below.
    pub(crate) fn tenant(&self) -> &Path {
        &self.tenant
    }

    pub(crate) fn manifest(&self) -> Path {
        self.tenant.clone().join("manifest")
    }

    pub(crate) fn manifest_object(&self, name: ManifestName) -> Path {
        self.manifest().join(match name {
            ManifestName::Edit(number) => format!("{number:020}.json"),
            ManifestName::Checkpoint(number) => format!("{number:020}.checkpoint.json"),
        })
    }

    /// `folder` is that of [`block::BlockMeta::folder`].
    pub(crate) fn block_file(&self, folder: &str, file: BlockFile) -> Path {
        self.block_folder(folder).join(file.name())
    }

    pub(crate) fn block_folder(&self, folder: &str) -> Path {
        folder.split('/').fold(self.root.clone(), Path::join)
    }

    /// The block whose folder `path` lies in, and that folder; `None` for manifest objects and whatever else there is.
    pub(crate) fn block_of(&self, path: &Path) -> Option<(BlockId, Path)> {
        let below: Vec<_> = path.prefix_match(&self.tenant)?.collect();
        let [class, date, block, _file] = below.as_slice() else {
            return None;
        };
        if !class.as_ref().starts_with("class=") || !date.as_ref().starts_with("date=") {
            return None;
        }
        let id: BlockId = block.as_ref().parse().ok()?;
        let folder = [class, date, block]
            .into_iter()
            .fold(self.tenant.clone(), |path, part| path.join(part.clone()));
        Some((id, folder))
    }
}

/// What the last part of a path in the manifest folder says; `None` when it is none of ours.
pub(crate) fn manifest_name(path: &Path) -> Option<ManifestName> {
    let stem = path.filename()?.strip_suffix(".json")?;
    let (digits, checkpoint) = match stem.strip_suffix(".checkpoint") {
        Some(digits) => (digits, true),
        None => (stem, false),
    };
    if digits.len() != 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = digits.parse().ok()?;
    Some(if checkpoint {
        ManifestName::Checkpoint(number)
    } else {
        ManifestName::Edit(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifest_names_are_read_as_written_and_others_are_left_alone() {
        let layout = Layout::new(&Path::from("data"), "t");
        for name in [
            ManifestName::Edit(7),
            ManifestName::Checkpoint(u64::MAX),
            ManifestName::Edit(0),
        ] {
            assert_eq!(manifest_name(&layout.manifest_object(name)), Some(name));
        }
        for foreign in [
            "7.json",
            "0000000000000000000x.json",
            "notes.txt",
            "99999999999999999999.json",
        ] {
            assert_eq!(manifest_name(&Path::from(foreign)), None, "{foreign}");
        }
    }

    #[test]
    fn only_files_in_block_folders_belong_to_a_block() {
        let layout = Layout::new(&Path::from("a/b"), "t");
        let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        let folder = format!("tenant=t/class=c/date=2026-11-21/{id}");
        let file = layout.block_file(&folder, BlockFile::Traces);
        assert_eq!(
            file.as_ref(),
            format!("a/b/{folder}/traces.parquet").as_str()
        );
        let (found, found_folder) = layout.block_of(&file).unwrap();
        assert_eq!(
            (found.to_string().as_str(), found_folder),
            (id, layout.block_folder(&folder))
        );
        for foreign in [
            format!("a/b/tenant=u/class=c/date=d/{id}/f"),
            format!("a/b/tenant=t/class=c/date=d/{id}"),
            format!("a/b/tenant=t/x/y/{id}/f"),
            "a/b/tenant=t/class=c/date=d/nobody/f".into(),
            "a/b/tenant=t/manifest/00000000000000000001.json".into(),
        ] {
            assert_eq!(layout.block_of(&Path::from(foreign)), None);
        }
    }
}
