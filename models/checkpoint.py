"""Load a checkpoint through transformers, and check that all of it was loaded."""

from typing import Any

from asrd.core.errors import MissingExtraError, ModelError, reason
from asrd.models import families
from asrd.models.directory import ModelDirectory


def load_checkpoint(model: ModelDirectory) -> Any:
    """Load the model, with the adapter of its language, in float32 and evaluation mode, from disk only.

    Raises MissingExtraError without torch and transformers, ModelError if a tensor is missing, unexpected or of
    another shape: transformers would initialise it at random and carry on.
    """
    try:
        import torch
        import transformers
        from safetensors import SafetensorError
    except ImportError as error:
        raise MissingExtraError("torch", "loading a checkpoint") from error
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        network, report = transformers.AutoModelForCTC.from_pretrained(
            model.path, dtype=torch.float32, local_files_only=True, output_loading_info=True
        )
        if model.adapter:
            network.load_adapter(model.language, local_files_only=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{model.path} cannot be loaded: {reason(error)}") from error
    faults = {
        kind: sorted(map(str, report.get(f"{kind}_keys", ()))) for kind in ("missing", "unexpected", "mismatched")
    }
    # Present in pre-training, dropped by every fine-tuned model that never masks its input.
    faults["missing"] = [key for key in faults["missing"] if not key.endswith("masked_spec_embed")]
    if {"lm_head.weight", "lm_head.bias"} <= set(faults["missing"]):
        raise families.headless(str(model.path), "checkpoint without 'lm_head'", network.config.model_type)
    for kind, keys in faults.items():
        if keys:
            raise ModelError(f"{model.path}: {len(keys)} {kind} tensors, first {keys[0]}; pull the checkpoint again")
    network.eval()
    return network
