//! The state from nothing but the objects: the newest checkpoint that can be read, and the edits after it.

use super::object::{Checkpoint, Edit};
use super::state::State;
use crate::layout::{Layout, ManifestName, manifest_name};
use crate::objects::{Objects, in_parallel};
use crate::{ErrorKind, StoreError};

/// How often the objects may be deleted under our eyes, by somebody who has written a newer checkpoint, before that is
/// taken for a defect.
const ATTEMPTS: u32 = 3;

/// The numbers that a listing of the manifest folder shows, ascending.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) edits: Vec<u64>,
    pub(super) checkpoints: Vec<u64>,
}

pub(super) async fn list(objects: &Objects, layout: &Layout) -> Result<Listing, StoreError> {
    let mut listing = Listing::default();
    for object in objects.list(&layout.manifest()).await? {
        match manifest_name(&object.location) {
            Some(ManifestName::Edit(number)) => listing.edits.push(number),
            Some(ManifestName::Checkpoint(number)) => listing.checkpoints.push(number),
            None => {
                tracing::debug!(path = %object.location, "ignoring an object that is no part of the manifest");
            }
        }
    }
    listing.edits.sort_unstable();
    listing.checkpoints.sort_unstable();
    Ok(listing)
}

/// A state, and the checkpoint that it was built on (0 for none).
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) state: State,
    pub(super) checkpoint: u64,
}

/// Loads the newest state. A checkpoint that cannot be read is passed over with a warning.
///
/// # Errors
/// [`ErrorKind::Corrupt`] when no readable checkpoint has all edits after it; the message names the object that is missing
/// or damaged.
pub(super) async fn load(objects: &Objects, layout: &Layout) -> Result<Loaded, StoreError> {
    let mut attempt = 1;
    loop {
        let listing = list(objects, layout).await?;
        match load_listed(objects, layout, &listing).await {
            Err(error) if error.kind() == ErrorKind::NotFound && attempt < ATTEMPTS => attempt += 1,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(StoreError::new(ErrorKind::Corrupt, error.to_string()));
            }
            result => return result,
        }
    }
}

async fn load_listed(
    objects: &Objects,
    layout: &Layout,
    listing: &Listing,
) -> Result<Loaded, StoreError> {
    let mut passed_over = None;
    for &number in listing.checkpoints.iter().rev() {
        match read_checkpoint(objects, layout, number).await {
            Ok(state) => return follow(objects, layout, listing, state, passed_over).await,
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                tracing::warn!(%error, "a manifest checkpoint is damaged; going back to an older one");
                passed_over = passed_over.or(Some(error));
            }
            Err(error) => return Err(error),
        }
    }
    follow(objects, layout, listing, State::default(), passed_over).await
}

/// Applies all edits after `state`. `passed_over` is why no newer checkpoint serves.
async fn follow(
    objects: &Objects,
    layout: &Layout,
    listing: &Listing,
    mut state: State,
    passed_over: Option<StoreError>,
) -> Result<Loaded, StoreError> {
    let checkpoint = state.number;
    let newest = listing.edits.last().copied().unwrap_or(0);
    let newest_checkpoint = listing.checkpoints.last().copied().unwrap_or(0);
    let explained = |error: StoreError| match &passed_over {
        Some(damage) => StoreError::new(
            error.kind(),
            format!("{error}; and the newer checkpoint does not serve: {damage}"),
        ),
        None => error,
    };
    let numbers: Vec<u64> = listing
        .edits
        .iter()
        .copied()
        .filter(|&number| number > checkpoint)
        .collect();
    let gap = (checkpoint + 1..=newest.max(newest_checkpoint))
        .zip(numbers.iter().map(Some).chain(std::iter::repeat(None)))
        .find(|(expected, found)| *found != Some(expected));
    if let Some((missing, _)) = gap {
        let path = layout.manifest_object(ManifestName::Edit(missing));
        return Err(explained(StoreError::corrupt(
            path,
            "this part of the manifest is missing, and newer parts are there",
        )));
    }
    let edits = in_parallel(numbers, objects.concurrency(), |number| {
        read_edit(objects, layout, number)
    })
    .await;
    for edit in edits {
        state.apply(&edit.map_err(explained)?);
    }
    Ok(Loaded { state, checkpoint })
}

async fn read_checkpoint(
    objects: &Objects,
    layout: &Layout,
    number: u64,
) -> Result<State, StoreError> {
    let path = layout.manifest_object(ManifestName::Checkpoint(number));
    let bytes = objects.get(&path).await?;
    let checkpoint =
        Checkpoint::from_json(&bytes, number).map_err(|cause| StoreError::corrupt(&path, cause))?;
    Ok(State::of_checkpoint(checkpoint))
}

pub(super) async fn read_edit(
    objects: &Objects,
    layout: &Layout,
    number: u64,
) -> Result<Edit, StoreError> {
    let path = layout.manifest_object(ManifestName::Edit(number));
    let bytes = objects.get(&path).await?;
    Edit::from_json(&bytes, number).map_err(|cause| StoreError::corrupt(&path, cause))
}
