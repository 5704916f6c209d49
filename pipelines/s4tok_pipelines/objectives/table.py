"""The objectives that `s4tok pretrain` trains, by name. A new one is a module and a row here, or a plugin."""

from collections.abc import Mapping

from s4tok.plugins import Table
from s4tok_pipelines.objectives import masked_regions, region_distillation, s4token
from s4tok_pipelines.objectives.contract import Prepare

OBJECTIVES: Mapping[str, Prepare] = Table(
    "s4tok.objectives",
    {
        "s4token": s4token.prepare,
        "region_distillation": region_distillation.prepare,
        "masked_regions": masked_regions.prepare,
    },
)
