import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from flex.graph_file import load_graph
from flex.matcher import find_errors
from flex.problems import InputError
from pretrain import films
from pretrain.cohorts import Cohorts
from pretrain.eyes import Viewer, build_helpers, see, view_losses
from pretrain.films import draw, load_shard, shards_in
from pretrain.lessons import lesson_losses, lessons
from pretrain.notes import ASIDE, Piece, checks, comments, corpus, notes, praise
from pretrain.pack import pack
from pretrain.patches import patchify
from pretrain.speech import Speaker, build_readers, reading_losses, speech_losses
from pretrain.talk import Turn, talk, words
from pretrain.together import together
from pretrain.train import look, speak
from pretrain.watch import watch
from vlm.tiny import build_model, build_processor


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(films, "CLIPS", 6)
        films._draw_shard(folder, 77)
    assert len(load_shard(folder / "77.npz").records) == 6
    return folder


def test_errors_are_read_back_from_notes_and_from_prose(drawn: Path) -> None:
    graph, draws = load_graph(), random.Random(3)
    for record in load_shard(drawn / "77.npz").records:
        lines = notes(graph, record, draws, "None.")
        prose = "".join(p.text for p in comments(graph, record, draws, words()["comments"]))
        for text in (lines, prose):
            found = find_errors(graph, text, record.action)
            assert set(found) == {o.error_type for o in record.occurrences}, text
        assert "  " not in prose
        assert prose == prose.strip()


def test_praise_names_what_did_not_happen(drawn: Path) -> None:
    graph = load_graph()
    for record in load_shard(drawn / "77.npz").records:
        text = praise(graph, record, random.Random(1), "Nothing.")
        assert not find_errors(graph, text, record.action)
        assert text.endswith(".")


def test_a_talk_names_the_exercise_first_and_asks_all_kinds_of_questions(drawn: Path) -> None:
    graph, draws = load_graph(), random.Random(0)
    record = next(r for r in load_shard(drawn / "77.npz").records if r.occurrences)
    name = graph.actions[record.action].name
    talks = [talk(graph, record, draws) for _ in range(400)]
    named = {"".join(piece.text for piece in t[0].answer) for t in talks}
    assert len(named) == len(words()["exercise"]["answers"])
    assert all(name in text for text in named)
    asked = {turn.question.split(":")[0].split(",")[0] for t in talks for turn in t}
    known = {q.split(":")[0].split(",")[0] for kind in words().values() for q in kind["questions"]}
    assert asked == known


def test_a_talk_shares_no_question_with_the_dialogues(drawn: Path) -> None:
    own = {q for kind in words().values() for q in kind["questions"]}
    told = [p.read_text("utf-8") for p in Path("prompts/dialogue").rglob("*.j2")]
    assert len(told) == 8
    assert not any(line in own for text in told for line in text.splitlines())


def test_checks_say_yes_to_what_happened_alone_and_only_that_counts(drawn: Path) -> None:
    graph, draws = load_graph(), random.Random(0)
    for record in load_shard(drawn / "77.npz").records:
        pieces = list(checks(graph, record, draws))
        assert pieces
        for asked, said in zip(pieces[::2], pieces[1::2], strict=True):
            step, error = asked.text.removesuffix("?").split(": ")
            happened = any(
                graph.key_steps[o.key_step].name == step
                and graph.error_types[o.error_type].name == error
                for o in record.occurrences
            )
            assert said.text.strip() == ("yes" if happened else "no")
            assert asked.weight == 0 < said.weight


def test_patches_are_those_of_the_processor(drawn: Path) -> None:
    film = np.array(load_shard(drawn / "77.npz").films[0])
    processor = build_processor(["a"], 300)
    theirs = processor.video_processor(
        videos=[film], do_resize=False, do_sample_frames=False, return_tensors="pt"
    )["pixel_values_videos"]
    ours = patchify(torch.from_numpy(film)[None].float() / 255)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_a_library_needs_clips_and_glances_are_parts_of_them(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no clips"):
        Cohorts(tmp_path)
    cohorts = Cohorts(drawn)
    clip, glance = cohorts.clip(5), cohorts.glance(5, 7)
    assert cohorts.record(5) == clip.record
    np.testing.assert_array_equal(glance.film, clip.film[14:])
    np.testing.assert_array_equal(glance.poses, clip.poses[7:])


def test_what_views_tell_is_what_the_clips_hold(drawn: Path) -> None:
    graph, cohorts = load_graph(), Cohorts(drawn)
    viewer = Viewer(graph, cohorts, 0)
    views = next(viewer.clips(4))
    assert views.pixels.shape == (4 * 8 * 64, 1176)
    assert (views.errors <= views.known).all()
    names = list(graph.actions)
    shown = {tuple(r.poses.ravel()[:3]): r for r in map(cohorts.clip, range(len(cohorts)))}
    for action, poses, errors in zip(views.actions, views.poses, views.errors, strict=True):
        record = shown[tuple(poses.numpy().ravel()[:3])].record
        assert names[int(action)] == record.action
        named = {o for o, there in zip(viewer.errors.occurrences, errors, strict=True) if there}
        assert named == set(record.occurrences)


def test_answers_alone_are_learnt(drawn: Path) -> None:
    graph, cohorts = load_graph(), Cohorts(drawn)
    tokenizer = build_processor(corpus(graph)).tokenizer
    records = [cohorts.record(n) for n in range(len(cohorts))]
    features = [np.zeros((len(cohorts), 128, 4), dtype=np.float16)]
    talks = Speaker(graph, tokenizer, features, records, 0).talks(3)
    batches = [next(talks) for _ in range(8)]
    widths = [batch["input_ids"].shape[1] for batch in batches]
    assert widths != sorted(widths)
    filled = sum(int(batch["attention_mask"].sum()) for batch in batches)
    assert filled > 0.85 * sum(3 * width for width in widths)
    rows = [row for b in batches for row in zip(b["input_ids"], b["weights"], strict=True)]
    for ids, weights in rows:
        learnt = tokenizer.decode(ids[weights > 0])
        assert "<|im_start|>" not in learnt
        assert learnt.count("<|im_end|>") == tokenizer.decode(ids).count("assistant\n")


def test_an_echo_says_again_what_was_asked_of_all_tokens(
    drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pretrain.speech._ECHO", 1.0)
    monkeypatch.setattr("pretrain.speech._MISHEARD", 0.0)
    tokenizer = build_processor(corpus(load_graph())).tokenizer
    speaker = Speaker(load_graph(), tokenizer, [], [], 0)
    said: set[int] = set()
    for _ in range(400):
        ids, weights = speaker.encode([Turn("Exercise?", (Piece("Squat", 1.0),))])
        echo = [token for token, weight in zip(ids, weights, strict=True) if weight == ASIDE][:-1]
        between = tokenizer("<|im_end|>\n<|im_start|>assistant\n")["input_ids"]
        assert ids[-2 * len(echo) - len(between) - 1 :] == [*echo, *between, *echo, ids[-1]]
        said.update(echo)
    assert not said & set(tokenizer.all_special_ids)
    assert len(said) > 0.9 * len(tokenizer)


def test_a_look_is_kept_and_taken_by_the_same_eyes_only(drawn: Path, tmp_path: Path) -> None:
    cohorts = Cohorts(drawn)
    first, second = (
        build_model(build_processor(["a"], 300).tokenizer, hidden=64, layers=2, seed=seed).eval()
        for seed in (0, 1)
    )
    looks = watch(first, cohorts, 2, 0, tmp_path)
    assert looks[0].shape == (6, 128, 64)
    assert not np.array_equal(looks[0], looks[1])  # varied anew
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    again = watch(first, cohorts, 2, 0, tmp_path)
    assert all(np.array_equal(one, two) for one, two in zip(looks, again, strict=True))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")} == files
    watch(second, cohorts, 1, 0, tmp_path)
    assert len(list(tmp_path.rglob("*.npy"))) == 3


def test_losses_of_the_eyes_reach_every_weight_of_the_tower(drawn: Path) -> None:
    graph, cohorts = load_graph(), Cohorts(drawn)
    viewer = Viewer(graph, cohorts, 0)
    model = build_model(build_processor(["a"], 300).tokenizer, hidden=64, layers=2)
    helpers = build_helpers(64, len(viewer.errors.occurrences), len(graph.actions))
    glances, clips = next(viewer.glances(2)), next(viewer.clips(2))
    glance = view_losses(helpers, see(model, glances.pixels, 1), glances)
    assert set(glance) == {"pose", "mean_pose", "action"}
    seen = see(model, clips.pixels, 8)
    near, far = (view_losses(helpers, seen, clips, centimetres=cm)["pose"] for cm in (1.0, 9.0))
    assert near > far
    sum(view_losses(helpers, seen, clips).values()).backward()
    for name, weight in [*model.model.visual.named_parameters(), *helpers.named_parameters()]:
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


def test_a_lesson_shows_the_clips_that_its_talks_are_about(drawn: Path) -> None:
    graph, cohorts = load_graph(), Cohorts(drawn)
    tokenizer = build_processor(corpus(graph)).tokenizer
    records = [cohorts.record(n) for n in range(len(cohorts))]
    speaker, viewer = Speaker(graph, tokenizer, [], records, 0), Viewer(graph, cohorts, 0)
    stream = lessons(viewer, speaker, 0.5, 0)
    drawn_lessons = [next(stream) for _ in range(12)]
    assert {lesson.places for lesson in drawn_lessons} == {1, 16}
    for lesson in drawn_lessons:
        assert torch.equal(lesson.talks["errors"], lesson.views.errors)
        tokens = (lesson.talks["mm_token_type_ids"] == 2).sum(dim=1)
        assert tokens.tolist() == [8 * lesson.places] * len(lesson.views.actions)


def test_words_alone_teach_the_eyes_too(drawn: Path) -> None:
    graph, cohorts = load_graph(), Cohorts(drawn)
    tokenizer = build_processor(corpus(graph)).tokenizer
    records = [cohorts.record(n) for n in range(len(cohorts))]
    speaker, viewer = Speaker(graph, tokenizer, [], records, 0), Viewer(graph, cohorts, 0)
    model = build_model(tokenizer, hidden=64)
    helpers = build_helpers(64, len(speaker.errors.occurrences), len(graph.actions))
    readers = build_readers(64, len(speaker.errors.occurrences))
    lesson = next(lessons(viewer, speaker, 1.0, 0))
    losses = lesson_losses(model, helpers, readers, lesson)
    assert set(losses) >= {"mean_pose", "mean_errors", "text", "read_words"}
    losses["text"].backward()
    for name, weight in model.model.visual.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


@pytest.mark.slow
def test_a_run_is_logged_goes_on_and_is_packed(drawn: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with pytest.raises(InputError, match="no trained eyes"):
        speak(drawn, first, tmp_path / "out", minutes=0.01)
    look(drawn, first, minutes=0.02, glances=0.5)
    look(drawn, second, minutes=0.01, glances=0.0, start=first)
    with pytest.raises(InputError, match="no finished run"):
        pack(second, tmp_path / "out")
    spoken_run = tmp_path / "spoken"
    speak(drawn, second, spoken_run, minutes=0.04, read=0.5, looks=1)
    eyes, spoken = (load_file(run / "model.safetensors") for run in (second, spoken_run))
    for name in eyes:
        assert torch.equal(eyes[name], spoken[name]) == name.startswith("visual."), name
    facts = json.loads((spoken_run / "run.json").read_text())
    assert facts["look_minutes"] == pytest.approx(0.03)
    assert all(facts[name] >= 1 for name in ("glances", "clips", "gists", "looks", "talks"))
    speak(drawn, spoken_run, spoken_run, minutes=0.01, read=0.0, looks=1, pace=0.1)
    assert json.loads((spoken_run / "run.json").read_text())["talks"] > facts["talks"]
    both = tmp_path / "both"
    with pytest.raises(InputError, match=r"readers\.safetensors: is missing"):
        together(drawn, second, both, minutes=0.01)
    together(drawn, spoken_run, both, minutes=0.03)
    assert json.loads((both / "run.json").read_text())["lessons"] >= 24
    one, other = (load_file(run / "model.safetensors") for run in (spoken_run, both))
    changed = {name for name in one if not torch.equal(one[name], other[name])}
    assert {name.split(".")[1] for name in changed} >= {"embed_tokens", "layers"}
    assert any(name.startswith("visual.") for name in changed)
    pack(both, tmp_path / "base")
    assert "simulated" in (tmp_path / "base" / "README.md").read_text()
    assert (tmp_path / "base" / "model.safetensors").stat().st_size < 16 * 2**20
    left_out = {"helpers.safetensors", "readers.safetensors", "log.jsonl", "run.json"}
    assert not left_out & {path.name for path in (tmp_path / "base").iterdir()}


def test_a_finished_shard_is_not_drawn_again(drawn: Path) -> None:
    before = (drawn / "77.npz").stat().st_mtime_ns
    draw(drawn, shards=1, seed=77)
    assert (drawn / "77.npz").stat().st_mtime_ns == before
    assert shards_in(drawn) == [drawn / "77.npz"]


def test_helpers_read_the_same_states_with_words_and_without(drawn: Path) -> None:
    graph, cohorts = load_graph(), Cohorts(drawn)
    tokenizer = build_processor(corpus(graph)).tokenizer
    records = [cohorts.record(n) for n in range(len(cohorts))]
    features = [np.random.default_rng(0).normal(size=(len(cohorts), 128, 64)).astype(np.float16)]
    speaker = Speaker(graph, tokenizer, features, records, 0)
    model = build_model(tokenizer, hidden=64).eval()
    readers = build_readers(64, len(speaker.errors.occurrences))
    batch = next(speaker.talks(3))
    for _ in range(2):  # a second time: what one reading leaves behind must not change the next
        alone, spoken = (
            {name: float(loss) for name, loss in losses(model, readers, batch).items()}
            for losses in (reading_losses, speech_losses)
        )
        assert set(spoken) == {"text", "read_words", *alone}
        for name, loss in alone.items():
            assert spoken[name] == pytest.approx(loss, abs=1e-6), name


def test_the_gist_of_a_clip_is_one_token_for_each_step(
    drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pretrain.speech._GRAIN", 0.0)
    monkeypatch.setattr("pretrain.speech._UNSEEN", 0.0)
    graph, cohorts = load_graph(), Cohorts(drawn)
    tokenizer = build_processor(corpus(graph)).tokenizer
    records = [cohorts.record(n) for n in range(len(cohorts))]
    seen = np.random.default_rng(0).normal(size=(1, 8, 16, 64)).astype(np.float16)
    features = [np.repeat(seen.reshape(1, 128, 64), len(records), axis=0)]
    speaker = Speaker(graph, tokenizer, features, records, 0)
    gist, whole = next(speaker.brief_talks(3)), next(speaker.talks(3))
    assert np.allclose(gist["features"][0], seen[0].astype(np.float32).mean(axis=1), atol=1e-3)
    assert [(b["mm_token_type_ids"] == 2).sum(dim=1).tolist() for b in (gist, whole)] == [
        [8] * 3,
        [128] * 3,
    ]
    model, readers = (
        build_model(tokenizer, hidden=64),
        build_readers(64, len(speaker.errors.occurrences)),
    )
    assert all(loss.isfinite() for loss in speech_losses(model, readers, gist).values())
