//! The manifest: which blocks there are. It is the truth of a tenant; a folder that it does not name is not there.
//!
//! # Objects
//!
//! The manifest is a log of numbered **edits**, 1, 2, 3 and so on without gaps, each an object that is created once and
//! never changed. An edit adds blocks, removes blocks, or both at once. The **state** is what follows from all edits in
//! their order. Now and then somebody writes a **checkpoint**: the state after edit *n*, whole, so that opening a store
//! reads one checkpoint and the edits after it. Both are JSON, an entry to a line.
//!
//! ```text
//! edit        = { "format": 1, "number": n, "time": ns, "reason": "flush" | "compact" | "expire",
//!                 "removed": [block id…], "added": [entry…] }
//! checkpoint  = { "format": 1, "number": n, "time": ns,
//!                 "removed": [ { "id", "folder", "time" }…], "entries": [entry…] }
//! entry       = { "block": BlockMeta, "received": ns, "checksums": { … } }
//! ```
//!
//! # Committing
//!
//! Whoever wants a change builds it on the newest state known, checks it against the [`rules`], and creates the object of
//! the next number with a put that refuses to overwrite. If somebody else has that number, their edit is read and applied,
//! and the change is built and checked again on what is true now. So any number of writers and compactors may work on one
//! tenant without a lock server, and each edit was valid when it took effect.
//!
//! A change is recognised by what it does, not by who made it: a block that is already there was added by an attempt
//! whose answer got lost. Hence committing the same thing twice is harmless.
//!
//! # Forgetting
//!
//! The two newest checkpoints stay, with all edits after the older: one damaged checkpoint costs nothing. Older objects are
//! deleted once that older checkpoint has been there for a grace period. A writer that was asleep for as long might create a
//! number that was used and deleted; so a view that was not confirmed lately is loaded anew before a commit is built on it,
//! and a commit that took long is looked up afterwards (see `log`).

mod load;
mod log;
mod object;
pub(crate) mod rules;
mod state;

pub(crate) use log::{Manifest, Proposal};
pub(crate) use object::{Checksum, Checksums, Entry, Reason};
pub(crate) use state::{State, Tombstone};
