//! Tests of the shop through its public surface.

mod encoding;
mod shape;
mod stories;
mod support;
