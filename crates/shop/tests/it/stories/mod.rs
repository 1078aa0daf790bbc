//! Each story is visible in the spans alone, absent where its label is, and frequent enough to be found in an hour.

mod asynchronous;
mod databases;
mod errors;
mod latency;
mod probes;

use std::collections::HashMap;

use shop::{Scene, Story};

use crate::support::hour;

#[test]
fn an_hour_tells_every_story_more_than_once() {
    let mut told: HashMap<Story, usize> = HashMap::new();
    for (_, visit) in hour() {
        for story in &visit.stories {
            *told.entry(*story).or_default() += 1;
        }
    }
    for story in Story::ALL {
        let count = told.get(&story).copied().unwrap_or(0);
        println!("{story:?}: {count}");
        assert!(count >= 2, "{story:?} was told {count} times");
    }
}

#[test]
fn rare_stories_are_rare() {
    let hour = hour();
    let share = |scene: Scene, story: Story| {
        let visits = hour
            .iter()
            .filter(|(_, visit)| visit.scene == scene)
            .count();
        let told = hour
            .iter()
            .filter(|(_, visit)| visit.stories.contains(&story))
            .count();
        told as f64 / visits as f64
    };
    assert!(share(Scene::Checkout, Story::PaymentTimeouts) < 0.06);
    assert!(share(Scene::Checkout, Story::OrderEventLost) < 0.06);
    assert!(share(Scene::Checkout, Story::OrderEvent) > 0.8);
}
