//! Finding traces, reading rows, listing ids; and weather that passes.

use std::collections::BTreeSet;
use std::time::Duration;

use block::RowRange;
use store::testing::Faults;
use store::{ErrorKind, Operation};

use crate::support::{
    World, block_of, made, span_id, tell, tell_sent, tell_trace, trace, trace_id,
};

#[tokio::test]
async fn a_trace_is_found_whole_in_all_its_blocks_without_a_time() {
    let world = World::new();
    let store = world.open().await;
    let whole = trace(7, 30, world.now());
    for (number, piece) in whole.chunks(10).enumerate() {
        let mut spans = piece.to_vec();
        for other in 0..20 {
            spans.extend(trace(100 + number as u64 * 20 + other, 3, world.now()));
        }
        store
            .add(block_of(&spans, made(world.now())))
            .await
            .unwrap();
    }
    for _ in 0..2 {
        assert_eq!(tell_trace(&store, 7).await, (tell_sent(&whole), vec![]));
    }
    for number in [100, 119, 159] {
        let expected = tell_sent(&trace(number, 3, world.now()));
        assert_eq!(tell_trace(&store, number).await, (expected, vec![]));
    }
    let (nothing, unreadable) = tell_trace(&store, 5000).await;
    assert!(nothing.is_empty() && unreadable.is_empty());
}

#[tokio::test]
async fn a_trace_is_found_in_a_table_that_is_in_memory_and_in_one_of_many_pages() {
    let world = World::new();
    let store = world.open().await;
    // More traces than a page of traces.parquet holds.
    let spans: Vec<_> = (0..20_000)
        .flat_map(|number| trace(number, 1, world.now()))
        .collect();
    store
        .add(block_of(&spans, made(world.now())))
        .await
        .unwrap();
    let expected = |number| (tell_sent(&trace(number, 1, world.now())), vec![]);
    for number in [0, 9_999, 19_999, 12_345] {
        assert_eq!(tell_trace(&store, number).await, expected(number));
    }
    let before = store.stats().operation(Operation::Get).bytes;
    assert_eq!(tell_trace(&store, 4_321).await, expected(4_321));
    let read = store.stats().operation(Operation::Get).bytes - before;
    assert!(read < store.stats().bytes / 4, "{read} bytes read");
    store.trace_table(&store.blocks()[0]).await.unwrap();
    assert_eq!(tell_trace(&store, 777).await, expected(777));
}

#[tokio::test]
async fn rows_are_read_in_their_order_and_must_not_overlap_or_lie_outside() {
    let world = World::new();
    let store = world.open().await;
    let spans: Vec<_> = (0..50)
        .flat_map(|number| trace(number, 4, world.now()))
        .collect();
    store
        .add(block_of(&spans, made(world.now())))
        .await
        .unwrap();
    let block = &store.blocks()[0];
    let table = store.trace_table(block).await.unwrap();
    let picked: Vec<_> = [41, 3, 4, 17].map(|index| table.rows(index)).to_vec();
    let batch = store.read_rows(block, &picked).await.unwrap();
    let order: Vec<_> = batch.spans.iter().map(|span| span.trace_id).collect();
    assert!(order.is_sorted());
    let ids: BTreeSet<_> = [41, 3, 4, 17].map(|index| table.trace_id(index)).into();
    assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), ids);
    assert_eq!(tell(&batch).len(), 16);
    let overlap = [RowRange { start: 0, len: 5 }, RowRange { start: 4, len: 4 }];
    let error = store.read_rows(block, &overlap).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let outside = [RowRange { start: 196, len: 8 }];
    let error = store.read_rows(block, &outside).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(store.read_rows(block, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_ids_of_all_spans_are_listed_without_reading_the_rest() {
    let world = World::new();
    let store = world.open().await;
    let spans: Vec<_> = (0..30)
        .flat_map(|number| trace(number, 5, world.now()))
        .collect();
    store
        .add(block_of(&spans, made(world.now())))
        .await
        .unwrap();
    let mut found = BTreeSet::new();
    let each = |trace_id, span_id| assert!(found.insert((trace_id, span_id)));
    store.span_ids(&store.blocks()[0], each).await.unwrap();
    let sent = spans
        .iter()
        .map(|sent| (trace_id(sent.trace), span_id(sent.trace, sent.span)));
    assert_eq!(found, sent.collect());
}

#[tokio::test]
async fn a_list_of_blocks_from_before_a_compaction_still_leads_to_the_spans() {
    let world = World::new();
    let (store, other) = (world.open().await, world.open().await);
    let whole = trace(1, 20, world.now());
    for piece in whole.chunks(10) {
        store.add(block_of(piece, made(world.now()))).await.unwrap();
    }
    other.refresh().await.unwrap();
    store.compact_now().await.unwrap().unwrap();
    world.clock.advance(20 * 60_000_000_000);
    assert_eq!(store.collect_garbage().await.unwrap().removed_blocks, 2);
    // The other store has not heard of it, and the files that it knows are gone.
    assert_eq!(other.blocks().len(), 2);
    assert_eq!(tell_trace(&other, 1).await, (tell_sent(&whole), vec![]));
    assert_eq!(other.stats().unreadable_blocks, 0);
}

#[tokio::test]
async fn passing_weather_is_waited_out_and_lasting_weather_is_told() {
    let world = World::new();
    let store = world.open_with(|config| config.requests.attempts = 8).await;
    let store = store.unwrap();
    let spans = trace(1, 8, world.now());
    world.faulty.set_faults(Faults {
        fails: 0.3,
        loses_answer: 0.1,
        cuts_body: 0.2,
        delay_max: Duration::from_millis(1),
    });
    store
        .add(block_of(&spans, made(world.now())))
        .await
        .unwrap();
    assert_eq!(tell_trace(&store, 1).await, (tell_sent(&spans), vec![]));
    let retries: u64 = Operation::ALL
        .iter()
        .map(|operation| store.stats().operation(*operation).retries)
        .sum();
    assert!(retries > 0);
    world.faulty.set_faults(Faults::default());
    world.faulty.die();
    let cold = world.open_with(|_| {}).await;
    assert_eq!(cold.unwrap_err().kind(), ErrorKind::Retry);
    let block = block_of(&trace(2, 1, world.now()), made(world.now()));
    let error = store.add(block.clone()).await.unwrap_err();
    assert!(error.is_retry(), "{error}");
    let error = store.find_trace(trace_id(1)).await.unwrap_err();
    assert!(error.is_retry(), "{error}");
    assert_eq!(store.stats().unreadable_blocks, 0);
    world.faulty.revive();
    store.add(block).await.unwrap();
    assert_eq!(tell_trace(&store, 1).await, (tell_sent(&spans), vec![]));
}

/// The first question has the newest blocks read in the background; later ones find in the cache what they need.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_questions_will_need_is_read_ahead() {
    let world = World::new();
    let store = world.open().await;
    let spans: Vec<_> = (1..=4)
        .map(|number| trace(number, 20, world.now()))
        .collect();
    for spans in &spans {
        store.add(block_of(spans, made(world.now()))).await.unwrap();
    }
    let cold = world.open().await;
    assert_eq!(cold.stats().cache_bytes, 0);
    cold.read_ahead().unwrap().await.unwrap();
    let misses = || cold.stats().cache_misses;
    // Of each block: bloom, table, footer, columns and resources.
    assert_eq!(misses(), 4 * 5);
    for (number, spans) in (1..).zip(&spans) {
        assert_eq!(tell_trace(&cold, number).await, (tell_sent(spans), vec![]));
        assert_eq!(
            cold.summaries(&cold.blocks(), &[trace_id(number)], &[])
                .await
                .0
                .len(),
            1
        );
    }
    assert_eq!(misses(), 4 * 5);
    assert!(cold.read_ahead().is_none());
}

/// When the store hangs, the first part of a block is waited for in vain, and no other: what else there is is told at once.
#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_not_waited_for_again_and_again() {
    let world = World::new();
    let store = world.open().await;
    let spans: Vec<_> = (1..=20)
        .map(|number| trace(number, 2, world.now()))
        .collect();
    for spans in &spans {
        store.add(block_of(spans, made(world.now()))).await.unwrap();
    }
    let cold = world.open().await;
    world.faulty.set_faults(Faults {
        delay_max: Duration::from_secs(1_000_000),
        ..Faults::default()
    });
    let ids: Vec<_> = (1..=20).map(trace_id).collect();
    let begun = tokio::time::Instant::now();
    let (found, unreadable) = cold.summaries(&cold.blocks(), &ids, &[]).await;
    assert_eq!(found, []);
    assert!(!unreadable.is_empty());
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    let begun = tokio::time::Instant::now();
    let error = cold.find_trace(trace_id(1)).await.unwrap_err();
    assert!(
        error.is_retry() && error.to_string().contains("the storage does not answer"),
        "{error}"
    );
    assert_eq!(begun.elapsed(), Duration::ZERO);

    world.faulty.set_faults(Faults::default());
    tokio::time::sleep(Duration::from_secs(2)).await;
    for (number, spans) in (1..).zip(&spans) {
        assert_eq!(tell_trace(&cold, number).await, (tell_sent(spans), vec![]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_answer_ends() {
    let world = World::new();
    let store = world.open().await;
    world.faulty.set_faults(Faults {
        delay_max: Duration::from_secs(1_000_000),
        ..Faults::default()
    });
    let begun = tokio::time::Instant::now();
    let block = block_of(&trace(1, 1, world.now()), made(world.now()));
    let error = store.add(block).await.unwrap_err();
    assert!(error.is_retry(), "{error}");
    assert!(
        error.to_string().contains("no answer within 20s"),
        "{error}"
    );
    assert!(begun.elapsed() < Duration::from_secs(100));
}
