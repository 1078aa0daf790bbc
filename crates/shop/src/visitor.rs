//! Who comes to the shop: tenants, users, browsers, places.

use crate::fleet::Region;
use crate::rates;
use crate::rng::Rng;

/// The tenant whose requests have their own latency and their own error.
pub(crate) const VIP_TENANT: &str = "tenant-7";

/// Tenants: brands that run their shop on the platform. Their traffic is far from equal.
const TENANTS: u64 = 40;
/// Registered users.
const USERS: u64 = 60_000;

/// One visitor during one visit.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) user: String,
    pub(crate) tenant: String,
    pub(crate) tier: &'static str,
    pub(crate) session: String,
    pub(crate) address: String,
    pub(crate) user_agent: &'static str,
    pub(crate) country: &'static str,
    pub(crate) city: &'static str,
    pub(crate) postal_code: String,
    pub(crate) currency: &'static str,
    pub(crate) region: Region,
}

const USER_AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
];

/// Country, a city in it, how its postal codes begin, currency, and the region that serves it.
const PLACES: &[(&str, &str, &str, &str, Region)] = &[
    ("DE", "Leipzig", "04", "EUR", Region::Ireland),
    ("DE", "München", "80", "EUR", Region::Ireland),
    ("FR", "Lyon", "690", "EUR", Region::Ireland),
    ("GB", "Leeds", "LS1 ", "GBP", Region::Ireland),
    ("IE", "Cork", "T12 ", "EUR", Region::Ireland),
    ("PL", "Gdańsk", "80-", "PLN", Region::Ireland),
    ("CH", "Zürich", "80", "CHF", Region::Ireland),
    ("US", "Austin", "787", "USD", Region::Virginia),
    ("US", "Portland", "972", "USD", Region::Virginia),
    ("CA", "Montréal", "H2X ", "CAD", Region::Virginia),
    ("BR", "São Paulo", "013", "BRL", Region::Virginia),
];

impl Visitor {
    /// Somebody.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        if rng.chance(rates::VIP) {
            return Self::vip(rng);
        }
        // Every number but the VIP's own.
        let tenant = match rng.popular(TENANTS) + 1 {
            7 => TENANTS,
            other => other,
        };
        let tier = match rng.below(10) {
            0 => "premium",
            1 | 2 => "trial",
            _ => "standard",
        };
        Self::of(rng, format!("tenant-{tenant}"), tier)
    }

    /// Somebody of the VIP tenant.
    pub(crate) fn vip(rng: &mut Rng) -> Self {
        Self::of(rng, VIP_TENANT.to_owned(), "vip")
    }

    /// Whether the visit belongs to the VIP tenant.
    pub(crate) fn is_vip(&self) -> bool {
        self.tenant == VIP_TENANT
    }

    fn of(rng: &mut Rng, tenant: String, tier: &'static str) -> Self {
        let (country, city, postal, currency, region) = rng.pick(PLACES);
        Self {
            user: format!("user_{}", 1 + rng.popular(USERS)),
            tenant,
            tier,
            session: rng.hex(24),
            address: format!(
                "{}.{}.{}.{}",
                80 + rng.below(120),
                rng.below(256),
                rng.below(256),
                1 + rng.below(254)
            ),
            user_agent: rng.pick(USER_AGENTS),
            country,
            city,
            postal_code: format!("{postal}{:02}", rng.below(100)),
            currency,
            region,
        }
    }
}
