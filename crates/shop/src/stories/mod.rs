//! The stories, each with the part of the shop where it happens, also on the days when it does not.

pub(crate) mod card_declined;
pub(crate) mod cart_conflict;
pub(crate) mod dark_time;
pub(crate) mod health_check;
pub(crate) mod in_sequence;
pub(crate) mod lost_context;
pub(crate) mod many_queries;
pub(crate) mod miss_storm;
pub(crate) mod not_found;
pub(crate) mod order_event;
pub(crate) mod payment_timeouts;
pub(crate) mod slow_model;
pub(crate) mod swallowed_error;
pub(crate) mod tax_geo_lookup;
pub(crate) mod vip_only_error;
