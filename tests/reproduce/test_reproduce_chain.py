"""Chains are data: names are filled in, mistakes are told, those of the project hang together."""

import sys
from pathlib import Path

import pytest
import yaml

from flex.problems import InputError
from reproduce.chain import Chain, load_chain
from reproduce.choose import CONFIGS, choose, is_data_folder

ROOT = CONFIGS.parent.parent


def content(**changes: object) -> dict[str, object]:
    step = {"name": "one", "title": "One", "commands": ["echo {x}"], "outputs": ["{out}/made"]}
    return {"title": "t", "note": "n", "simulated": True, "steps": [step], **changes}


def write(folder: Path, **changes: object) -> Path:
    path = folder / "chain.yaml"
    path.write_text(yaml.safe_dump(content(**changes)))
    return path


def test_names_stand_for_paths_with_spaces() -> None:
    chain = Chain.model_validate(content(names={"x": "{out}/a b", "y": "{x}/c"}))
    filled = chain.filled({"out": "/o ut"})
    assert filled.steps[0].words() == [["echo", "/o ut/a b"]]
    assert filled.steps[0].outputs == ("/o ut/made",)
    assert filled.names["y"] == "/o ut/a b/c"


def test_what_is_given_wins_over_the_names_of_a_chain() -> None:
    chain = Chain.model_validate(content(names={"x": "{out}/data"}))
    assert chain.filled({"out": "o", "x": "flex"}).steps[0].words() == [["echo", "flex"]]


def test_a_name_that_stands_for_nothing_is_told() -> None:
    chain = Chain.model_validate(content(names={"xx": "1"}))
    with pytest.raises(InputError, match=r"step one: \{x\} stands for nothing \(did you mean xx"):
        chain.filled({"out": "o"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": [content()["steps"][0]] * 2}, "two steps are called one"),  # type: ignore[index]
        ({"raw": ["nine"]}, "raw names nine, which is no step"),
        ({"reports": {"figure9": "x"}}, "reports names figure9"),
        ({"titel": "x"}, r"unknown key 'titel' \(did you mean title\?\)"),
        ({"steps": []}, "at least 1 item"),
    ],
)
def test_mistakes_in_a_chain_are_told(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_chain(write(tmp_path, **changes))


def test_a_step_cannot_need_a_later_one(tmp_path: Path) -> None:
    one = content()["steps"][0]  # type: ignore[index]
    steps = [{**one, "needs": ["two"]}, {**one, "name": "two"}]
    with pytest.raises(InputError, match="one needs two, which is no step before it"):
        load_chain(write(tmp_path, steps=steps))


def test_raw_recordings_are_prepared_and_a_data_folder_is_not(tmp_path: Path) -> None:
    flex = tmp_path / "flex"
    (flex / "P01-squat").mkdir(parents=True)
    (flex / "P01-squat" / "recording.yaml").touch()
    (flex / "annotations.jsonl").touch()
    raw = choose(flex, tmp_path / "out")
    assert raw.kind == "raw"
    assert raw.chain.steps[0].name == "prepare"
    assert raw.chain.steps[0].words()[0][1:] == (
        f"-m flex prepare {flex} --out {tmp_path}/out/data".split()
    )
    assert raw.data == tmp_path / "out" / "data"
    (flex / "P01-squat" / "recording.yaml").unlink()
    assert is_data_folder(flex), "labels alone are a data folder"
    (flex / "annotations.jsonl").unlink()
    (flex / "A01" / "001").mkdir(parents=True)
    assert is_data_folder(flex)
    ready = choose(flex, tmp_path / "out")
    assert ready.kind == "data"
    assert ready.data == flex
    assert "prepare" not in [step.name for step in ready.chain.steps]
    assert not any("prepare" in step.needs for step in ready.chain.steps)
    assert str(tmp_path / "out" / "data") not in str(ready.chain.steps)


def test_a_chain_and_what_it_runs_on_have_to_suit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        choose(tmp_path / "none", tmp_path)
    with pytest.raises(InputError, match=r"flex\.yaml: needs --flex"):
        choose(None, tmp_path, CONFIGS / "flex.yaml")
    with pytest.raises(InputError, match="makes its own data"):
        choose(tmp_path, tmp_path, CONFIGS / "tiny.yaml")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_chains_of_the_project_hang_together(path: Path, tmp_path: Path) -> None:
    """Every recipe exists, every input is made before, every report is an output."""
    flex = None if load_chain(path).simulated else tmp_path
    chosen = choose(flex, tmp_path / "out", path)
    made: set[str] = {str(flex)}
    for step in chosen.chain.steps:
        for given in step.inputs:
            inside = given in made or any(given.startswith(f"{folder}/") for folder in made)
            assert inside or (ROOT / given).is_file(), f"{step.name} reads {given}"
        for words in step.words():
            assert words[0] == sys.executable
            for word in words:
                assert not word.startswith("configs/") or (ROOT / word).is_file(), word
        made.update(step.outputs, step.folders)
    assert chosen.chain.reports
    assert set(chosen.chain.reports.values()) <= made
