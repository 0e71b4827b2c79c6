"""Asks a model behind an OpenAI-compatible endpoint (vLLM, `transformers serve`) the same things.

    endpoint = Endpoint("http://localhost:8000/v1", "coach", api_key="none")
    answers = endpoint.generate([conversation], Decoding())

Frames are sampled here, by the sampler of the adapter, and sent as they are: as PNG, which loses
nothing, with the times at which they were taken, and with the order to leave size and number. vLLM
takes them as one video of pictures. `transformers serve` loads the sound of every video and fails,
so that it can be sent pictures only (`send="images"`), which no adapter has learnt from.
`vlm.probe` finds out whether a server heeds all that.
"""

import base64
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from flex.problems import InputError, Problem
from flex.video import Frames
from vlm.chat import Message
from vlm.generate import GREEDY, Conversation, Decoding, Reply
from vlm.server import Server, find_server

_LONGEST_REASON = 400


class UnreachableError(InputError):
    """Nobody answers at an address, which may be only for the moment."""


@dataclass(frozen=True)
class Look:
    """What a server tells of a prompt and the first word of its answer.

    Attributes:
        prompt_tokens: how long the prompt was to the model; `None` where it is not told.
        logs: the most likely first tokens with their log-probabilities; `None` likewise.
    """

    prompt_tokens: int | None
    logs: dict[str, float] | None


@dataclass
class Endpoint:
    """A model that is served elsewhere.

    Attributes:
        base_url: up to and with `/v1`.
        model: as the server calls it.
        api_key: "none" where the server asks for none.
        send: frames as one video, or as pictures.
        at_once: how many requests are in flight.
        timeout_s: how long one answer may take.
        retries: how often a request is sent again when the server is busy or gone for a moment.
    """

    base_url: str
    model: str
    api_key: str = "none"
    send: Literal["video", "images"] = "video"
    at_once: int = 8
    timeout_s: float = 300.0
    retries: int = 4
    _server: Server = field(default=Server("absent"), init=False, repr=False)

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding = GREEDY
    ) -> list[str]:
        """Return one answer a conversation, in order.

        Raises:
            InputError: the endpoint cannot be reached or refuses; says what to check.
        """
        return [reply.text for reply in self.replies(conversations, decoding)]

    def replies(
        self, conversations: Sequence[Conversation], decoding: Decoding = GREEDY
    ) -> list[Reply]:
        """Return one reply a conversation, in order, which says whether it was cut.

        Raises:
            InputError: as `generate`.
        """
        with ThreadPoolExecutor(self.at_once) as pool:
            return list(pool.map(lambda one: self._reply(one, decoding), conversations))

    def _reply(self, conversation: Conversation, decoding: Decoding) -> Reply:
        parts = list(self._ask(conversation, decoding, False))
        return Reply("".join(part.text for part in parts), any(part.cut for part in parts))

    def stream(self, conversation: Conversation, decoding: Decoding = GREEDY) -> Iterator[str]:
        """Yield an answer piece by piece.

        Raises:
            InputError: as `generate`.
        """
        return (piece.text for piece in self._ask(conversation, decoding, True))

    def _ask(self, conversation: Conversation, decoding: Decoding, live: bool) -> Iterator[Reply]:
        body = self._body(conversation, decoding)
        with self._asking() as client:
            reply: Any = client.chat.completions.create(**body, stream=live)
            if not live:
                yield self._whole(reply)
                return
            for piece in reply:
                if piece.choices and piece.choices[0].delta.content:
                    yield Reply(piece.choices[0].delta.content)

    def _whole(self, reply: Any) -> Reply:
        """Return a reply that did not come piece by piece.

        Raises:
            InputError: it is no chat completion.
        """
        choices = getattr(reply, "choices", None) or []
        message = choices[0].message if len(choices) == 1 else None
        if message is None:
            message = f"sent no chat completion of one choice, but {str(reply)[:_LONGEST_REASON]!r}"
            raise InputError([Problem(self.base_url, message)])
        return Reply(text_of(message.content), choices[0].finish_reason == "length")

    def look(self, conversation: Conversation) -> Look:
        """Return what the server tells of a conversation before the first word of an answer.

        Raises:
            InputError: as `generate`.
        """
        body = self._body(conversation, Decoding(max_new_tokens=1))
        with self._asking() as client:
            reply: Any = client.chat.completions.create(**body, logprobs=True, top_logprobs=20)
        usage, told = reply.usage, reply.choices[0].logprobs
        first = told.content[0].top_logprobs if told and told.content else None
        return Look(
            usage.prompt_tokens if usage else None,
            {one.token: one.logprob for one in first} if first else None,
        )

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        """Yield a client whose failures are told in sentences."""
        import openai

        client = openai.OpenAI(
            base_url=self.base_url,
            api_key=self.api_key,
            timeout=self.timeout_s,
            max_retries=self.retries,
        )
        try:
            with client:
                yield client
        except openai.APIConnectionError as error:
            message = f"cannot be reached ({error}); see that the server runs"
            raise UnreachableError([Problem(self.base_url, message)]) from error
        except openai.APIStatusError as error:
            message = (
                f"refused with status {error.status_code}; check model {self.model!r} and key; "
                f"the server says: {_reason(error)}"
            )
            raise InputError([Problem(self.base_url, message)]) from error
        except InputError:
            raise
        except (RecursionError, ValueError) as error:
            message = f"sent what is no JSON of a chat completion ({type(error).__name__})"
            raise InputError([Problem(self.base_url, message)]) from error
        except openai.APIError as error:
            message = f"broke off; the server says: {error.message}"
            raise InputError([Problem(self.base_url, message)]) from error

    @property
    def server(self) -> Server:
        """What serves; asked until somebody answers."""
        if self._server.kind == "absent":
            self._server = find_server(self.base_url, self.api_key)
        return self._server

    def _body(self, conversation: Conversation, decoding: Decoding) -> dict[str, Any]:
        sampling = {"temperature": decoding.temperature, "top_p": decoding.top_p}
        if self.server.kind == "transformers":
            # It refuses the name, and takes this one as the penalty less 1.
            penalty: dict[str, Any] = {"frequency_penalty": decoding.repetition_penalty - 1}
        else:
            extra = {"repetition_penalty": decoding.repetition_penalty}
            penalty = {"extra_body": extra | self._timing(conversation)}
        return {
            "model": self.model,
            "messages": self._messages(conversation),
            "max_tokens": decoding.max_new_tokens,
            "seed": decoding.seed,
            **(sampling if decoding.do_sample else {"temperature": 0.0}),
            **penalty,
        }

    def _timing(self, conversation: Conversation) -> dict[str, Any]:
        """Return when the frames were taken, and that their size and number are to stay."""
        videos = conversation.videos
        if self.send == "images" or not isinstance(videos, tuple) or not videos:
            return {}
        if len(videos) > 1:
            message = "takes one video in a request, since its times hold for all of them"
            raise InputError([Problem(self.base_url, message)])
        return {
            "media_io_kwargs": {"video": video_times(videos[0])},
            "mm_processor_kwargs": {"do_resize": False, "do_sample_frames": False},
        }

    def _messages(self, conversation: Conversation) -> list[dict[str, Any]]:
        videos = conversation.videos
        if not isinstance(videos, tuple):
            raise InputError([Problem(self.base_url, "an endpoint takes frames, not features")])
        messages: list[dict[str, Any]] = []
        seen = [part for video in videos for part in self._parts(video)]
        for message in conversation.messages:
            messages.append(_with_parts(message, seen if message["role"] == "user" else []))
            if message["role"] == "user":
                seen = []
        return messages

    def _parts(self, video: Frames) -> list[dict[str, Any]]:
        pictures = [_picture(frame) for frame in video.pixels]
        if self.send == "images":
            return [
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}
                for picture in pictures
            ]
        # vLLM reads a "video" of this type as its frames, one picture after the other.
        url = f"data:video/jpeg;base64,{','.join(pictures)}"
        return [{"type": "video_url", "video_url": {"url": url}}]


def text_of(content: object) -> str:
    """Return the text of a message, which some servers send in parts; nothing for anything else.

    Half characters (lone surrogates), which no file takes, become "?".
    """
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        content = "".join(text for text in texts if isinstance(text, str))
    text = content if isinstance(content, str) else ""
    return text.encode("utf-8", "replace").decode("utf-8")


def video_times(video: Frames) -> dict[str, Any]:
    """Return the times of frames as vLLM takes them: all frames, at their places in the clip.

    vLLM refuses more frames than the clip has; a clip so short that frames are repeated is told
    as one of more frames in the same time, which leaves the steps of time as they are.
    """
    finer = -(-len(video.indices) // video.total)
    total, fps = video.total * finer, video.fps * finer
    return {
        "num_frames": -1,
        "fps": fps,
        "frames_indices": [index * finer for index in video.indices],
        "total_num_frames": total,
        "duration": total / fps,
    }


def _reason(error: Any) -> str:
    """Return a server's own words, from where vLLM, `transformers serve` and others put them."""
    body = error.body if isinstance(error.body, dict) else {}
    told = body.get("message") or body.get("detail") or body.get("error") or error.response.text
    text = " ".join(str(told).split()) or "nothing"
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]} …"


def _with_parts(message: Message, parts: list[dict[str, Any]]) -> dict[str, Any]:
    if not parts:
        return dict(message)
    text = {"type": "text", "text": message["content"]}
    return {"role": message["role"], "content": [*parts, text]}


def _picture(frame: Any) -> str:
    """Return a frame as PNG, which loses nothing, in base64."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode()
