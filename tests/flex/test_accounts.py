"""Logins: hashes only, no file that others may write, and a command that asks."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from flex import accounts as module
from flex.account_command import add_user
from flex.accounts import add_account, load_accounts
from flex.problems import InputError

SECRET = "correct horse"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash fast: the cost stands in each line, so that all else is the same."""
    monkeypatch.setattr(module._Cost.__new__, "__defaults__", (10, 8, 1))


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "users.txt"
    add_account(path, "ada", SECRET)
    return path


def test_only_the_right_password_is_let_in(users: Path) -> None:
    add_account(users, "bob", "another one")
    accounts = load_accounts(users)
    assert len(accounts) == 2
    assert accounts.check("ada", SECRET)
    assert accounts.check("bob", "another one")
    for name, password in (
        ("ada", "another one"),
        ("ada", ""),
        ("ada", SECRET + " "),
        ("Ada", SECRET),
        ("eve", SECRET),
        ("", ""),
        ("ada", "\udcff"),
    ):
        assert not accounts.check(name, password)


def test_the_file_holds_salted_hashes_and_is_private(users: Path) -> None:
    add_account(users, "bob", SECRET)
    text = users.read_text()
    assert SECRET not in text
    first, second = (line.partition(":")[2] for line in text.splitlines())
    assert first.startswith("$scrypt$ln=10,r=8,p=1$")
    assert first != second
    assert users.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in users.parent.iterdir()] == ["users.txt"]


def test_a_new_password_replaces_the_old(users: Path) -> None:
    assert not add_account(users, "ada", "a new password")
    accounts = load_accounts(users)
    assert accounts.check("ada", "a new password")
    assert not accounts.check("ada", SECRET)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused(users: Path, mode: int) -> None:
    users.chmod(mode)
    with pytest.raises(InputError, match=r"others may write it.*chmod 600"):
        load_accounts(users)
    with pytest.raises(InputError, match="others may write it"):
        add_account(users, "bob", SECRET)


def test_a_plain_password_is_refused_and_not_repeated(users: Path) -> None:
    with users.open("a") as stream:
        stream.write(f"bob:{SECRET}\nno colon here\n")
    with pytest.raises(InputError) as caught:
        load_accounts(users)
    assert "users.txt:2" in str(caught.value)
    assert "maybe a plain password" in str(caught.value)
    assert "users.txt:3: expected NAME:HASH" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"), [("ln=10", "ln=40"), ("r=8", "r=99"), ("$scrypt", "$md5"), ("=", "")]
)
def test_a_hash_of_absurd_cost_or_form_is_refused(users: Path, old: str, new: str) -> None:
    users.write_text(users.read_text().replace(old, new))
    with pytest.raises(InputError, match="no scrypt hash"):
        load_accounts(users)


def test_missing_empty_and_doubled(users: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="add-user"):
        load_accounts(tmp_path / "none.txt")
    users.write_text(users.read_text() * 2)
    with pytest.raises(InputError, match="given twice"):
        load_accounts(users)
    users.write_text("# nobody\n\n")
    with pytest.raises(InputError, match="holds no account"):
        load_accounts(users)


@pytest.mark.parametrize("name", ["", "a:b", "a b", "../x", "x" * 65, "ä"])
def test_odd_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="expected a name"):
        add_account(tmp_path / "users.txt", name, SECRET)
    with pytest.raises(InputError, match="at least 8"):
        add_account(tmp_path / "users.txt", "ada", "short")
    assert not (tmp_path / "users.txt").exists()


def test_the_command_asks_twice_and_shows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "users.txt"
    app = typer.Typer()
    app.command()(add_user)
    done = CliRunner().invoke(
        app, [str(path), "ada"], input=f"{SECRET}\nother\n{SECRET}\n{SECRET}\n"
    )
    assert done.exit_code == 0, done.output
    assert SECRET not in done.output
    assert "ada added" in done.output
    assert load_accounts(path).check("ada", SECRET)
