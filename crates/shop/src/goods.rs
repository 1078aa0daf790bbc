//! What the shop sells.

use crate::rng::Rng;

/// Products in the catalogue.
const PRODUCTS: u64 = 4_000;

const WORDS: &[&str] = &[
    "trail shoes",
    "rain jacket",
    "espresso machine",
    "desk lamp",
    "wool socks",
    "bike light",
    "tent",
    "kettle",
    "headphones",
    "running belt",
    "notebook",
    "water bottle",
    "backpack",
    "sunglasses",
    "yoga mat",
    "camp stove",
];

const CATEGORIES: &[&str] = &[
    "outdoor",
    "kitchen",
    "home-office",
    "running",
    "cycling",
    "sale",
];

/// The number of a product, popular ones more often.
pub(crate) fn product(rng: &mut Rng) -> String {
    format!("SKU-{}", 100_000 + rng.popular(PRODUCTS) * 7)
}

/// What people search for.
pub(crate) fn search_words(rng: &mut Rng) -> &'static str {
    rng.pick(WORDS)
}

/// A category of the catalogue.
pub(crate) fn category(rng: &mut Rng) -> &'static str {
    rng.pick(CATEGORIES)
}
