//! The shop itself: visits on demand.

use model::UnixNanos;

use crate::fleet::{Fleet, SERVICES};
use crate::history::History;
use crate::long;
use crate::pages;
use crate::rates::{self, visits};
use crate::record::Recorder;
use crate::rng::Rng;
use crate::span::ServiceSpans;
use crate::stories::health_check;
use crate::story::Story;
use crate::visitor::Visitor;

/// What somebody, or something, does in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scene {
    /// The home page.
    Home,
    /// The page of a product.
    Product,
    /// A search.
    Search,
    /// Something is put into the cart.
    CartAdd,
    /// The cart is looked at.
    Cart,
    /// An order is placed.
    Checkout,
    /// The customer's orders are listed.
    OrderHistory,
    /// Somebody signs in.
    Login,
    /// A job brings the stock into the search index.
    StockSync,
    /// A probe.
    HealthCheck,
}

impl Scene {
    /// Every scene but the probes, with its weight.
    const WEIGHTS: [(Self, u64); 9] = [
        (Self::Home, visits::HOME),
        (Self::Product, visits::PRODUCT),
        (Self::Search, visits::SEARCH),
        (Self::CartAdd, visits::CART_ADD),
        (Self::Cart, visits::CART),
        (Self::Checkout, visits::CHECKOUT),
        (Self::OrderHistory, visits::ORDER_HISTORY),
        (Self::Login, visits::LOGIN),
        (Self::StockSync, visits::STOCK_SYNC),
    ];

    fn random(rng: &mut Rng) -> Self {
        if rng.chance(rates::HEALTH_CHECK) {
            return Self::HealthCheck;
        }
        let mut ticket = rng.below(Self::WEIGHTS.iter().map(|(_, weight)| weight).sum());
        for (scene, weight) in Self::WEIGHTS {
            if ticket < weight {
                return scene;
            }
            ticket -= weight;
        }
        Self::Home
    }
}

/// What one visit caused.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// What was done.
    pub scene: Scene,
    /// What the traces show; the truth to score a detector against, in the order in which it happened.
    pub stories: Vec<Story>,
    /// The spans, by process. Mostly of one trace; lost context and consumed messages begin further ones.
    pub services: Vec<ServiceSpans>,
}

impl Visit {
    /// Spans of all processes.
    pub fn span_count(&self) -> usize {
        self.services.iter().map(|group| group.spans.len()).sum()
    }
}

/// A shop. Everything that it does follows from its seed, its opening, and what was asked of it before.
#[derive(Debug)]
pub struct Shop {
    rng: Rng,
    fleet: Fleet,
    opened: UnixNanos,
}

impl Shop {
    /// A shop that opens at `opened`: releases and cache storms are timed from there. The slow fraud model is rolled out
    /// 35 minutes later. Visits may also lie before the opening.
    pub fn new(seed: u64, opened: UnixNanos) -> Self {
        Self {
            rng: Rng::new(seed),
            fleet: Fleet::new(seed, opened),
            opened,
        }
    }

    /// The names of its services.
    pub fn services() -> impl Iterator<Item = &'static str> {
        SERVICES.iter().map(|facts| facts.name)
    }

    /// A visit of any kind that begins at `at`. Allocates for most attributes: make visits before what is measured, not during.
    pub fn visit(&mut self, at: UnixNanos) -> Visit {
        let scene = Scene::random(&mut self.rng);
        self.play(scene, at)
    }

    /// A visit of this kind.
    pub fn play(&mut self, scene: Scene, at: UnixNanos) -> Visit {
        let visitor = Visitor::random(&mut self.rng);
        let mut r = Recorder::new(&mut self.rng, &mut self.fleet, visitor, self.opened, at);
        match scene {
            Scene::Home => pages::home::visit(&mut r),
            Scene::Product => pages::product::visit(&mut r),
            Scene::Search => pages::search::visit(&mut r),
            Scene::CartAdd => pages::cart::add(&mut r),
            Scene::Cart => pages::cart::visit(&mut r),
            Scene::Checkout => pages::checkout::visit(&mut r),
            Scene::OrderHistory => pages::order_history::visit(&mut r),
            Scene::Login => pages::login::visit(&mut r),
            Scene::StockSync => pages::stock_sync::run(&mut r),
            Scene::HealthCheck => health_check::probe(&mut r),
        }
        let (services, stories) = r.finish();
        Visit {
            scene,
            stories,
            services,
        }
    }

    /// The first visit of this kind at `at` that tells `story`, however many it takes up to a bound; `None` when the
    /// story does not happen in that scene or at that time.
    pub fn find(&mut self, scene: Scene, story: Story, at: UnixNanos) -> Option<Visit> {
        /// The rarest story is told about once in a hundred visits of its scene.
        const ATTEMPTS: usize = 10_000;
        (0..ATTEMPTS)
            .map(|_| self.play(scene, at))
            .find(|visit| visit.stories.contains(&story))
    }

    /// The visits between `from` and `until` in the order of their starts: `visits_per_second` on average, in waves.
    pub fn history(
        &mut self,
        from: UnixNanos,
        until: UnixNanos,
        visits_per_second: f64,
    ) -> History<'_> {
        History::new(self, from, until, visits_per_second)
    }

    /// One trace of exactly `spans` spans that begins at `at`: an import job, broad and some levels deep, with
    /// repeated statements, errors and a few thousand items. For limits and for the page.
    pub fn long_trace(&mut self, at: UnixNanos, spans: usize) -> Vec<ServiceSpans> {
        let visitor = Visitor::random(&mut self.rng);
        let r = Recorder::new(&mut self.rng, &mut self.fleet, visitor, self.opened, at);
        long::import(r, spans)
    }

    pub(crate) fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }
}
