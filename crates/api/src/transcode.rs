//! OTLP/JSON to protobuf, off the runtime's threads and bounded.

use std::sync::Arc;

use bytes::Bytes;
use collect::Encoding;
use tokio::sync::Semaphore;

use crate::codes::{Code, Rejection};

/// Turns JSON bodies into protobuf. Cheap to clone; clones share one bound on how many run at a time.
#[derive(Clone)]
pub(crate) struct Transcoder {
    inflated_bytes_max: usize,
    running: Arc<Semaphore>,
}

impl Transcoder {
    /// At most `jobs_max` bodies at a time, each of at most `inflated_bytes_max` bytes before and after: so the memory
    /// beside the bodies themselves is at most twice their product.
    pub(crate) fn new(inflated_bytes_max: usize, jobs_max: usize) -> Self {
        Self {
            inflated_bytes_max,
            running: Arc::new(Semaphore::new(jobs_max)),
        }
    }

    /// The same request as uncompressed protobuf.
    pub(crate) async fn to_protobuf(
        &self,
        encoding: Encoding,
        body: Bytes,
    ) -> Result<Bytes, Rejection> {
        let stopped = || Rejection::permanent(Code::Internal, "the transcoder was stopped");
        let slot = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| stopped())?;
        let limit = self.inflated_bytes_max;
        let job = tokio::task::spawn_blocking(move || {
            let protobuf = transcode(encoding, &body, limit);
            drop(slot);
            protobuf
        });
        job.await.map_err(|_| stopped())?
    }
}

fn transcode(encoding: Encoding, body: &[u8], limit: usize) -> Result<Bytes, Rejection> {
    let mut inflated = Vec::new();
    let json = match encoding {
        Encoding::Identity => body,
        _ => {
            collect::inflate(encoding, body, limit, &mut inflated)?;
            &inflated
        }
    };
    wire::otlp_json::to_protobuf(json)
        .map(Bytes::from)
        .map_err(|error| Rejection::permanent(Code::InvalidArgument, error.to_string()))
}
