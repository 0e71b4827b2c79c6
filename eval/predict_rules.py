"""The rules that the mode "prompted" is told: all actions of the graph, or those that fit.

rules = choose_rules(graph, count_tokens, room=30_000)
rules.whole                 # True: one system message for every clip
rules.text(action=None)     # the system message
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flex.graph import Action, Graph
from flex.templates import render


@dataclass(frozen=True)
class Rules:
    """What the system message holds.

    Attributes:
        whole: the rules of all actions go into every message; else those of the action that the
            model itself recognised in its first answer, and the first question meets the names
            of the actions only.
        tokens: the length of the message with all actions.
        room: how many tokens there were for it; `None` where the model does not say.
    """

    graph: Graph
    whole: bool
    tokens: int
    room: int | None

    def text(self, action: str | None) -> str:
        """Return the system message, for the action that was recognised or for none yet."""
        if self.whole:
            return render_rules(self.graph, tuple(self.graph.actions.values()))
        chosen = () if action is None else (self.graph.action(action),)
        return render_rules(self.graph, chosen)

    @property
    def why(self) -> str:
        """Say which rules the model is told, and why."""
        count = len(self.graph.actions)
        if self.whole:
            return f"the rules of all {count} actions ({self.tokens:,} tokens)"
        return (
            "the rules of the action that the model itself recognised, since those of all "
            f"{count} actions ({self.tokens:,} tokens) do not fit into the {self.room:,} left by "
            "video and answers"
        )


def choose_rules(graph: Graph, count_tokens: Callable[[str], int], room: int | None) -> Rules:
    """Return the rules of all actions if they fit into `room` tokens (`None`: no limit known)."""
    tokens = count_tokens(render_rules(graph, tuple(graph.actions.values())))
    return Rules(graph, room is None or tokens <= room, tokens, room)


def render_rules(graph: Graph, actions: Sequence[Action]) -> str:
    """Return the system message with the rules of some actions."""
    names = [action.name for action in graph.actions.values()]
    return render("eval/rules.j2", graph=graph, actions=actions, names=names).strip()
