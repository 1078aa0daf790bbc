//! The journal seen from outside: what is acknowledged comes back, whatever happens in between.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, too, fail by panicking"
)]

mod basics;
mod bounds;
mod crash;
mod damage;
mod disk;
mod give_way;
mod inspect;
mod replay;
mod reuse;
mod support;
mod system;
mod trim;
