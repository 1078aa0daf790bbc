//! The analysis, driven through its public surface: drawn traces in, short texts out; invariants on arbitrary traces; the
//! stories of the simulated shop.

mod drawn;
mod path;
mod properties;
mod size;
mod skew;
mod told;
mod tree;
