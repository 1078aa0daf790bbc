//! The services of the shop, their instances, hosts, clocks and releases.

use std::collections::HashMap;
use std::sync::Arc;

use model::UnixNanos;

use crate::language::{Language, Scopes};
use crate::rates;
use crate::rng::{Rng, mix};
use crate::span::{Attribute, Resource, Scope};

/// A service of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    Frontend,
    ApiGateway,
    MobileBff,
    Checkout,
    Cart,
    Payment,
    Fraud,
    Inventory,
    WarehouseLegacy,
    Catalog,
    Search,
    Recommendation,
    Pricing,
    Tax,
    Geo,
    Shipping,
    Currency,
    Orders,
    OrderFulfilment,
    Notification,
    Invoice,
    User,
    Session,
    Review,
    Ads,
}

/// What is the same for all instances of a service.
#[derive(Debug)]
pub(crate) struct ServiceFacts {
    pub(crate) service: Service,
    pub(crate) name: &'static str,
    pub(crate) team: &'static str,
    pub(crate) language: Language,
    /// The package that its own spans and its RPC methods are named after.
    pub(crate) package: &'static str,
    pub(crate) port: i64,
    /// Major and minor version; the patch grows with each release.
    version: (u32, u32),
    /// Hours between releases.
    release_hours: i64,
}

macro_rules! services {
    ($($service:ident $name:literal $team:literal $language:ident $package:literal $port:literal ($major:literal . $minor:literal) $hours:literal;)*) => {
        pub(crate) const SERVICES: &[ServiceFacts] = &[$(ServiceFacts {
            service: Service::$service,
            name: $name,
            team: $team,
            language: Language::$language,
            package: $package,
            port: $port,
            version: ($major, $minor),
            release_hours: $hours,
        }),*];
    };
}

services! {
    Frontend        "frontend"          "storefront"  Nodejs "@shop/frontend"              3000 (8 . 41)  6;
    ApiGateway      "api-gateway"       "platform"    Go     "shop.internal/gateway"       8080 (5 . 2)   49;
    MobileBff       "mobile-bff"        "mobile"      Nodejs "@shop/mobile-bff"            3100 (4 . 7)   19;
    Checkout        "checkout"          "checkout"    Go     "shop.checkout.v1"            5050 (3 . 19)  11;
    Cart            "cart"              "checkout"    Dotnet "shop.cart.v1"                7070 (2 . 30)  23;
    Payment         "payment"           "payments"    Java   "com.shop.payment"            50051 (6 . 4)  31;
    Fraud           "fraud-check"       "payments"    Python "shop.fraud.v1"               9600 (3 . 7)   1_000_000;
    Inventory       "inventory"         "logistics"   Java   "com.shop.inventory"          8085 (4 . 12)  29;
    WarehouseLegacy "warehouse-legacy"  "logistics"   Php    "warehouse"                   80 (1 . 4)     5_000;
    Catalog         "catalog"           "storefront"  Go     "shop.catalog.v2"             3550 (7 . 8)   13;
    Search          "search"            "storefront"  Java   "com.shop.search"             8090 (3 . 3)   27;
    Recommendation  "recommendation"    "discovery"   Python "shop.recommendation.v1"      8081 (2 . 15)  9;
    Pricing         "pricing"           "commerce"    Rust   "shop.pricing.v1"             6000 (1 . 27)  17;
    Tax             "tax"               "commerce"    Ruby   "shop/tax"                    9292 (2 . 9)   61;
    Geo             "geo"               "platform"    Python "shop.geo.v1"                 8600 (1 . 6)   97;
    Shipping        "shipping"          "logistics"   Rust   "shop.shipping.v1"            50052 (2 . 2)  37;
    Currency        "currency"          "commerce"    Cpp    "shop.currency.v1"            7001 (1 . 11)  211;
    Orders          "orders"            "checkout"    Java   "com.shop.orders"             8070 (5 . 16)  21;
    OrderFulfilment "order-fulfilment"  "logistics"   Java   "com.shop.fulfilment"         8071 (3 . 1)   33;
    Notification    "notification"      "crm"         Erlang "notification"                4000 (1 . 22)  43;
    Invoice         "invoice"           "finance"     Dotnet "Shop.Invoice"                7300 (2 . 5)   71;
    User            "user"              "identity"    Go     "shop.user.v1"                5100 (4 . 0)   39;
    Session         "session"           "identity"    Rust   "shop.session.v1"             5200 (1 . 14)  83;
    Review          "review"            "storefront"  Ruby   "shop/review"                 9300 (3 . 6)   25;
    Ads             "ads"               "discovery"   Java   "com.shop.ads"                9555 (2 . 0)   15;
}

impl Service {
    pub(crate) fn facts(self) -> &'static ServiceFacts {
        let facts = &SERVICES[self as usize];
        debug_assert!(
            facts.service == self,
            "the table is in the order of the enum"
        );
        facts
    }
}

/// Where a visit is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Region {
    Ireland,
    Virginia,
}

impl Region {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ireland => "eu-west-1",
            Self::Virginia => "us-east-1",
        }
    }

    /// Instances of each service.
    fn instances(self) -> u64 {
        match self {
            Self::Ireland => 2,
            Self::Virginia => 1,
        }
    }

    fn hosts(self) -> u64 {
        match self {
            Self::Ireland => 6,
            Self::Virginia => 4,
        }
    }
}

/// The hours since opening, and the nanoseconds in some units.
pub(crate) const SECOND: i64 = 1_000_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// A running process of a service.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) facts: &'static ServiceFacts,
    pub(crate) resource: Arc<Resource>,
    /// The library of its own spans.
    pub(crate) tracer: Arc<Scope>,
    /// Address in the cluster.
    pub(crate) address: String,
    /// How much the clock of its host is ahead, in nanoseconds.
    pub(crate) skew: i64,
    /// Whether it runs the fraud model that is slow.
    pub(crate) slow_model: bool,
}

/// All services, with the instances that were seen so far.
#[derive(Debug)]
pub(crate) struct Fleet {
    seed: u64,
    opened: UnixNanos,
    pub(crate) scopes: Scopes,
    instances: HashMap<(Service, Region, u64, Version), Arc<Instance>>,
}

type Version = (u32, u32, u32);

impl Fleet {
    pub(crate) fn new(seed: u64, opened: UnixNanos) -> Self {
        Self {
            seed,
            opened,
            scopes: Scopes::new(),
            instances: HashMap::new(),
        }
    }

    /// One of the instances that run at `at`.
    pub(crate) fn pick(
        &mut self,
        service: Service,
        region: Region,
        at: i64,
        rng: &mut Rng,
    ) -> Arc<Instance> {
        let slot = rng.below(region.instances());
        self.instance(service, region, slot, at)
    }

    fn instance(&mut self, service: Service, region: Region, slot: u64, at: i64) -> Arc<Instance> {
        let version = self.version(service, region, slot, at);
        let seed = self.seed;
        let instance = self
            .instances
            .entry((service, region, slot, version))
            .or_insert_with(|| Arc::new(start(seed, service.facts(), region, slot, version)));
        Arc::clone(instance)
    }

    /// What an instance runs at `at`. Releases are spread over the fleet and reach one instance after the other.
    fn version(&self, service: Service, region: Region, slot: u64, at: i64) -> Version {
        let facts = service.facts();
        let turn = slot as i64 + 2 * i64::from(region == Region::Virginia);
        let since = at - self.opened.0 - turn * 2 * MINUTE;
        let (major, minor) = facts.version;
        if service == Service::Fraud {
            // The slow version stops at the last instance: somebody paused the rollout, and went home.
            let slow = turn < 2 && since >= rates::FRAUD_ROLLOUT_MINUTES * MINUTE;
            return if slow {
                (major, minor + 1, 0)
            } else {
                (major, minor, 4)
            };
        }
        let period = facts.release_hours * HOUR;
        let offset = (mix(service as u64 ^ self.seed) % period as u64) as i64;
        let releases = (since + offset).div_euclid(period).clamp(-40, 1_000);
        (major, minor, (releases + 40) as u32)
    }
}

/// The process of an instance: everything about it follows from the seed and the arguments.
fn start(
    seed: u64,
    facts: &'static ServiceFacts,
    region: Region,
    slot: u64,
    version: Version,
) -> Instance {
    let place = mix(seed ^ ((facts.service as u64) << 8 | slot << 1 | region as u64));
    let (major, minor, patch) = version;
    let mut rng = Rng::new(place ^ mix(u64::from(minor) << 32 | u64::from(patch)));
    let host = place % region.hosts();
    let mut host_rng = Rng::new(mix(seed ^ 0x0005_7e0f ^ host << 1 ^ region as u64));
    let skew = (host_rng.normal() * 0.5e6).clamp(-1.5e6, 1.5e6) as i64;
    let version = format!("{major}.{minor}.{patch}");
    let address = format!(
        "10.{}.{}.{}",
        32 + region as u64,
        rng.below(16),
        2 + rng.below(250)
    );
    let attributes = resource_attributes(&mut rng, facts, region, host, &version, &address);
    Instance {
        facts,
        resource: Arc::new(Resource {
            attributes,
            dropped_attributes: 0,
            schema_url: facts.language.facts().conventions.schema_url().into(),
        }),
        tracer: Arc::new(Scope {
            name: facts.package.into(),
            version: version.into(),
            ..Scope::default()
        }),
        address,
        skew,
        slow_model: facts.service == Service::Fraud && minor > facts.version.1,
    }
}

fn resource_attributes(
    rng: &mut Rng,
    facts: &ServiceFacts,
    region: Region,
    host: u64,
    version: &str,
    address: &str,
) -> Vec<Attribute> {
    let language = facts.language.facts();
    let zone = ["a", "b", "c"][(host % 3) as usize];
    let node = format!(
        "ip-10-{}-{}-{}.{}.compute.internal",
        32 + region as u64,
        host,
        11 + host * 7,
        region.name()
    );
    let pod = format!("{}-{}-{}", facts.name, rng.hex(9), rng.hex(5));
    vec![
        Attribute::new("service.name", facts.name),
        Attribute::new("service.namespace", "shop"),
        Attribute::new("service.version", version),
        Attribute::new("service.instance.id", uuid(rng)),
        Attribute::new("deployment.environment.name", "production"),
        Attribute::new("telemetry.sdk.name", "opentelemetry"),
        Attribute::new("telemetry.sdk.language", language.sdk.0),
        Attribute::new("telemetry.sdk.version", language.sdk.1),
        Attribute::new("process.runtime.name", language.runtime.0),
        Attribute::new("process.runtime.version", language.runtime.1),
        Attribute::new("process.pid", 1_i64),
        Attribute::new("host.name", node.clone()),
        Attribute::new("host.arch", "arm64"),
        Attribute::new("os.type", "linux"),
        Attribute::new(
            "container.image.name",
            format!("registry.shop.example/{}/{}", facts.team, facts.name),
        ),
        Attribute::new(
            "container.image.tags",
            model::Value::Array(vec![model::Value::Str(version.to_owned())]),
        ),
        Attribute::new("k8s.cluster.name", format!("shop-{}", region.name())),
        Attribute::new("k8s.namespace.name", facts.team),
        Attribute::new("k8s.deployment.name", facts.name),
        Attribute::new("k8s.pod.name", pod),
        Attribute::new("k8s.pod.uid", uuid(rng)),
        Attribute::new("k8s.pod.ip", address),
        Attribute::new("k8s.node.name", node),
        Attribute::new("cloud.provider", "aws"),
        Attribute::new("cloud.region", region.name()),
        Attribute::new(
            "cloud.availability_zone",
            format!("{}{zone}", region.name()),
        ),
    ]
}

/// A random UUID of version 4.
pub(crate) fn uuid(rng: &mut Rng) -> String {
    let hex = rng.hex(30);
    let variant = ["8", "9", "a", "b"][rng.below(4) as usize];
    format!(
        "{}-{}-4{}-{variant}{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..15],
        &hex[15..18],
        &hex[18..]
    )
}
