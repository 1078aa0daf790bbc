//! The search page.

use crate::fleet::Service;
use crate::goods;
use crate::http::Http;
use crate::pages::page;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::stories::{miss_storm, swallowed_error, vip_only_error};

/// `GET /search`
pub(crate) fn visit(r: &mut Recorder<'_>) {
    let words = goods::search_words(r.rng);
    let number = 1 + r.rng.popular(6);
    let http = Http::new("GET", "/search", "/search")
        .query(format!("q={}&page={number}", words.replace(' ', "+")));
    page(r, &http, |r| {
        let mut fork = r.fork();
        fork.branch(r, |r| {
            find(r, words, number);
            let count = r.rng.between(3, 6);
            let hits: Vec<String> = (0..count).map(|_| goods::product(r.rng)).collect();
            miss_storm::products(r, &hits);
            vip_only_error::prices(r, count);
        });
        fork.branch(r, swallowed_error::advertisements);
        fork.join(r);
        200
    });
}

fn find(r: &mut Recorder<'_>, words: &str, page: u64) -> Code {
    r.call_grpc(Service::Search, "SearchService/Query", |r| {
        r.describe_tenant();
        r.set("search.query", words);
        r.set("search.page", page as i64);
        r.internal("QueryParser.parse", |r| r.work(0.4));
        let text = format!(
            r#"{{"query":{{"bool":{{"must":[{{"match":{{"title":"{words}"}}}}],"filter":[{{"term":{{"tenant":"{}"}}}}]}}}},"from":{},"size":24}}"#,
            r.visitor.tenant,
            (page - 1) * 24
        );
        r.elasticsearch("search", "products-v7", text, 28.0);
        r.internal("Ranker.rescore", |r| {
            let candidates = r.rng.between(24, 400);
            r.set("search.candidates", candidates);
            r.work(candidates as f64 / 60.0);
        });
        Code::Ok
    })
}
