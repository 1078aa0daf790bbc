//! Health checks: short traces of one span, from every service, in great number.

use crate::fleet::SERVICES;
use crate::http::Http;
use crate::rates;
use crate::record::Recorder;
use crate::story::Story;

/// A probe of the kubelet.
pub(crate) fn probe(r: &mut Recorder<'_>) {
    r.tell(Story::HealthCheck);
    let place = r.rng.below(SERVICES.len() as u64) as usize;
    let service = SERVICES[place].service;
    let fails = r.rng.chance(rates::HEALTH_CHECK_FAILS);
    let http = Http::new("GET", "/healthz", "/healthz");
    r.serve_http(service, &http, |r| {
        r.set("user_agent.original", "kube-probe/1.34");
        r.work(0.3);
        if fails { 503 } else { 200 }
    });
}
