//! Advertisements: when they fail, the page is shown without, and counts as a success.

use crate::fleet::Service;
use crate::goods;
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::story::Story;

/// Advertisements for a page. Nobody looks at what comes back.
pub(crate) fn advertisements(r: &mut Recorder<'_>) {
    let fails = r.rng.chance(rates::ADS_FAIL);
    r.call_grpc(Service::Ads, "AdService/GetAds", |r| {
        let category = goods::category(r.rng);
        r.set("ads.context", category);
        r.work(2.5);
        if !fails {
            r.set("ads.count", 2_i64);
            return Code::Ok;
        }
        r.tell(Story::SwallowedError);
        r.exception(
            "java.util.NoSuchElementException",
            "No value present",
            &[
                (
                    "java.base/java.util.Optional.orElseThrow",
                    "Optional.java",
                    382,
                ),
                ("com.shop.ads.CampaignIndex.pick", "CampaignIndex.java", 74),
                ("com.shop.ads.AdService.getAds", "AdService.java", 52),
            ],
        );
        Code::Unavailable
    });
}
