"""All figures of a report as plain data, for machines."""

from collections.abc import Mapping
from typing import Any

from aqa.evaluate import Evaluation, Figure
from aqa.fatigue import Course, Study
from flex.plain import without_nan


def report_json(evaluation: Evaluation, studies: Mapping[str, Study]) -> dict[str, Any]:
    """Return all figures as plain data; what could not be judged is null."""
    content = {
        "clips": evaluation.clips,
        "subjects": evaluation.subjects,
        "actions": evaluation.actions,
        "left_out": evaluation.left_out,
        "variants": {
            name: {
                "figures": {key: _figure_json(one) for key, one in judged.figures.items()},
                "actions": judged.actions,
                "reliability": [each._asdict() for each in judged.bins],
            }
            for name, judged in evaluation.variants.items()
        },
        "leads": {
            f"{one} − {other}": {key: _figure_json(each) for key, each in found.items()}
            for (one, other), found in evaluation.leads.items()
        },
        "repetitions": {name: _study_json(study) for name, study in studies.items()},
    }
    plain: dict[str, Any] = without_nan(content)
    return plain


def _study_json(study: Study) -> dict[str, Any]:
    return {
        "drop": study.drop,
        "agreement": study.agreement,
        "early_by_either": study.both_early[0],
        "early_by_both": study.both_early[1],
        "given": _course_json(study.given),
        "true": _course_json(study.true),
        "sets": [
            {
                "subject": one.subject,
                "action": one.action,
                "slope": {"given": mine, "true": theirs},
                "drop": {"given": my_drop, "true": their_drop},
            }
            for one, mine, theirs, my_drop, their_drop in zip(
                study.sets,
                study.given.slopes,
                study.true.slopes,
                study.given.drops,
                study.true.drops,
                strict=True,
            )
        ],
    }


def _course_json(course: Course) -> dict[str, Any]:
    return {key: value for key, value in vars(course).items() if key not in ("slopes", "drops")}


def _figure_json(figure: Figure) -> dict[str, Any]:
    return {key: value for key, value in vars(figure).items() if key != "drawn"}
