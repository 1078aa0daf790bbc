"""Files that are damaged, missing or not writable: said in words, and the rest goes on being served."""

import os
import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kit.made import request, span, trace_id
from kit.server import NO_FLUSH, QUICK_FLUSH, Server
from kit.traces import check_answers, parsed
from kit.wait import eventually

FIRST, SECOND = (request(span(number, 1), span(number, 2, parent=1), service=f"service {number}").SerializeToString() for number in (1, 2))


def accepted(answer):
    assert (answer.status, answer.body) == (200, b""), f"{answer.status} {answer.body!r}"


def block_folders(server: Server) -> list[Path]:
    return [file.parent for file in server.data_dir.glob("blocks/tenant=*/class=*/date=*/*/spans.parquet")]


@pytest.fixture
def two_blocks(servers) -> tuple[Server, Path]:
    """A server with a trace in each of two blocks, stopped, and the folder of the first block."""
    server: Server = servers(
        NO_FLUSH | {"compaction.enabled": "false"}, announced=["unreadable", "cannot be read", "cannot read", "missing"]
    )
    server.start()
    accepted(server.post(FIRST))
    server.restart()
    [first] = block_folders(server)
    accepted(server.post(SECOND))
    assert server.stop() == 0
    assert len(block_folders(server)) == 2
    return server, first


def check_first_is_unreadable_and_second_is_served(server: Server):
    check_answers(server, parsed(SECOND))
    # Of the first, the answer is not "there is none": it says what could not be read.
    v1, own = server.get(f"/api/traces/{trace_id(1).hex()}"), server.get(f"/api/v1/traces/{trace_id(1).hex()}")
    assert v1.status == 503 and v1.text, (v1.status, v1.text)
    assert (own.status == 200 and own.json()["missing"]) or own.status == 503, (own.status, own.text)
    v2 = server.get(f"/api/v2/traces/{trace_id(1).hex()}").json()
    assert v2["status"] == "PARTIAL" and v2["message"], v2
    ready = server.get("/ready")
    assert ready.status == 200 and "cannot be read" in ready.text, ready.text


@pytest.mark.parametrize("name", ["spans.parquet", "traces.parquet", "resources.parquet"])
def test_a_file_of_a_block_is_missing(two_blocks, name):
    server, first = two_blocks
    (first / name).unlink()
    server.start()
    check_first_is_unreadable_and_second_is_served(server)


@pytest.mark.parametrize("name", ["spans.parquet", "traces.parquet", "resources.parquet"])
def test_a_file_of_a_block_is_overwritten_with_noise(two_blocks, name):
    server, first = two_blocks
    file = first / name
    file.write_bytes(random.Random(name).randbytes(file.stat().st_size))
    server.start()
    check_first_is_unreadable_and_second_is_served(server)


def flip(file: Path, bit: int):
    content = bytearray(file.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)


@pytest.mark.parametrize(("name", "id"), [("spans", span(1, 2).span_id), ("traces", trace_id(1))], ids=["spans", "traces"])
def test_a_flipped_bit_in_an_id_is_noticed(two_blocks, name, id):
    """Ids are stored as they are, so that nothing but a checksum can tell."""
    server, first = two_blocks
    file = first / f"{name}.parquet"
    pq.read_table(file, page_checksum_verification=True)
    flip(file, (file.read_bytes().index(id) + len(id)) * 8 - 2)
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(file, page_checksum_verification=True)
    server.start()
    check_first_is_unreadable_and_second_is_served(server)


def test_bits_flipped_anywhere_are_noticed_or_change_nothing(two_blocks):
    """One after the other, in a block that the server has not read yet."""
    server, first = two_blocks
    places = random.Random(11)
    truth = parsed(FIRST)
    for file in sorted(first.iterdir()):
        for _ in range(5):
            bit = places.randrange(file.stat().st_size * 8)
            flip(file, bit)
            server.start()
            answer = server.get(f"/api/v2/traces/{trace_id(1).hex()}").json()
            if "status" not in answer:
                check_answers(server, truth)
            else:
                assert answer["status"] == "PARTIAL" and file.name in answer["message"], (file.name, bit, answer)
            check_answers(server, parsed(SECOND))
            assert server.stop() == 0
            flip(file, bit)


def test_the_rest_of_the_journal_survives_a_torn_tail(servers):
    """What a crash of the machine leaves: a record that was begun and not finished."""
    server: Server = servers(NO_FLUSH, announced=["journal"]).start()
    accepted(server.post(FIRST))
    accepted(server.post(SECOND))
    server.kill()
    [segment] = server.data_dir.glob("journal/*.segment")
    content = segment.read_bytes()
    # The bodies are in the journal as they were received. Half of the last one is lost.
    end = content.rindex(SECOND) + len(SECOND) // 2
    segment.write_bytes(content[:end] + bytes(len(content) - end))
    server.start()
    check_answers(server, parsed(FIRST))
    assert server.get(f"/api/traces/{trace_id(2).hex()}").status == 404
    accepted(server.post(SECOND))
    server.restart()
    check_answers(server, parsed(FIRST + SECOND))


def test_a_flipped_byte_in_the_journal_costs_its_record_and_is_told(servers):
    server: Server = servers(NO_FLUSH, announced=["journal", "unreadable"]).start()
    third = request(span(3, 1), service="service 3").SerializeToString()
    for body in (FIRST, SECOND, third):
        accepted(server.post(body))
    server.kill()
    [segment] = server.data_dir.glob("journal/*.segment")
    content = bytearray(segment.read_bytes())
    content[content.index(SECOND) + 10] ^= 0x40
    segment.write_bytes(content)
    server.start()
    check_answers(server, parsed(FIRST + third))
    worrying = [line["message"] for line in server.log() if line["level"] in ("WARN", "ERROR")]
    assert worrying, "damage is worth a word in the log"


def test_blocks_that_cannot_be_written_wait_in_the_journal(servers):
    """The storage is no folder for a while: spans are taken and answered, and move to blocks when it is one again."""
    announced = ["block", "flush", "storage", "store", "manifest", "not everything could be written"]
    server: Server = servers(QUICK_FLUSH | {"compaction.enabled": "false"}, announced=announced).start()
    accepted(server.post(FIRST))
    server.wait_until_stored()
    tenant = server.data_dir / "blocks" / "tenant=default"
    aside = tenant.with_name("aside")
    tenant.rename(aside)
    tenant.write_text("in the way")
    accepted(server.post(SECOND))
    eventually(lambda: server.metrics()["flush_failing"] > 0, "a flush that fails")
    check_answers(server, parsed(SECOND))
    ready = server.get("/ready")
    assert ready.status == 200 and "blocks cannot be written" in ready.text
    server.wait_for_law()
    os.unlink(tenant)
    aside.rename(tenant)
    server.wait_until_stored()
    check_answers(server, parsed(FIRST + SECOND))
