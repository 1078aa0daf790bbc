//! What a visit can show: the labels that the generator puts on its own traces.
//!
//! The labels do not appear in the spans. They are the truth that tests and analyses are scored against.

/// A thing worth finding in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Story {
    /// A checkout of thirty seconds: the payment provider let ten attempts run into a timeout of three seconds each, the
    /// second provider answered, and nothing above is marked as an error.
    PaymentTimeouts,
    /// The fraud check ran on an instance whose new version made the model's inference slow.
    SlowModel,
    /// The tax service asked a slow geo provider for an address that was not cached.
    TaxGeoLookup,
    /// The order history fetched each order by a statement of its own.
    ManyQueries,
    /// The product page asked for prices, reviews and stock one after the other, though none needs another.
    InSequence,
    /// An order event was published and processed later, in a trace of its own that links back.
    OrderEvent,
    /// An order event was published and never processed; nothing is marked as an error.
    OrderEventLost,
    /// The legacy warehouse dropped the trace context: its spans are a trace of their own, without any link.
    LostContext,
    /// The recommendation service was busy with itself: long, and nothing recorded below.
    DarkTime,
    /// A price list of the VIP tenant is missing; nobody else ever sees that error.
    VipOnlyError,
    /// A probe asked whether a process is alive.
    HealthCheck,
    /// The advertisements failed, and the page was shown without them, as a success.
    SwallowedError,
    /// The catalogue's cache was empty, so that every product came from the database.
    MissStorm,
    /// Somebody asked for a product that does not exist.
    NotFound,
    /// Two requests changed one cart at once; the second try succeeded.
    CartConflict,
    /// The bank declined the card.
    CardDeclined,
}

impl Story {
    /// Every story.
    pub const ALL: [Self; 16] = [
        Self::PaymentTimeouts,
        Self::SlowModel,
        Self::TaxGeoLookup,
        Self::ManyQueries,
        Self::InSequence,
        Self::OrderEvent,
        Self::OrderEventLost,
        Self::LostContext,
        Self::DarkTime,
        Self::VipOnlyError,
        Self::HealthCheck,
        Self::SwallowedError,
        Self::MissStorm,
        Self::NotFound,
        Self::CartConflict,
        Self::CardDeclined,
    ];
}
