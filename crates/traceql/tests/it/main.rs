//! Behaviour of the language through its public surface.

mod bounds;
mod complete;
mod corpus;
mod resolved;
