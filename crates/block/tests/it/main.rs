//! Behaviour of the block through its public surface.

mod batches;
mod round_trip;
