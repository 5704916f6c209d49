"""Stage 2 of the SAM-guided system: masked tokens, predicted as a trained encoder of stage 1 has them."""

from dataclasses import asdict

import torch

from s4tok.config import RunConfig
from s4tok.errors import UsageError, choose
from s4tok.models.point_encoder import PointEncoder
from s4tok.models.point_encoder_files import LoadedEncoder, load_encoder
from s4tok.objectives.masked_regions import MaskedRegions
from s4tok.tokenizers import TOKENIZERS, PointFeatures
from s4tok_pipelines.inputs import point_features
from s4tok_pipelines.objectives.contract import Prepared, Request
from s4tok_pipelines.objectives.distilled_data import open_data
from s4tok_pipelines.objectives.region_distillation import card, distillation, facts, groups_for, new_encoder


def prepare(request: Request[RunConfig]) -> Prepared:
    """Load the teacher, open the caches of regions and features, and build the student."""
    config = request.config
    choose("tokenizer", config.tokenizer.tokenizer, TOKENIZERS)
    teacher = _teacher(config, request.device)
    opened = open_data(request)
    together = distillation(request, opened, groups_for(request, opened)) if config.regions.distil else None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        student = new_encoder(config) if together is None else together.encoder
        if teacher is None:
            wanted = PointFeatures(config.point_features)
            known = point_features.measured(wanted, opened.data.sources, request.report)
        else:  # which reads the same patches, in its own units
            known = teacher.encoder.tokenizer.point_features
        student.tokenizer.point_features = known
        if config.regions.start == "teacher" and teacher is not None:
            student.load_state_dict(teacher.encoder.state_dict())
        frozen = None if teacher is None else teacher.encoder
        model = MaskedRegions(student, frozen, config.training, config.regions, together)
    found, about = facts(request, opened), card(opened)
    if teacher is not None:
        found["teacher"] = {"weights": teacher.sha256}
        about["teacher"] = {"name": config.teacher, "weights": teacher.sha256}
    name = f"{config.tokenizer.tokenizer}-{config.objective}"
    return Prepared(model, opened.data, opened.held, name, found, about, opened.hold)


def _teacher(config: RunConfig, device: str) -> LoadedEncoder | None:
    """Load the frozen teacher, where one is used.

    Raises:
        UsageError: Where none is named, where one is named that is not used, and where its tokens differ.
    """
    if (teaching := config.regions.teaching) != "frozen":
        if config.teacher is not None:
            raise UsageError(
                f"--teaching {teaching} takes no teacher, and --teacher names one.", "leave one of them out."
            )
        return None
    if config.teacher is None:
        raise UsageError(
            "stage 2 predicts the tokens of a trained encoder, and no run is named.",
            "name the folder of a run of stage 1: --teacher RUN; or pass --teaching ema or none.",
        )
    found = load_encoder(config.teacher, device)
    _same_tokens(found.encoder, config)
    return found


def _same_tokens(teacher: PointEncoder, config: RunConfig) -> None:
    ours = {**asdict(config.tokenizer), **asdict(config.backbone), "reads": config.point_features}
    theirs = {**asdict(teacher.tokenizer.config), **asdict(teacher.backbone.config)}
    theirs["reads"] = teacher.tokenizer.point_features.kinds
    odd = [f"{name} {theirs[name]}, not {value}" for name, value in ours.items() if theirs[name] != value]
    if odd:
        raise UsageError(
            f"{config.teacher} was trained with {'; '.join(odd)}: its tokens are not the student's.",
            "pass the options of its run, or train stage 1 anew.",
        )
