"""Processes that are killed or told to end under load: every acknowledged span is there afterwards, and none twice."""

import random
import time

from kit.load import LONG_REQUESTS, LONG_SPANS, OWN_SPANS, Ledger, Load
from kit.server import QUICK_FLUSH, Server
from kit.wait import eventually

#: Flushes, trims of the journal and compactions happen all the time, so that crashes meet them.
BUSY = QUICK_FLUSH | {"journal.segment_size": "1MiB", "journal.size_max": "1GiB"}
#: A process lives so long, in seconds: shorter than its first flush, or through some.
LIFE_S = (0.05, 2.0)
#: One start in so many is killed, too, in its first moments: while the journal is replayed.
KILLED_STARTS = 3
KILLED_START_S = (0.0, 0.15)
#: Numbers of requests that a round may use.
NUMBERS_PER_ROUND = 1_000_000


def pause(random_: random.Random, bounds: tuple[float, float]) -> float:
    """The moment of a crash is the one thing that is left to time."""
    chosen = random_.uniform(*bounds)
    time.sleep(chosen)
    return chosen


def test_nothing_acknowledged_is_lost_or_doubled_by_crashes(servers, rounds, seed):
    print(f"--rounds {rounds} --seed {seed}")
    chance = random.Random(seed)
    server: Server = servers(BUSY)
    everything = Ledger()
    server.start()
    for round_ in range(rounds):
        load = Load(server, first_number=round_ * NUMBERS_PER_ROUND)
        eventually(load.acknowledged, "the first acknowledgement")
        lived = pause(chance, LIFE_S)
        server.kill()
        ledger = load.stop()
        everything.add(ledger)
        if chance.randrange(KILLED_STARTS) == 0:
            server.start(wait=False)
            pause(chance, KILLED_START_S)
            server.kill()
        server.start()
        law = server.wait_for_law()
        print(f"round {round_}: killed after {lived:.3f} s with {len(ledger.acknowledged)} acknowledged; {law.replayed} spans replayed")
        ledger.check(server)
    law = server.wait_until_stored()
    assert sum(law.rejected.values()) == 0
    everything.check(server)
    check_list(server, everything)


def check_list(server: Server, ledger: Ledger):
    """The list knows every trace. It counts a span twice that was replayed although it was in a block (see gaps)."""
    listed: dict[str, int] = {}
    cursor = ""
    while cursor is not None:
        page = server.json(f"/api/v1/traces?limit=1000{cursor and f'&cursor={cursor}'}")
        for trace in page["traces"]:
            assert trace["traceId"] not in listed, "a trace is on two pages"
            listed[trace["traceId"]] = trace["spanCount"]
        cursor = page["next"]
    spans = OWN_SPANS + LONG_SPANS
    least, most = len(ledger.acknowledged) * spans, len(ledger.numbers()) * spans
    assert least <= sum(listed.values()) <= most, "spans in the list"


def test_a_shutdown_under_load_is_clean(servers):
    """Within five seconds, with exit code 0, everything in blocks, and every sender answered or refused."""
    server: Server = servers(BUSY | {"live.flush_interval": "1h", "shutdown.timeout": "5s"}).start()
    load = Load(server, first_number=0)
    eventually(lambda: load.acknowledged() >= 4 * LONG_REQUESTS, "some load")
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 5.0
    ledger = load.stop()
    server.start()
    law = server.wait_for_law()
    assert law.replayed == 0, "everything is in blocks"
    assert server.metrics()["store_spans"] >= len(ledger.acknowledged) * (OWN_SPANS + LONG_SPANS)
    ledger.check(server)


def test_a_second_process_over_the_same_folder_is_refused(servers):
    """Two writers of one journal would destroy it."""
    first: Server = servers(BUSY).start()
    second: Server = servers(BUSY, data_dir=first.data_dir, announced=["throughline: cannot open the journal"])
    second.start(wait=False)
    assert second.ended() == 1
    assert "journal" in second.log()[-1]["message"]
    assert first.get("/ready").status == 200
