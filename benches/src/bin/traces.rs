//! What a trace by id costs over a folder of blocks, without HTTP: the first thousand, others when all blocks were read, and the
//! best of five answers each, in ms.
//!
//! `cargo run --release -p benches --bin traces -- FOLDER/blocks [traces] [seed]`. Nothing else may use the folder.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool")]

use std::time::Instant;

use benches::{Opened, open, processor_millis};
use model::TraceId;
use query::Query;
use store::Store;

/// As in the server.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Answers of which the best counts.
const ANSWERS: usize = 5;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("a folder of blocks");
    let count = arguments
        .next()
        .map_or(1000, |count| count.parse().unwrap());
    let seed = arguments.next().map_or(1, |seed| seed.parse().unwrap());
    let Opened { query, store, .. } = open(&folder).await;
    let mut random = Random(seed);
    let all = all_ids(&store).await;
    let mut some =
        || -> Vec<TraceId> { (0..count).map(|_| all[random.below(all.len())]).collect() };
    println!("  median      p99    worst      cpu");
    run("the first", &query, &some(), 1).await;
    for _ in 0..3 {
        run("others", &query, &some(), 1).await;
    }
    run("best of five", &query, &some(), ANSWERS).await;
}

async fn run(label: &str, query: &Query, ids: &[TraceId], answers: usize) {
    let mut times = Vec::with_capacity(ids.len());
    let cpu = processor_millis();
    for &id in ids {
        let mut best = f64::INFINITY;
        for _ in 0..answers {
            let started = Instant::now();
            let query = query.clone();
            // On a thread of the runtime, as in the server.
            let found = tokio::spawn(async move { query.trace(id).await.unwrap().unwrap() });
            let found = found.await.unwrap();
            best = best.min(started.elapsed().as_secs_f64() * 1e3);
            assert!(found.missing.is_empty() && !found.spans.is_empty());
        }
        times.push(best);
    }
    let cpu = (processor_millis() - cpu) / (ids.len() * answers) as f64;
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!(
        "{:8.3} {:8.3} {:8.3} {cpu:8.3}  {label} ({} traces)",
        at(50),
        at(99),
        times[times.len() - 1],
        ids.len()
    );
}

async fn all_ids(store: &Store) -> Vec<TraceId> {
    let mut ids = Vec::new();
    for block in store.blocks().iter() {
        let table = store.trace_table(block).await.unwrap();
        ids.extend((0..table.len()).map(|at| table.trace_id(at)));
    }
    ids
}

/// SplitMix64: the same traces in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
