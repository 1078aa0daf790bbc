"""Times queries against a running server: the median and the worst of some runs, over HTTP, no cache of results.

    python3 benches/queries.py http://127.0.0.1:3200 [runs]

The server must hold settled spans of the built-in shop: `throughline load --limit-spans 2M --shop-spans 500k`. To have live ones as
well, start it with THROUGHLINE_LIVE_FLUSH_INTERVAL=1h and send 230k more: some 200,000 spans then fill no generation and stay.
"""

import json
import statistics
import sys
import time
import urllib.parse
import urllib.request

BASE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3200"
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 7

SEARCHES = [
    '{ resource.service.name = "payment" && status = error }',
    '{ span.user.id = "user_4711" }',
    '{ span.db.system.name = "redis" && duration > 5ms }',
    '{ span.db.system.name = "redis" && duration > 5h }',
    '{ name = "POST /checkout" } >> { status = error }',
    '{ .tenant.id = "tenant-7" } | count() > 20',
    '{ }',
    '{ event:name = "exception" }',
    '{ .no.such = 1 }',
]
METRICS = [
    "{ } | rate() by (resource.service.name)",
    "{ } | quantile_over_time(duration, .5, .95, .99) by (resource.service.name)",
    "{ } | avg_over_time(duration) by (span.tenant.id)",
    "{ } | histogram_over_time(duration)",
    "{ status = error } | rate() by (name)",
    '{ name = "POST /checkout" } >> { status = error } | count_over_time()',
    "{ } | compare({ status = error })",
]
OTHERS = [
    "/api/v2/search/tags",
    "/api/v2/search/tag/resource.service.name/values",
    "/api/v2/search/tag/span.user.id/values",
    "/api/v2/search/tag/span.http.route/values",
]


def get(path, **parameters):
    url = BASE + path
    if parameters:
        url += "?" + urllib.parse.urlencode(parameters)
    started = time.perf_counter()
    try:
        with urllib.request.urlopen(url, timeout=300) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        body = json.dumps({"error": error.read().decode()}).encode()
    return time.perf_counter() - started, json.loads(body)


def bounds():
    """The time that the newest and the oldest traces cover, in seconds."""
    _, newest = get("/api/v1/traces", limit=1)
    now = int(newest["traces"][0]["startTimeUnixNano"]) // 1_000_000_000 if newest.get("traces") else time.time()
    return now - 3600, now + 60


def timed(label, path, **parameters):
    answers = [get(path, **parameters) for _ in range(RUNS)]
    millis = sorted(seconds * 1000 for seconds, _ in answers)
    answer = answers[-1][1]
    found = answer.get("error") or "{} found".format(
        len(next((answer[key] for key in ("traces", "series", "tagValues", "scopes") if key in answer), []))
    )
    print(f"{statistics.median(millis):9.1f} {millis[-1]:9.1f}  {label}  ({found})", flush=True)


start, end = bounds()
print("   median     worst  ms")
for query in SEARCHES:
    timed(query, "/api/search", q=query, limit=20)
for query in METRICS:
    timed(query, "/api/metrics/query_range", q=query, start=start, end=end)
for path in OTHERS:
    timed(path, path)
