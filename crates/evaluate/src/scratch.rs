//! Memory that one run needs for a moment and the next can use again.

use hashbrown::HashMap;

use crate::keys::Keys;
use crate::node::NONE;
use crate::tree::Tree;

/// Lists kept for later; a query has rarely more in hand at once.
const MAX_LISTS: usize = 16;

/// Several children, in [`OnlyChildren`].
const SEVERAL: u32 = u32::MAX - 1;

/// Memory to work in.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    lists: Vec<Vec<u32>>,
    bits: Bits,
    only_children: OnlyChildren,
    pub(crate) groups: Groups,
}

/// What spansets are split with.
#[derive(Debug)]
pub(crate) struct Groups {
    pub(crate) keys: Keys,
    /// Groups by [`Part::code`](crate::keys::Part::code), without looking at texts.
    pub(crate) by_code: HashMap<u32, u32>,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            keys: Keys::new(1),
            by_code: HashMap::new(),
        }
    }
}

impl Groups {
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.by_code.clear();
    }
}

impl Scratch {
    /// An empty list.
    pub(crate) fn list(&mut self) -> Vec<u32> {
        self.lists.pop().unwrap_or_default()
    }

    /// Takes a list that is no longer needed.
    pub(crate) fn give(&mut self, mut list: Vec<u32>) {
        if self.lists.len() < MAX_LISTS {
            list.clear();
            self.lists.push(list);
        }
    }

    /// No numbers yet; there is room for those below `count`.
    pub(crate) fn bits(&mut self, count: usize) -> &mut Bits {
        self.bits.clear(count);
        &mut self.bits
    }

    /// All numbers of the lists, ascending, each once; all are below `count`.
    pub(crate) fn union(
        &mut self,
        lists: impl IntoIterator<Item = Vec<u32>>,
        count: usize,
    ) -> Vec<u32> {
        let mut lists = lists.into_iter();
        let Some(mut first) = lists.next() else {
            return self.list();
        };
        let mut is_alone = true;
        for list in lists {
            if is_alone {
                is_alone = false;
                self.bits.clear(count);
                first.iter().for_each(|at| self.bits.insert(*at));
            }
            list.iter().for_each(|at| self.bits.insert(*at));
            self.give(list);
        }
        if !is_alone {
            first.clear();
            self.bits.collect(&mut first);
        }
        first
    }

    /// Of every parent, which of these spans are its children.
    pub(crate) fn only_children(&mut self, spans: &[u32], tree: &Tree<'_>) -> &OnlyChildren {
        let of = &mut self.only_children.0;
        if of.len() < tree.len() {
            of.resize(tree.len(), NONE);
        }
        for at in spans {
            if let Some(parent) = tree.parent(*at) {
                let known = &mut of[parent as usize];
                *known = if *known == NONE { *at } else { SEVERAL };
            }
        }
        &self.only_children
    }

    /// Takes back what [`Self::only_children`] noted.
    pub(crate) fn forget_children(&mut self, spans: &[u32], tree: &Tree<'_>) {
        for parent in spans.iter().filter_map(|at| tree.parent(*at)) {
            self.only_children.0[parent as usize] = NONE;
        }
    }
}

/// For each span its only child of some, or that there are several, or none.
#[derive(Debug, Default)]
pub(crate) struct OnlyChildren(Vec<u32>);

impl OnlyChildren {
    /// Whether a child other than this one was noted.
    pub(crate) fn has_other(&self, parent: u32, child: u32) -> bool {
        let known = self.0[parent as usize];
        known != NONE && known != child
    }
}

/// A set of small numbers.
#[derive(Debug, Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    fn clear(&mut self, count: usize) {
        self.0.clear();
        self.0.resize(count.div_ceil(64), 0);
    }

    #[inline]
    pub(crate) fn insert(&mut self, number: u32) {
        self.0[number as usize / 64] |= 1 << (number % 64);
    }

    #[inline]
    pub(crate) fn contains(&self, number: u32) -> bool {
        self.0[number as usize / 64] & 1 << (number % 64) != 0
    }

    /// Appends the numbers, ascending.
    fn collect(&self, out: &mut Vec<u32>) {
        for (word, base) in self.0.iter().zip((0u32..).step_by(64)) {
            let mut left = *word;
            while left != 0 {
                out.push(base + left.trailing_zeros());
                left &= left - 1;
            }
        }
    }
}
