"""Asks a model behind an OpenAI-compatible endpoint (vLLM, `transformers serve`) the same things.

    endpoint = Endpoint("http://localhost:8000/v1", "coach", api_key="none")
    answers = endpoint.generate([conversation], Decoding())

Frames are sampled here, by the sampler of the adapter, and sent as they are. vLLM takes them as one
video of pictures; where a server takes pictures only, use `send="images"`.
"""

import base64
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from flex.problems import InputError, Problem
from flex.video import Frames
from vlm.chat import Message
from vlm.generate import GREEDY, Conversation, Decoding


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

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding = GREEDY
    ) -> list[str]:
        """Return one answer a conversation, in order.

        Raises:
            InputError: the endpoint cannot be reached or refuses; says what to check.
        """
        with ThreadPoolExecutor(self.at_once) as pool:
            return list(pool.map(lambda c: "".join(self._ask(c, decoding, False)), conversations))

    def stream(self, conversation: Conversation, decoding: Decoding = GREEDY) -> Iterator[str]:
        """Yield an answer piece by piece.

        Raises:
            InputError: as `generate`.
        """
        return self._ask(conversation, decoding, True)

    def _ask(self, conversation: Conversation, decoding: Decoding, live: bool) -> Iterator[str]:
        import openai

        body = self._body(conversation, decoding)
        client = openai.OpenAI(
            base_url=self.base_url,
            api_key=self.api_key,
            timeout=self.timeout_s,
            max_retries=self.retries,
        )
        try:
            with client:
                reply: Any = client.chat.completions.create(**body, stream=live)
                if not live:
                    yield reply.choices[0].message.content or ""
                    return
                for piece in reply:
                    if piece.choices and piece.choices[0].delta.content:
                        yield piece.choices[0].delta.content
        except openai.APIConnectionError as error:
            message = f"cannot be reached ({error}); see that the server runs"
            raise InputError([Problem(self.base_url, message)]) from error
        except openai.APIStatusError as error:
            message = f"refused with status {error.status_code}; check model {self.model!r} and key"
            raise InputError([Problem(self.base_url, message)]) from error

    def _body(self, conversation: Conversation, decoding: Decoding) -> dict[str, Any]:
        sampling = {"temperature": decoding.temperature, "top_p": decoding.top_p}
        return {
            "model": self.model,
            "messages": self._messages(conversation),
            "max_tokens": decoding.max_new_tokens,
            "seed": decoding.seed,
            **(sampling if decoding.do_sample else {"temperature": 0.0}),
            "extra_body": {"repetition_penalty": decoding.repetition_penalty},
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
