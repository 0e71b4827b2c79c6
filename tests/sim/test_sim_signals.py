"""Torques are those of the textbook; sEMG, heart and breath follow load, fatigue and labels."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import welch

from flex.graph import Phase
from flex.graph_file import load_graph
from flex.physiology import COLUMNS
from flex.problems import InputError
from flex.sample import Annotation, ErrorLabel, PhaseSpan, Semg
from flex.semg_columns import channel_names
from flex.skeleton import INDEX, JOINTS
from sim.activation import muscle_activation
from sim.bodies import Body, build_body
from sim.breathing import breathing_rate, chest_volume
from sim.heart import heart_rate
from sim.motion import Motion
from sim.physiology import physiology, physiology_table
from sim.recording import fatigue, lay_out, recording_of
from sim.semg import simulate_semg
from sim.settings import load_settings
from sim.signal_settings import load_signals
from sim.study import Floats, Study
from sim.subjects import recruit
from sim.torque import PlacedLoad, joint_torques, place_load

GRAPH = load_graph()
STUDY = Study(GRAPH, load_settings(), seed=0)
PEOPLE = recruit(STUDY)
SUBJECT = PEOPLE[12]
BODY = build_body(STUDY, SUBJECT)
GRAVITY = 9.81
CURL_S = 4.0


def standing(body: Body, times_s: Floats, elbow_deg: Floats, upper_deg: float = 0.0) -> Motion:
    """Return an upright person; arms in the sagittal plane, 0 hanging, 90 straight ahead."""
    length, joints = body.length, np.zeros((len(times_s), len(JOINTS), 3))

    def forward(degrees: Floats | float) -> Floats:
        angle = np.radians(degrees) * np.ones(len(times_s))
        return np.stack([np.sin(angle), 0 * angle, -np.cos(angle)], axis=-1)

    hips_m = length["ankle_height"] + length["shank"] + length["thigh"]
    top = np.array([0, 0, hips_m + length["trunk"]])
    for name, above in (("upper_spine", 0.0), ("neck", length["neck"]), ("head", 0.25)):
        joints[:, INDEX[name]] = top + np.array([0, 0, above])
    for side, sign in (("right", -1), ("left", 1)):
        out = np.array([0.0, sign, 0.0])
        points = {"hip": length["hip_half"] * out + [0, 0, hips_m]}
        points["knee"] = points["hip"] - [0, 0, length["thigh"]]
        points["ankle"] = points["knee"] - [0, 0, length["shank"]]
        points["shoulder"] = top + length["shoulder_half"] * out
        points["elbow"] = points["shoulder"] + length["upper_arm"] * forward(upper_deg)
        bent = forward(upper_deg + elbow_deg)
        points["wrist"] = points["elbow"] + length["forearm"] * bent
        points["hand"] = points["wrist"] + length["hand"] * bent
        for part, place in points.items():
            joints[:, INDEX[f"{side}_{part}"]] = place
    hands = np.zeros((len(times_s), 2, 3))
    still = np.zeros_like(times_s)
    return Motion(times_s, joints, joints[:, 2], hands, hands, still, "dumbbell", load_kg=10.0)


def curl(load_kg: float = 14.0) -> Motion:
    times_s = np.arange(0, CURL_S, 1 / 60)
    elbow_deg = 15 + 57.5 * (1 - np.cos(2 * np.pi * times_s / CURL_S))
    return replace(standing(BODY, times_s, elbow_deg), load_kg=load_kg)


def record(action: str, repetition: int = 1, errors: tuple[str, ...] = ()) -> Annotation:
    phases = GRAPH.actions[action].phases
    labels = tuple(ErrorLabel(key_step=e[:4], error_type=e[5:]) for e in errors)
    cuts = (0.0, 0.4, 2.0, CURL_S)
    return Annotation(
        clip=f"{action}/001",
        action=action,
        subject=SUBJECT.id,
        skill=SUBJECT.skill,
        repetition=repetition,
        duration_s=CURL_S,
        errors=labels,
        phases=tuple(
            PhaseSpan(phase=phase, start_s=cuts[n], end_s=cuts[n + 1])
            for n, phase in enumerate(phases)
        ),
        semg=Semg(sample_rate_hz=2000, channels=channel_names(GRAPH, action)),
        source="simulated",
    )


def semg(action: str = "A05", repetition: int = 1, study: Study = STUDY) -> Floats:
    return simulate_semg(study, SUBJECT, BODY, record(action, repetition), curl())


def median_hz(values: Floats) -> float:
    hertz, power = welch(values, 2000, nperseg=1024)
    inside = (hertz >= 20) & (hertz <= 450)
    summed = np.cumsum(power[inside])
    return float(hertz[inside][np.searchsorted(summed, summed[-1] / 2)])


def test_a_horizontal_arm_needs_the_torque_of_the_textbook() -> None:
    motion = standing(BODY, np.arange(30) / 60, np.zeros(30), upper_deg=90)
    torques = joint_torques(BODY, motion, place_load("A04", motion))
    upper, fore, hand = (BODY.length[name] for name in ("upper_arm", "forearm", "hand"))
    reach = upper + fore + hand
    by_hand = GRAVITY * (
        BODY.mass_kg * (0.028 * 0.436 * upper + 0.016 * (upper + 0.43 * fore) + 0.006 * reach)
        + 10 * reach
    )
    # Raising an arm in front turns it about the axis to the right: minus y.
    np.testing.assert_allclose(torques["shoulder"][:, :, 1], -by_hand, rtol=1e-6)
    np.testing.assert_allclose(torques["shoulder"][:, :, [0, 2]], 0, atol=1e-6)
    elbow = GRAVITY * (BODY.mass_kg * (0.016 * 0.43 * fore + 0.006 * (fore + hand)))
    elbow += GRAVITY * 10 * (fore + hand)
    np.testing.assert_allclose(torques["elbow"][:, :, 1], -elbow, rtol=1e-6)


def test_standing_straight_needs_no_torque_and_leaning_needs_half_of_it_in_each_hip() -> None:
    motion = standing(BODY, np.arange(30) / 60, np.zeros(30))
    on_back = PlacedLoad(each_hand_kg=0.0, back_kg=80.0)
    upright = joint_torques(BODY, motion, on_back)
    assert all(np.abs(upright[name][:, :, 1]).max() < 1e-6 for name in ("hip", "knee"))
    ahead = motion.joints.copy()
    above = [n for n, name in enumerate(JOINTS) if not name.endswith(("knee", "ankle", "hip"))]
    ahead[:, above, 0] += 0.2
    leaning = joint_torques(BODY, replace(motion, joints=ahead), on_back)
    # The trunk's own centre moves half as far as the shoulders.
    weights = BODY.mass_kg * (0.081 + 2 * 0.05) * 0.2 + BODY.mass_kg * 0.497 * 0.1 + 80 * 0.2
    np.testing.assert_allclose(leaning["hip"][:, :, 1], GRAVITY * weights / 2, rtol=1e-6)


def test_a_load_is_carried_where_the_action_says() -> None:
    bar = replace(curl(load_kg=60.0), equipment="barbell")
    assert place_load("A02", bar) == PlacedLoad(30.0, 0.0)
    assert place_load("A16", bar) == PlacedLoad(0.0, 60.0)
    assert place_load("A18", replace(bar, equipment="T-bar")) == PlacedLoad(0.55 * 30, 0.0)
    assert place_load("A05", curl(load_kg=14.0)) == PlacedLoad(14.0, 0.0)


def test_a_curl_is_the_work_of_the_biceps_most_of_all_with_the_forearm_level() -> None:
    active = muscle_activation(STUDY, SUBJECT, BODY, record("A05"), curl())
    biceps, triceps = active[:, 0], active[:, 1]
    assert 0.4 < biceps.max() < 1
    assert biceps.max() > 3 * triceps.max()
    assert active.min() > 0
    elbow_deg = 15 + 57.5 * (1 - np.cos(2 * np.pi * np.argmax(biceps) / 60 / CURL_S))
    assert abs(elbow_deg - 90) < 20


def test_lifting_takes_more_activation_than_lowering_and_semg_comes_first() -> None:
    active = muscle_activation(STUDY, SUBJECT, BODY, record("A05"), curl())[:, 0]
    half = len(active) // 2
    assert active[:half].mean() > 1.15 * active[half:].mean()
    late = muscle_activation(STUDY, SUBJECT, BODY, record("A05"), curl(load_kg=7.0))[:, 0]
    assert late.max() < 0.75 * active.max()
    heights = curl().joints[:, INDEX["left_hand"], 2]
    assert np.argmax(active > active[:5].mean() + 0.05) < np.argmax(heights > heights[0] + 0.05)


def test_the_arm_stays_the_same_whichever_way_the_person_faces() -> None:
    motion = curl()
    turn = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    turned = replace(motion, joints=motion.joints @ turn)
    here = muscle_activation(STUDY, SUBJECT, BODY, record("A05"), motion)
    there = muscle_activation(STUDY, SUBJECT, BODY, record("A05"), turned)
    np.testing.assert_allclose(here, there, atol=1e-9)


@pytest.mark.parametrize("action", [name for name in GRAPH.actions if name not in ("A15", "A16")])
def test_semg_has_the_columns_and_samples_of_the_record(action: str) -> None:
    made = semg(action)
    assert made.shape == (round(CURL_S * 2000), len(channel_names(GRAPH, action)))
    assert np.isfinite(made).all()
    assert 0.0005 < np.abs(made).mean() < 3


def test_columns_follow_the_names_and_not_their_place() -> None:
    there = record("A05")
    assert there.semg is not None
    backwards = Semg(sample_rate_hz=2000, channels=there.semg.channels[::-1])
    here = semg().std(axis=0)
    back = simulate_semg(
        STUDY, SUBJECT, BODY, there.model_copy(update={"semg": backwards}), curl()
    ).std(axis=0)
    assert here[0] > 3 * here[1]
    assert here[2] > 3 * here[3]
    assert back[1] > 3 * back[0]
    assert back[3] > 3 * back[2]


def test_a_muscle_that_is_not_described_is_named() -> None:
    other = Semg(sample_rate_hz=2000, channels=("left biceps brachi",))
    with pytest.raises(InputError, match="did you mean biceps brachii"):
        simulate_semg(
            STUDY, SUBJECT, BODY, record("A05").model_copy(update={"semg": other}), curl()
        )


def test_equal_seeds_give_equal_bytes_and_other_seeds_others() -> None:
    assert semg().tobytes() == semg().tobytes()
    assert not np.allclose(semg(), semg(repetition=2))
    assert not np.allclose(semg(), semg(study=Study(GRAPH, STUDY.settings, seed=1)))


def test_fatigue_makes_semg_larger_and_slower() -> None:
    level = [fatigue(STUDY, SUBJECT, "A05", n, 0.5).item() for n in range(1, 11)]
    steps = np.diff(level)
    assert (steps > 0).all()
    assert steps[-1] > steps[0]
    sets = [[semg(repetition=n)[:, side] for side in (0, 2)] for n in (1, 2, 9, 10)]
    rms = [np.mean([one.std() for one in pair]) for pair in sets]
    hertz = [np.mean([median_hz(one) for one in pair]) for pair in sets]
    assert sum(rms[2:]) > 1.1 * sum(rms[:2])
    assert sum(hertz[2:]) < 0.95 * sum(hertz[:2])


def test_the_spectrum_is_that_of_surface_semg() -> None:
    hertz, power = welch(semg()[:, 0], 2000, nperseg=1024)
    share = power / power.sum()
    assert 60 < median_hz(semg()[:, 0]) < 120
    assert share[hertz > 450].sum() < 0.02
    assert share[hertz < 15].sum() < 0.05


def test_mains_hum_is_there_and_small() -> None:
    hum = load_signals().semg.hum
    # A triceps at rest: without much of its own the line shows.
    quiet = semg()[:, 1]
    line = 2 * np.abs(np.mean(quiet * np.exp(-2j * np.pi * hum.hz * np.arange(len(quiet)) / 2000)))
    assert 0.0003 < line < 0.02
    assert line < 0.05 * semg()[:, 0].std()


def test_neighbours_hear_each_other_and_sensors_on_one_muscle_more() -> None:
    def alike(action: str, one: int, other: int) -> float:
        made = semg(action)
        return float(np.corrcoef(made[:, one], made[:, other])[0, 1])

    assert alike("A08", 0, 1) > 0.15
    assert alike("A05", 0, 1) > 0.1  # the triceps at rest hears the biceps
    assert abs(alike("A05", 0, 2)) < 0.08  # the other arm does not


def slopes(errors: tuple[str, ...], action: str = "A05", repetition: int = 1) -> dict[Phase, float]:
    made = record(action, repetition, errors)
    found = {}
    for span in made.phases:
        times_s = np.linspace(span.start_s, span.end_s, 50)
        volume = chest_volume(STUDY, made, times_s)
        found[span.phase] = float(np.polyfit(times_s, volume, 1)[0])
    return found


@pytest.mark.parametrize("repetition", range(1, 11))
def test_the_breath_goes_as_the_label_says(repetition: int) -> None:
    out_wrong, in_wrong = "AK17:ET014", "AK18:ET017"
    for errors, out_sign, in_sign in (
        ((), -1, 1),
        ((out_wrong,), 1, 1),
        ((in_wrong,), -1, -1),
        ((out_wrong, in_wrong), 1, -1),
    ):
        found = slopes(errors, repetition=repetition)
        assert out_sign * found["concentric"] > 0.1
        assert in_sign * found["eccentric"] > 0.1
    squat = slopes(("AK44:ET017",), "A16", repetition)
    assert squat["eccentric"] < -0.1
    assert squat["concentric"] < -0.1


def test_chest_volume_is_continuous_and_never_constant() -> None:
    for errors in ((), ("AK17:ET014",)):
        volume = chest_volume(STUDY, record("A05", 3, errors), np.arange(0, CURL_S, 0.01))
        assert volume.min() >= 0
        assert volume.max() <= 1
        assert np.abs(np.diff(volume)).max() < 0.05
        assert np.ptp(volume[:40]) > 0.05  # in the preparation
    with pytest.raises(InputError, match="phases"):
        chest_volume(STUDY, record("A05").model_copy(update={"phases": ()}), np.zeros(3))


def test_heart_and_breath_go_faster_as_the_set_goes_on() -> None:
    rates = []
    for subject in (PEOPLE[0], PEOPLE[-1]):
        recording = lay_out(STUDY, subject, "A16", np.full(10, 2.4))
        assert (recording.rests_s > 0).all()
        heart = [
            heart_rate(STUDY, subject, "A16", recording, start + np.arange(0, 2.4, 0.04))
            for start in recording.starts_s
        ]
        means = [one.mean() for one in heart]
        assert means[-1] > means[0] + 20
        assert means[-1] < 192
        assert all(np.ptp(one) > 0.5 for one in heart)
        breath = breathing_rate(STUDY, subject, "A16", recording, recording.starts_s)
        assert breath[-1] > breath[0] + 2
        assert breath.max() < 50
        rates.append(means[0])
    assert rates[0] < rates[1]  # an expert's heart beats slower than a novice's


def test_the_recording_has_the_durations_of_the_labels(whole: list[Annotation]) -> None:
    labels = [r for r in whole if r.subject == SUBJECT.id][:20]
    assert len(labels) == 20
    for label in labels:
        recording = recording_of(STUDY, SUBJECT, label.action)
        assert label.repetition is not None
        duration_s = recording.durations_s[label.repetition - 1]
        assert duration_s == pytest.approx(label.duration_s, abs=1e-3)


def test_physiology_comes_25_times_a_second_and_as_text() -> None:
    rows = physiology(STUDY, SUBJECT, record("A05", 4))
    assert rows.shape == (100, len(COLUMNS))
    np.testing.assert_allclose(np.diff(rows[:, 0]), 0.04)
    text = physiology_table(STUDY, SUBJECT, record("A05", 4)).splitlines()
    assert text[0] == ",".join(COLUMNS)
    read = np.array([[float(cell) for cell in line.split(",")] for line in text[1:]])
    np.testing.assert_allclose(read, rows, atol=0.051)
