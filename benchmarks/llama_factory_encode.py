"""What LLaMA-Factory makes of a dialogue about a video; runs in LLaMA-Factory's own environment.

    ENV/bin/python benchmarks/llama_factory_encode.py < request.json > answer.json

The request: {"base": folder with a processor and a configuration, "films": {name: path}, "turns":
[[question, answer], …]}. The settings are LLaMA-Factory's defaults with the template qwen2_vl.
`benchmarks.llama_factory_input` sends it and keeps the answer.
"""

import json
import sys
from importlib.metadata import version
from typing import Any

CUTOFF = 8192
PACKAGES = ("llamafactory", "transformers", "torch", "av")


def main() -> None:
    """Answer the request on standard input."""
    request = json.load(sys.stdin)
    out, sys.stdout = sys.stdout, sys.stderr  # LLaMA-Factory prints its log
    tools = _Tools(request["base"])
    films = {name: tools.encode(path, request["turns"]) for name, path in request["films"].items()}
    versions = {name: version(name) for name in PACKAGES}
    json.dump({"versions": versions, "films": films}, out)


class _Tools:
    """LLaMA-Factory's processor, template, data set and collator, with its defaults."""

    def __init__(self, base: str) -> None:
        import torch
        from llamafactory.data import SFTDataCollatorWith4DAttentionMask
        from llamafactory.data import get_template_and_fix_tokenizer as find_template
        from llamafactory.data.processor import SupervisedDatasetProcessor
        from llamafactory.hparams import DataArguments, ModelArguments
        from llamafactory.model.patcher import patch_processor
        from transformers import AutoConfig, AutoProcessor, Qwen2_5_VLForConditionalGeneration

        self.processor = AutoProcessor.from_pretrained(base)
        tokenizer = self.processor.tokenizer
        arguments = DataArguments(template="qwen2_vl", cutoff_len=CUTOFF)
        patch_processor(self.processor, tokenizer, ModelArguments(model_name_or_path=base))
        template = find_template(tokenizer, arguments)
        with torch.device("meta"):  # only asked for positions
            model = Qwen2_5_VLForConditionalGeneration._from_config(
                AutoConfig.from_pretrained(base)
            )
        self.dataset = SupervisedDatasetProcessor(template, tokenizer, self.processor, arguments)
        self.plugin = template.mm_plugin
        self.collate = SFTDataCollatorWith4DAttentionMask(
            tokenizer=tokenizer, model=model, template=template, processor=self.processor
        )

    def encode(self, film: str, turns: list[list[str]]) -> dict[str, Any]:
        """Return what the model is given for one dialogue, and how its video was read."""
        messages = [
            {"role": role, "content": text}
            for turn in turns
            for role, text in zip(("user", "assistant"), turn, strict=True)
        ]
        messages[0]["content"] = "<video>" + messages[0]["content"]
        kept = {"_system": [None], "_tools": [None], "_images": [None], "_audios": [None]}
        rows = self.dataset.preprocess_dataset(
            {"_prompt": [messages[:-1]], "_response": [messages[-1:]], "_videos": [[film]], **kept}
        )
        features = {name: column[0] for name, column in rows.items()}
        batch = self.collate([features])
        pixels = batch["pixel_values_videos"]
        return {
            "input_ids": batch["input_ids"][0].tolist(),
            "labels": batch["labels"][0].tolist(),
            # Time, rows and columns; before them comes a row of places in the text.
            "position_ids": batch["position_ids"][1:, 0].tolist(),
            "video_grid_thw": batch["video_grid_thw"].tolist(),
            "second_per_grid_ts": [float(step) for step in batch["second_per_grid_ts"]],
            "patches": [round(float(value), 4) for value in pixels.float().mean(-1)],
            **self._frames(film),
        }

    def _frames(self, film: str) -> dict[str, Any]:
        import av

        with av.open(film) as container:
            stream = container.streams.video[0]
            limits = {"video_fps": self.processor.video_fps}
            limits["video_maxlen"] = self.processor.video_maxlen
            indices = self.plugin._get_video_sample_indices(stream, **limits)
        return {"indices": [int(index) for index in indices]}


if __name__ == "__main__":
    main()
