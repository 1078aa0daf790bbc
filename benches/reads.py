"""Times reads of single traces and lists against a running server: median, p99 and worst, over one HTTP connection.

    python3 benches/reads.py 127.0.0.1:3200 [traces]
"""

import http.client
import json
import random
import secrets
import statistics
import sys
import time
import urllib.parse

HOST = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:3200"
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 1000

connection = http.client.HTTPConnection(HOST, timeout=60)


def get(path):
    started = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    return (time.perf_counter() - started) * 1000, answer.status, body


def some_ids(count):
    """Ids of all traces that the store has, each with the same chance: the list is paged to its end."""
    ids, cursor = [], ""
    while cursor is not None:
        page = json.loads(get("/api/v1/traces?limit=1000" + cursor)[2])
        ids.extend(trace["traceId"] for trace in page["traces"])
        cursor = page["next"] and "&cursor=" + urllib.parse.quote(page["next"])
    return random.sample(ids, min(count, len(ids)))


def report(label, millis):
    millis = sorted(millis)
    p99 = millis[min(len(millis) - 1, len(millis) * 99 // 100)]
    print(f"{statistics.median(millis):8.2f} {p99:8.2f} {millis[-1]:8.2f}  {label} ({len(millis)} requests)")


ids = some_ids(COUNT)
print("  median      p99    worst  ms")
get("/api/traces/" + ids[0])
answers = [get("/api/traces/" + one) for one in ids]
assert all(status == 200 for _, status, _ in answers), "a trace of a list was not found by id"
report("trace by id", [millis for millis, _, _ in answers])
unknown = [get("/api/traces/" + secrets.token_hex(16)) for _ in range(COUNT)]
assert all(status == 404 for _, status, _ in unknown), "an id that nobody sent was found"
report("unknown id", [millis for millis, _, _ in unknown])
services = [one["name"] for one in json.loads(get("/api/v1/services")[2])["services"]]
lists = [
    get("/api/v1/traces?limit=20&service=" + urllib.parse.quote(services[at % len(services)]))
    for at in range(200)
]
for _, _, body in lists:
    page = json.loads(body)
    assert len(page["traces"]) == 20 or page["next"] is None, "a page was neither full nor the last"
report("20 newest traces of a service", [millis for millis, _, _ in lists])
