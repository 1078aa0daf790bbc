//! What the parts of the server would refuse of the settings, said before any of them is opened.

use crate::config::Settings;
use crate::config::written::Problem;

use super::engines::{collect_settings, storage_url};
use super::ports::tls_of;

/// Each with the setting to mend. Reads the files that TLS names, and opens nothing else.
pub(crate) fn problems(settings: &Settings) -> Vec<Problem> {
    let tls = tls_of(settings).err();
    let storage = store::check_object_store(&storage_url(settings)).err();
    let storage = storage.map(|error| Problem {
        place: "storage".into(),
        text: error.to_string(),
    });
    let collect = collect_settings(settings).check().err();
    let collect = collect.and_then(|error| {
        let (place, text) = match error.setting {
            "live_bytes_max" => ("live.memory_max", error.reason),
            "flush_interval" => (
                "live.flush_interval",
                "must not be shorter than live.decision_wait".to_owned(),
            ),
            // The others are checked where settings are fitted together.
            _ => return None,
        };
        let place = place.to_owned();
        Some(Problem { place, text })
    });
    tls.into_iter().chain(storage).chain(collect).collect()
}
