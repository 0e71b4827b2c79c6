"""Raw surface EMG of one clip: what electrodes on the skin above the recorded muscles pick up.

    semg = simulate_semg(study, subject, body, record, motion)     # (samples, channels) in mV

A muscle is a crowd of motor units whose pulses add up: random pulses, more of them the more active
it is, through the filter of Stulen and De Luca's spectrum
    P(f) ∝ f² / ((f² + low²) (f² + high²)²)    IEEE Trans. Biomed. Eng. 28 (1981) 515–523
with corners that a tired muscle lowers. Then what no recording is free of: crosstalk of the other
sensor on the side, mains hum, movement of cables and skin, noise of the electrodes.

Every part is drawn from the study's seed, the subject, the action and the repetition.
"""

import functools
from collections.abc import Sequence

import numpy as np
from scipy.signal import bilinear_zpk, butter, lfilter, sosfilt, zpk2tf

from flex.problems import InputError, Problem
from flex.sample import Annotation
from flex.skeleton import INDEX
from sim.activation import muscle_activation
from sim.bodies import Body
from sim.motion import Motion
from sim.recording import fatigue
from sim.signal_settings import Signals, load_signals
from sim.study import Floats, Study
from sim.subjects import Subject

_SETTLE_S = 0.15  # the filters run in before the clip begins


def simulate_semg(
    study: Study, subject: Subject, body: Body, record: Annotation, motion: Motion
) -> Floats:
    """Return the raw sEMG of a clip: (samples, channels) float in mV, columns as the record says.

    Args:
        study: the study.
        subject: who lifts; must be the record's subject.
        body: the subject's body.
        record: a simulated record with `semg` and `duration_s`.
        motion: the clip's motion at 60 to 120 Hz.

    Raises:
        InputError: a record without duration or sEMG, or a channel of an unknown muscle.
    """
    if record.semg is None or record.duration_s is None:
        raise InputError([Problem(record.clip, "semg and duration_s are needed")])
    rate_hz, channels = record.semg.sample_rate_hz, record.semg.channels
    signals, repetition = load_signals(), record.repetition or 1
    moment = study.draws("semg", subject.id, record.action, repetition)
    times_s = np.arange(round(record.duration_s * rate_hz)) / rate_hz
    active = muscle_activation(study, subject, body, record, motion)
    active = _resampled(times_s, motion.times_s, active)
    active = active * _unsteady(signals, moment, len(times_s), len(channels), rate_hz)
    tired = fatigue(study, subject, record.action, repetition, times_s / record.duration_s)
    muscles = np.stack(
        [
            _muscle_signal(
                signals,
                moment,
                rate_hz,
                active[:, number],
                tired,
                channel,
                _median_hz(study, subject, channel) * (1 - signals.fatigue.median * tired.mean()),
            )
            for number, channel in enumerate(channels)
        ],
        axis=-1,
    )
    gain = study.draws("electrodes", subject.id, record.action)
    own = np.exp(gain.normal(scale=signals.semg.gain_sd, size=len(channels)))
    mixed = own * _with_crosstalk(signals, muscles, channels, rate_hz)
    mixed += _hum(study, subject, record.action, repetition, times_s, len(channels))
    mixed += _artefacts(signals, moment, motion, times_s, channels, rate_hz)
    return np.asarray(mixed + moment.normal(scale=signals.semg.noise_mv, size=mixed.shape))


def _muscle_signal(
    signals: Signals,
    moment: np.random.Generator,
    rate_hz: float,
    active: Floats,
    tired: Floats,
    channel: str,
    median_hz: float,
) -> Floats:
    """Return what a muscle gives below its own sensor: (samples,) mV."""
    settings = signals.semg
    muscle = signals.muscle_of(channel)[1]
    size = muscle.amplitude_mv * active**settings.amplitude_exponent
    size = size * (1 + signals.fatigue.amplitude * tired)
    settle = round(_SETTLE_S * rate_hz)
    active, size = (np.pad(values, (settle, 0), mode="edge") for values in (active, size))
    # Pulses that are rarer are larger, so that their number changes the shape and not the power.
    share = np.clip(settings.pulses_per_s * active / rate_hz, 0.02, 1)
    fires = moment.uniform(size=len(share)) < share
    pulses = moment.normal(size=len(share)) * fires / np.sqrt(share)
    top, below = _spectrum(settings.low_share, median_hz, rate_hz)
    return np.asarray(lfilter(top, below, size * pulses)[settle:])


def _spectrum(low_share: float, median_hz: float, rate_hz: float) -> tuple[Floats, Floats]:
    """Return the filter that gives white noise the spectrum of sEMG, at unit power."""
    high = 2 * np.pi * median_hz / _median_over_high(low_share)
    zeros, poles, gain = bilinear_zpk([0.0], [-low_share * high, -high, -high], 1.0, rate_hz)
    top, below = zpk2tf(zeros, poles, gain)
    click = np.zeros(round(rate_hz * _SETTLE_S))
    click[0] = 1
    return top / np.sqrt((lfilter(top, below, click) ** 2).sum()), below


@functools.lru_cache
def _median_over_high(low_share: float) -> float:
    """Return the median frequency of the spectrum in units of its upper corner frequency."""
    grid = np.linspace(0, 40, 80_000)
    power = np.cumsum(grid**2 / ((grid**2 + low_share**2) * (grid**2 + 1) ** 2))
    return float(grid[np.searchsorted(power, power[-1] / 2)])


def _median_hz(study: Study, subject: Subject, channel: str) -> float:
    """Return the median frequency of a person's rested muscle."""
    signals = load_signals()
    own = study.draws("median", subject.id, channel).normal(scale=signals.semg.median_sd)
    return signals.muscle_of(channel)[1].median_hz * float(np.exp(own))


def _with_crosstalk(
    signals: Signals, muscles: Floats, channels: Sequence[str], rate_hz: float
) -> Floats:
    """Add to each sensor what reaches it from the others on its side."""
    settings = signals.semg
    top, below = butter(1, settings.crosstalk_cut_hz, fs=rate_hz)
    far = lfilter(top, below, muscles, axis=0)
    found = [signals.muscle_of(channel) for channel in channels]
    mix = np.zeros((len(channels), len(channels)))
    for here, (side, muscle) in enumerate(found):
        for there, (other_side, other) in enumerate(found):
            if here != there and side == other_side:
                same = muscle is other
                mix[there, here] = (
                    settings.crosstalk.same_muscle if same else settings.crosstalk.neighbour
                )
    return np.asarray(muscles + far @ mix)


def _hum(
    study: Study, subject: Subject, action: str, repetition: int, times_s: Floats, count: int
) -> Floats:
    """Return mains hum: (samples, count) mV, as strong in all repetitions of a set."""
    hum = load_signals().semg.hum
    session = study.draws("hum", subject.id, action)
    size = hum.amplitude_mv * np.exp(session.normal(scale=hum.sd, size=count))
    offset = study.draws("mains", subject.id, action, repetition).uniform(0, 2 * np.pi)
    turns = session.uniform(0, 2 * np.pi, size=(1 + len(hum.harmonics), count))
    phase = 2 * np.pi * hum.hz * times_s[:, None] + offset
    waves = [
        share * np.sin(order * phase + turns[row])
        for row, (order, share) in enumerate(((1, 1.0), *hum.harmonics.items()))
    ]
    return np.asarray(size * np.sum(waves, axis=0))


def _artefacts(
    signals: Signals,
    moment: np.random.Generator,
    motion: Motion,
    times_s: Floats,
    channels: Sequence[str],
    rate_hz: float,
) -> Floats:
    """Return slow voltages from moving cables and skin: (samples, channels) mV."""
    settings = signals.semg.artefact
    columns = []
    for channel in channels:
        side, muscle = signals.muscle_of(channel)
        on_leg = any(name.startswith(("hip", "knee")) for name in muscle.pull)
        part = INDEX[f"{side}_{'knee' if on_leg else 'elbow'}"]
        velocity = np.gradient(motion.joints[:, part], motion.times_s, axis=0)
        columns.append(np.linalg.norm(velocity, axis=-1))
    speed = _resampled(times_s, motion.times_s, np.stack(columns, axis=-1))
    band = (settings.low_hz, settings.high_hz)
    return np.asarray(settings.mv_per_m_s * speed * _slow_noise(moment, band, speed.shape, rate_hz))


def _unsteady(
    signals: Signals, moment: np.random.Generator, samples: int, count: int, rate_hz: float
) -> Floats:
    """Return the slow variation of the drive: (samples, count), about 1."""
    settings = signals.activation
    course = _slow_noise(moment, (0.0, settings.unsteady_hz), (samples, count), rate_hz)
    return np.exp(settings.unsteadiness * course)


def _slow_noise(
    moment: np.random.Generator,
    band_hz: tuple[float, float],
    shape: tuple[int, ...],
    rate_hz: float,
) -> Floats:
    """Return noise of unit variance in a low band: `shape`, the first axis is time."""
    slow_hz = 10 * band_hz[1]
    settle = round(slow_hz / max(band_hz[0], 1.0))
    count = int(np.ceil(shape[0] / rate_hz * slow_hz)) + 2
    white = moment.normal(size=(settle + count, *shape[1:]))
    if band_hz[0]:
        sections = butter(2, band_hz, "bandpass", fs=slow_hz, output="sos")
    else:
        sections = butter(2, band_hz[1], fs=slow_hz, output="sos")
    slow = sosfilt(sections, white, axis=0)[settle:]
    width = (band_hz[1] - band_hz[0]) / (slow_hz / 2)
    times = np.arange(shape[0]) / rate_hz
    return _resampled(times, np.arange(count) / slow_hz, slow / np.sqrt(width))


def _resampled(times_s: Floats, given_s: Floats, values: Floats) -> Floats:
    """Interpolate columns (T, C) given at `given_s` to other times."""
    return np.stack([np.interp(times_s, given_s, column) for column in values.T], axis=-1)
