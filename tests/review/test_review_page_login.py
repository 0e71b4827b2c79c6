"""Tickets: nobody can make one, chosen names are no logins, and they outlive a restart."""

import stat
from pathlib import Path

from flex.accounts import add_account, load_accounts
from review.page_login import LASTS_S, Door, key_beside
from review.people import add_person
from review.store import Store


def test_a_ticket_names_its_holder_until_it_ends(review: Store) -> None:
    door = Door(review, None, key_beside(review.path))
    ticket = door.ticket("ana", now=1000)
    assert door.holder(ticket, now=1000 + LASTS_S) == "ana"
    assert door.holder(ticket, now=1001 + LASTS_S) is None
    again = Door(review, None, key_beside(review.path))
    assert again.holder(ticket, now=1000) == "ana"
    assert door.person(door.ticket("ana")) is not None
    assert door.person(door.ticket("nobody")) is None


def test_forged_tickets_are_nobody(review: Store) -> None:
    door = Door(review, None, key_beside(review.path))
    name, until, signature = door.ticket("ana").split(".")
    other = door.ticket("ada").split(".")[0]
    for forged in (
        f"{other}.{until}.{signature}",
        f"{name}.{int(until) + 1}.{signature}",
        f"{name}.{until}.{'0' * 64}",
        f"{name}.{until}.ü",
        "a.b.c",
        "é.1.x",
        "",
        None,
    ):
        assert door.holder(forged) is None, forged


def test_a_chosen_name_is_no_login(review: Store, tmp_path: Path) -> None:
    add_account(tmp_path / "users.txt", "ana", "correct horse")
    accounts = load_accounts(tmp_path / "users.txt")
    key = key_beside(review.path)
    chosen = Door(review, None, key).ticket("ana")
    asking = Door(review, accounts, key)
    assert asking.holder(chosen) is None
    assert asking.holder(asking.ticket("ana")) == "ana"
    add_person(review, "gone", "first")
    assert asking.holder(asking.ticket("gone")) is None  # no account any more


def test_only_the_owner_can_read_the_key(review: Store) -> None:
    key_beside(review.path)
    path = review.path.with_suffix(".key")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"short")
    assert len(key_beside(review.path)) == 32
