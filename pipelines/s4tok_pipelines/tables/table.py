"""The tables and figures of both papers, by the names that `s4tok reproduce` takes."""

from collections.abc import Mapping

from s4tok_pipelines.tables import s4token_tables as s4token
from s4tok_pipelines.tables import sam_tables as sam
from s4tok_pipelines.tables.spec import Spec

SPECS: Mapping[str, Spec] = {
    spec.name: spec
    for spec in (
        s4token.TABLE1, s4token.TABLE3, s4token.TABLE4, s4token.TABLE5, s4token.TABLE6, s4token.TABLE7, s4token.TABLE_A,
        sam.SAM_DETECTION, sam.SAM_SEGMENTATION, sam.SAM_ABLATION,
    )
}  # fmt: skip
