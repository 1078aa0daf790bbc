//! Guessing the next attribute key.
//!
//! Instrumentation writes its attributes in the same order again and again. So the key that followed the last time after
//! the same key (for the first attribute: after the same span name) is nearly always the one that follows now, and one
//! comparison of bytes replaces a hash and a probe of the symbol table.

use model::{Symbol, SymbolOverflow, Symbols};

/// Guesses remembered; a power of two. More keys than this share places, which costs time and nothing else.
const SLOTS: usize = 128;

#[derive(Debug, Clone, Copy)]
struct Guess<'a> {
    key: &'a [u8],
    symbol: Symbol,
}

/// Which key followed which, within one request whose bytes live for `'a`.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    after: [Guess<'a>; SLOTS],
}

impl<'a> Keys<'a> {
    pub(super) fn new() -> Self {
        // An empty key is the empty symbol: a right guess even before anything was seen.
        let nothing = Guess {
            key: b"",
            symbol: Symbol::EMPTY,
        };
        Self {
            after: [nothing; SLOTS],
        }
    }

    /// The symbol of `key`, which comes after `previous`; `None` when it is not UTF-8.
    #[inline]
    pub(super) fn intern(
        &mut self,
        previous: Symbol,
        key: &'a [u8],
        symbols: &mut Symbols,
    ) -> Result<Option<Symbol>, SymbolOverflow> {
        let guess = &mut self.after[previous.index() % SLOTS];
        if guess.key == key {
            return Ok(Some(guess.symbol));
        }
        let symbol = symbols.intern_utf8(key)?;
        if let Some(symbol) = symbol {
            *guess = Guess { key, symbol };
        }
        Ok(symbol)
    }
}
