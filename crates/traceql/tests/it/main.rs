//! Behaviour of the language through its public surface.

mod bounds;
mod corpus;
mod resolved;
