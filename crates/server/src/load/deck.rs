//! The requests as a deck of cards: taken from the top, sent, and put back below.
//!
//! A card knows how its body is shifted. Taking one shifts it to its next repetition; all cards of a repetition get the
//! same shift, decided when the first of them is taken.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use model::Clock;
use parking_lot::Mutex;

use super::client::GRPC_PREFIX;
use super::corpus::Corpus;
use super::endpoint::Protocol;
use super::patch::{Index, Shift};
use super::settings::Settings;

/// A request that is ready to be sent, and its way back into the deck.
#[derive(Debug)]
pub(super) struct Card {
    /// The body, for gRPC with its prefix.
    bytes: BytesMut,
    index: Arc<Index>,
    shift: Shift,
    repetition: u64,
}

impl Card {
    /// Spans in the request.
    pub(super) fn spans(&self) -> u64 {
        self.index.spans
    }

    /// The body, to be sent. The card gets it back by [`Card::restore`].
    pub(super) fn lend(&mut self) -> Bytes {
        std::mem::take(&mut self.bytes).freeze()
    }

    /// Takes the body back: without a copy when the connection is done with it, as it mostly is.
    pub(super) fn restore(&mut self, bytes: Bytes) {
        self.bytes = bytes
            .try_into_mut()
            .unwrap_or_else(|held| BytesMut::from(&held[..]));
    }
}

/// Whose turn it is.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) card: Card,
    /// When the request is due; none when it is sent as soon as it can be.
    pub(super) due: Option<Instant>,
}

/// The deck that all connections take from.
pub(super) struct Deck {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    rate: Option<u64>,
    duration: Option<Duration>,
    limit_spans: u64,
    replay_exact: bool,
    seed: u64,
    /// The latest end of a span in the corpus: it becomes the present.
    latest_end: u64,
    /// Bytes in front of the body.
    prefix: usize,
}

struct State {
    cards: VecDeque<Card>,
    start: Instant,
    taken_spans: u64,
    /// The shift of the repetition that the top of the deck belongs to.
    repetition: u64,
    shift: Shift,
}

impl Deck {
    pub(super) fn new(corpus: Corpus, settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        let prefix = match settings.endpoint.protocol {
            Protocol::Http => 0,
            Protocol::Grpc => GRPC_PREFIX,
        };
        let latest_end = corpus
            .bodies
            .iter()
            .map(|body| body.index.latest_end)
            .max()
            .unwrap_or(0);
        let cards = corpus.bodies.into_iter().map(|body| {
            let mut bytes = BytesMut::with_capacity(prefix + body.bytes.len());
            if prefix > 0 {
                bytes.extend_from_slice(&[0]);
                bytes.extend_from_slice(&(body.bytes.len() as u32).to_be_bytes());
            }
            bytes.extend_from_slice(&body.bytes);
            Card {
                bytes,
                index: Arc::new(body.index),
                shift: Shift::default(),
                repetition: 0,
            }
        });
        Self {
            state: Mutex::new(State {
                cards: cards.collect(),
                start: Instant::now(),
                taken_spans: 0,
                repetition: 0,
                shift: Shift::default(),
            }),
            clock,
            rate: settings.rate,
            duration: settings.duration,
            limit_spans: settings.limit_spans.unwrap_or(u64::MAX),
            replay_exact: settings.replay_exact,
            seed: settings.seed,
            latest_end,
            prefix,
        }
    }

    /// Starts the time from which requests are due.
    pub(super) fn start(&self, now: Instant) {
        self.state.lock().start = now;
    }

    /// The next request, shifted; none when the time is up, the limit is reached, or all are under way.
    ///
    /// All under way happens only with fewer requests than connections: that connection has nothing to do.
    pub(super) fn take(&self) -> Option<Turn> {
        let (mut card, due, shift) = {
            let mut state = self.state.lock();
            let due = self.rate.map(|rate| {
                let nanos = u128::from(state.taken_spans) * 1_000_000_000 / u128::from(rate);
                state.start + Duration::from_nanos(nanos as u64)
            });
            let at = due.unwrap_or_else(Instant::now);
            let up = self
                .duration
                .is_some_and(|duration| at >= state.start + duration);
            if up || state.taken_spans >= self.limit_spans {
                return None;
            }
            let mut card = state.cards.pop_front()?;
            state.taken_spans += card.spans();
            card.repetition += 1;
            if card.repetition > state.repetition {
                state.repetition = card.repetition;
                state.shift = self.shift(card.repetition);
            }
            (card, due, state.shift)
        };
        // Outside the lock: this is where the work is.
        card.index
            .apply(&mut card.bytes[self.prefix..], card.shift.to(shift));
        card.shift = shift;
        Some(Turn { card, due })
    }

    /// Puts a card back.
    pub(super) fn put(&self, card: Card) {
        self.state.lock().cards.push_back(card);
    }

    fn shift(&self, repetition: u64) -> Shift {
        if self.replay_exact {
            return Shift::default();
        }
        let mut rng = shop::Rng::new(self.seed ^ repetition.rotate_left(32));
        Shift {
            trace_mask: [rng.bits(), rng.bits()],
            span_mask: rng.bits(),
            nanos: (self.clock.now().0 as u64).wrapping_sub(self.latest_end),
        }
    }
}
