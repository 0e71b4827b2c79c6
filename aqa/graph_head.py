"""The graph head: which errors a lift shows, for all actions in one model; Eq. 1 makes the score.

    head = GraphHead(layout, ErrorColumns(load_graph()))
    head.fit(features, labels, known, actions)                   # scales and base rates, as buffers
    out = head(features, actions)                                # logits of 278 errors per clip
    scores = head.expected_score(head.calibration(out.fused), actions)

Every stream gives evidence of its own for every error, and the evidence is averaged with weights
per error over the streams that are there ("late fusion"): one that is missing leaves no trace. An
error asks with a query of three parts, its key step, its type and itself, so that a rare pair
learns from others of its step and type; the clip's action shifts what is asked of. All of it is
linear in a stream's features: two layers in between lost what a backbone knew (docs/aqa.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from aqa.calibration import Calibration
from aqa.error_columns import ErrorColumns
from aqa.layout import Layout
from aqa.streams import Streams, column_mask, column_scales
from flex.problems import InputError, Problem

# Logit of the weight of practised streams among those that start from nothing.
_BELIEVED = 3.0
_SMOOTHING = 4.0  # clips' worth of the column's overall rate in an action's base rate


class HeadSettings(BaseModel):
    """Size of the head."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden: int = Field(default=128, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)


@dataclass(frozen=True)
class ErrorLogits:
    """What the head says of B clips, on O columns, from S streams.

    Attributes:
        fused: (B, O) logits of all streams together.
        alone: (B, S, O) logits of each stream by itself; meaningless where it is absent.
        present: (B, S) bool.
        known: (B, O) bool, the columns of each clip's action.
    """

    fused: Tensor
    alone: Tensor
    present: Tensor
    known: Tensor


class GraphHead(nn.Module):  # type: ignore[misc]
    """Multi-label over the occurrences of all actions, on features of clips.

    Attributes:
        calibration: turns logits into probabilities; fit it on the validation split.
        base_rate: (A, O) share of the training clips of an action that show an error.
        prior: (A, O) logits before any evidence; starts at the base rate.
    """

    def __init__(
        self, layout: Layout, columns: ErrorColumns, settings: HeadSettings | None = None
    ) -> None:
        super().__init__()
        settings = settings or HeadSettings()
        self.layout, hidden = layout, settings.hidden
        widths = layout.widths
        self.kinds = [layout.kind(stream) for stream in widths]
        self.trunks = nn.ModuleDict(
            {
                kind: _trunk(width, hidden, settings.dropout)
                for kind, width in zip(self.kinds, widths.values(), strict=True)
            }
        )
        # Views share a trunk; this tells them apart.
        self.stream = nn.Parameter(torch.zeros(len(widths), hidden))
        self.context = nn.Embedding(len(columns.actions), 2 * hidden)
        self.step_query = nn.Embedding(int(columns.steps.max()) + 1, hidden)
        self.type_query = nn.Embedding(int(columns.types.max()) + 1, hidden)
        self.own_query = nn.Parameter(torch.zeros(len(columns), hidden))
        self.trust = nn.Parameter(torch.zeros(len(widths), len(columns)))
        # Two streams that agree say more than one: a gain for every number of streams.
        self.gain = nn.Parameter(torch.ones(len(widths)))
        self.prior = nn.Parameter(torch.zeros(len(columns.actions), len(columns)))
        nn.init.zeros_(self.context.weight)
        for query in (self.step_query, self.type_query):
            nn.init.normal_(query.weight, std=(2 * hidden) ** -0.5)
        self.calibration = Calibration(len(columns))
        for name, value in (
            ("steps", torch.from_numpy(columns.steps)),
            ("types", torch.from_numpy(columns.types)),
            ("known", torch.from_numpy(columns.known)),
            ("weights", torch.from_numpy(columns.weights)),
            ("totals", torch.from_numpy(columns.totals)),
        ):
            self.register_buffer(name, value, persistent=False)
        self.register_buffer("mean", torch.zeros(layout.width))
        self.register_buffer("deviation", torch.ones(layout.width))
        self.register_buffer("base_rate", torch.full(columns.known.shape, 0.5))

    def forward(
        self, features: Streams, actions: Tensor, present: Tensor | None = None
    ) -> ErrorLogits:
        """Return logits for every column.

        Args:
            features: B clips, (B, width) each stream.
            actions: (B,) numbers of the actions, from `ErrorColumns.rows`.
            present: (B, S) bool, to leave out more streams than are missing (`drop_streams`).
        """
        joined, there = features.joined(self.layout)
        if present is not None:
            there = there & present
        seen = self._seen(joined, actions)
        queries = self.own_query + self.step_query(self.steps) + self.type_query(self.types)
        evidence = torch.einsum("bsh,oh->bso", seen, queries)
        prior = self.prior[actions]
        return ErrorLogits(
            fused=prior + self._fused(evidence, there),
            alone=prior[:, None] + evidence * self.gain[0],
            present=there,
            known=self.known[actions],
        )

    def fit(self, features: Streams, labels: Tensor, known: Tensor, actions: Tensor) -> None:
        """Set scales and base rates from the training split.

        Args:
            features: N clips.
            labels: (N, O) 0 or 1.
            known: (N, O) bool, what was labelled.
            actions: (N,) numbers of the actions.
        """
        mean, deviation = column_scales(self.layout, features)
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)
        self.base_rate.copy_(base_rates(labels, known, actions, len(self.base_rate)))
        self.prior.data.copy_(torch.logit(self.base_rate))

    def start_from(self, weights: Mapping[str, Tensor], place: str) -> None:
        """Take practised weights: trunks, what asks, and what actions change.

        The trunks' streams keep the scale that they practised on, and are believed first.

        Args:
            weights: name → tensor, as `aqa.practice` writes them; trunks of kinds that the layout
                does not have are left out.
            place: the file, for messages.

        Raises:
            InputError: weights of a head of another size.
        """
        own = self.state_dict()
        taken = {name: value for name, value in weights.items() if name in own}
        wrong = [name for name, value in taken.items() if value.shape != own[name].shape]
        if wrong or not taken:
            message = f"is of a head of another size ({', '.join(wrong) or 'no weight fits'})"
            raise InputError([Problem(place, f"{message}; its hidden width must be this one's")])
        self.load_state_dict(taken, strict=False)
        practised = {name.split(".")[1] for name in taken if name.startswith("trunks.")}
        known = torch.tensor([kind in practised for kind in self.kinds])
        columns = column_mask(self.layout, known[None])[0]
        self.mean[columns], self.deviation[columns] = 0.0, 1.0
        self.trust.data[known] = _BELIEVED

    def expected_score(self, probabilities: Tensor, actions: Tensor) -> Tensor:
        """Return Eq. 1's mean over all that may have happened: (B, O), (B,) → (B,) in 0–100.

        Differentiable, so that it can be a loss too.
        """
        lost = probabilities.double() * self.weights * self.known[actions]
        return (100 * (1 - lost.sum(dim=1) / self.totals[actions])).float()

    def _seen(self, joined: Tensor, actions: Tensor) -> Tensor:
        """Return what each stream shows, in the light of the action: (B, S, hidden)."""
        normal = (joined - self.mean) / self.deviation
        parts = normal.split(list(self.layout.widths.values()), dim=1)
        seen = torch.stack(
            [self.trunks[kind](part) for kind, part in zip(self.kinds, parts, strict=True)], dim=1
        )
        scale, shift = self.context(actions)[:, None].chunk(2, dim=-1)
        return (seen + self.stream) * (1 + scale) + shift

    def _fused(self, evidence: Tensor, present: Tensor) -> Tensor:
        """Average over the streams that are there: (B, S, O), (B, S) → (B, O); 0 where none is."""
        mask = present[:, :, None]
        trust = self.trust.expand_as(evidence).masked_fill(~mask, -torch.inf)
        # A clip without any stream would divide by zero: its evidence is nothing.
        trust = torch.where(present.any(dim=1)[:, None, None], trust, torch.zeros_like(trust))
        mean = (torch.where(mask, evidence, torch.zeros_like(evidence)) * trust.softmax(dim=1)).sum(
            dim=1
        )
        return mean * self.gain[(present.sum(dim=1) - 1).clamp(min=0)][:, None]


def base_rates(labels: Tensor, known: Tensor, actions: Tensor, count: int) -> Tensor:
    """Return how often each action shows each error: (A, O), never 0 or 1.

    Where an action has few clips, the column's rate over all actions counts as a few more.
    """
    there = known.double()
    seen = labels.double() * there
    overall = (seen.sum(dim=0) + 0.5) / (there.sum(dim=0) + 1)
    zeros = torch.zeros(count, labels.shape[1], dtype=torch.float64, device=labels.device)
    positives = zeros.index_add(0, actions, seen)
    clips = zeros.index_add(0, actions, there)
    return ((positives + _SMOOTHING * overall) / (clips + _SMOOTHING)).float()


def _trunk(width: int, hidden: int, dropout: float) -> nn.Module:
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(width, hidden))
