//! How often what happens: the one table of the shop's chances and of its storied durations.
//!
//! Stories are rare enough that averages stay healthy, and frequent enough that an hour of 1.5 visits a second shows each.

/// Shares of pages among visits that are no health checks; relative weights.
pub(crate) mod visits {
    pub(crate) const HOME: u64 = 24;
    pub(crate) const PRODUCT: u64 = 26;
    pub(crate) const SEARCH: u64 = 15;
    pub(crate) const CART_ADD: u64 = 10;
    pub(crate) const CART: u64 = 6;
    pub(crate) const CHECKOUT: u64 = 9;
    pub(crate) const ORDER_HISTORY: u64 = 3;
    pub(crate) const LOGIN: u64 = 5;
    pub(crate) const STOCK_SYNC: u64 = 2;
}

/// Share of all visits that are health checks: a large part of the traces, a small part of the spans.
pub(crate) const HEALTH_CHECK: f64 = 0.3;
/// A health check of a service that is starting or overloaded answers 503.
pub(crate) const HEALTH_CHECK_FAILS: f64 = 0.004;

/// A checkout whose payment provider does not answer: ten attempts of three seconds.
pub(crate) const PAYMENT_TIMEOUTS: f64 = 0.025;
pub(crate) const PAYMENT_ATTEMPTS: usize = 10;
pub(crate) const PAYMENT_TIMEOUT_MS: f64 = 3_000.0;
/// A card that its bank declines: an answer, not a fault.
pub(crate) const CARD_DECLINED: f64 = 0.03;

/// Minutes after opening at which the fraud model of the slow version is rolled out to some instances, and stays.
pub(crate) const FRAUD_ROLLOUT_MINUTES: i64 = 35;
/// Model inference, median: before, and with the slow version.
pub(crate) const FRAUD_INFERENCE_MS: f64 = 24.0;
pub(crate) const FRAUD_SLOW_INFERENCE_MS: f64 = 900.0;

/// A tax request whose address is not cached and goes to the geo provider.
pub(crate) const TAX_GEO_LOOKUP: f64 = 0.18;
pub(crate) const TAX_GEO_LOOKUP_MS: f64 = 1_150.0;
/// The geo provider first says that there were too many requests.
pub(crate) const GEO_RATE_LIMITED: f64 = 0.12;

/// Orders on one page of the order history, each fetched by its own SELECT.
pub(crate) const ORDERS_PER_PAGE: u64 = 40;

/// An order whose event nobody consumes: nothing is marked as an error, and it is never shipped.
pub(crate) const ORDER_EVENT_LOST: f64 = 0.02;

/// A stock request that the inventory cannot answer from its cache, so that the legacy warehouse is asked.
pub(crate) const STOCK_FROM_WAREHOUSE: f64 = 0.2;
/// The warehouse waits for a lock in vain and answers 500; the inventory guesses, and says nothing.
pub(crate) const WAREHOUSE_FAILS: f64 = 0.03;

/// Recommendations held up inside the process, with nothing recorded below.
pub(crate) const DARK_TIME: f64 = 0.05;
pub(crate) const DARK_TIME_MS: f64 = 780.0;

/// Share of visits by the VIP tenant, its slower contract prices, and the error that only it sees.
pub(crate) const VIP: f64 = 0.04;
pub(crate) const VIP_PRICES_MS: f64 = 210.0;
pub(crate) const VIP_PRICE_LIST_MISSING: f64 = 0.2;

/// Advertisements that fail; the page is shown without, and its status is fine.
pub(crate) const ADS_FAIL: f64 = 0.06;
/// An unknown product is asked for.
pub(crate) const PRODUCT_NOT_FOUND: f64 = 0.04;
/// A wrong password.
pub(crate) const LOGIN_REFUSED: f64 = 0.08;
/// A dead lock on the cart's table, retried with success.
pub(crate) const CART_CONFLICT: f64 = 0.03;

/// The catalogue's cache loses everything every so often, for a while: all products come from the database.
pub(crate) const MISS_STORM_EVERY_MINUTES: i64 = 20;
pub(crate) const MISS_STORM_SECONDS: i64 = 50;
/// A statement of the storm that is given up after its deadline, and tried again.
pub(crate) const STORM_DEADLINE: f64 = 0.06;
pub(crate) const STORM_DEADLINE_MS: f64 = 500.0;
/// Misses at other times.
pub(crate) const CACHE_MISS: f64 = 0.04;
