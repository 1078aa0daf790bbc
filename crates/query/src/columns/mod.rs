//! Conditions decided on columns: what holds for which rows of a block, a page at a time and without a span in sight.
//!
//! A condition is compiled for a block ([`Filter`]), whose columns and inventory tell where its fields are. A comparison with a
//! constant is decided once for each entry of a dictionary, each resource, each trace; a row then costs an index. What columns
//! cannot decide (parents, arithmetic, times of events) is left open: a verdict is two masks, of the rows for which the condition
//! surely holds and of those for which it may.

mod filter;
mod leaf;
mod mask;
mod projection;
mod said;
mod test;
mod traces;
mod value;
mod verdict;

pub(crate) use filter::{Filter, Target};
pub(crate) use mask::Mask;
pub(crate) use projection::Keys;
pub(crate) use test::{Durations, Test};
pub(crate) use traces::GroupTraces;
pub(crate) use value::{
    constant, constant_of_element, elements, of_resource_attribute, of_scope_attribute, tail_value,
    value_of,
};
pub(crate) use verdict::Judge;
