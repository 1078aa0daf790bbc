//! The checks of the fuzzers over their corpus and over mutations of it: the same ones in every run, in seconds. Compiled into the
//! tests of the crates.

use std::path::Path;

/// Mutations of each file of a corpus: about a second in an unoptimised build.
const MUTATIONS: usize = 400;

/// Bytes that mean something in protobuf, JSON or TraceQL, for a mutation to put in.
const TELLING: &[u8] = b"\x00\x01\x08\x0a\x0b\x0c\x12\x4a\x5a\x7f\x80\xff\"\\{}[]()|&=~<>:,0-9ne";

/// Runs a check over the corpus of a target and over mutations of it.
///
/// # Panics
/// When the check does, and when there is no corpus.
pub fn run(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder.join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let corpus: Vec<Vec<u8>> = files.iter().map(|f| std::fs::read(f).unwrap()).collect();
    assert!(!corpus.is_empty());
    let mut random = Random(0x7472_6163_6573);
    for (file, input) in files.iter().zip(&corpus) {
        check_or_show(check, input, &format!("{}", file.display()));
        for round in 0..MUTATIONS {
            let mut mutated = input.clone();
            for _ in 0..=random.below(3) {
                mutate(&mut mutated, &corpus, &mut random);
            }
            check_or_show(check, &mutated, &format!("mutation {round} of {file:?}"));
        }
    }
}

/// Runs the check; when it fails, prints the input so that it can become a file of the corpus.
#[allow(clippy::print_stderr)] // shown with the failed test
fn check_or_show(check: fn(&[u8]), input: &[u8], name: &str) {
    if let Err(panic) = std::panic::catch_unwind(|| check(input)) {
        eprintln!("{name}: {}", input.escape_ascii());
        std::panic::resume_unwind(panic);
    }
}

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let len = random.below(12).min(input.len() - at);
    match random.below(7) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = TELLING[random.below(TELLING.len())],
        2 => input.insert(at, TELLING[random.below(TELLING.len())]),
        3 => drop(input.drain(at..at + len)),
        4 => input.truncate(at),
        5 => {
            let piece = input[at..at + len].to_vec();
            input.splice(at..at, piece);
        }
        _ => {
            let other = &corpus[random.below(corpus.len())];
            let from = random.below(other.len() + 1);
            let to = from + random.below(64).min(other.len() - from);
            input.splice(at..at + len, other[from..to].iter().copied());
        }
    }
}

/// SplitMix64: small, good enough, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }
}
