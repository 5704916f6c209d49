"""How much a table or figure has to do before it is made."""

from collections.abc import Iterator, Sequence

from s4tok.config import FinetuneRecipe
from s4tok.datasets.dataset import CloudDataset
from s4tok_pipelines.stages.evaluator import KEPT_AS, SEGMENTED, WHOLE_ROOMS, Evaluator
from s4tok_pipelines.stages.row_checkpoints import RowCheckpoints
from s4tok_pipelines.stages.row_training import Trainer
from s4tok_pipelines.stages.table_work import TableWork
from s4tok_pipelines.tables.costs import (
    CUTTING,
    DRAWING,
    LOADING,
    LOOKING,
    MEASURING,
    OPENING,
    PREPARING,
    STARTING,
    TRAINING,
    Plan,
)
from s4tok_pipelines.tables.finished import finished
from s4tok_pipelines.tables.spec import Method, Recipe, Task
from s4tok_pipelines.tables.table2 import OBJECTS, UNIVERSAL, WHOLE_ROOM
from s4tok_pipelines.tables.table2_worlds import Worlds


def plan_table(work: TableWork) -> Plan:
    """Count the results that are missing, and the checkpoints that have to be trained for them."""
    plan, trained, cut = Plan(seconds=STARTING), set[str](), set[str]()
    for method, asked, clouds in work.cells():
        if finished(work.wanted.checkpoints, method.finished.get(asked.task), clouds, asked.figures):
            continue
        row = method.on(asked.role)
        plan = sum(_runs(work.rows, row, trained), plan)
        count = len(work.rows.found(row)) + len(work.rows.missing(row))
        kept_as = SEGMENTED if row.segments else KEPT_AS[asked.task]
        results = [
            plan_result(f"{row.names}-{seed}", asked.task, kept_as, clouds, work.evaluator) for seed in range(count)
        ]
        plan = sum(results, plan)
        if any(each.results for each in results) and clouds.name not in cut:
            cut.add(clouds.name)
            plan += Plan(seconds=len(clouds) * CUTTING[clouds.scene])
    for asked in work.spec.asked:
        if asked.role in work.worlds:
            plan += plan_vision(asked.task, work.worlds[asked.role], work.evaluator)
    return plan


def plan_result(name: str, task: Task, kept_as: str, clouds: CloudDataset, evaluator: Evaluator) -> Plan:
    """Plan a checkpoint on a dataset."""
    if evaluator.kept.has(f"{name}-{clouds.name}{kept_as}", clouds):
        return Plan(kept=1)
    return Plan(1, seconds=LOADING + len(clouds) * MEASURING[task])


def plan_vision(task: Task, clouds: CloudDataset, evaluator: Evaluator) -> Plan:
    """Plan the 2D model itself on a dataset."""
    if task == "boxes":
        return Plan()
    if evaluator.kept.has(f"vision-{clouds.name}{KEPT_AS[task] * (task == 'parts')}", clouds):
        return Plan(kept=1)
    return Plan(1, seconds=len(clouds) * LOOKING[task])


def plan_training(recipe: Recipe, clouds: CloudDataset, trainer: Trainer) -> Plan:
    """Plan a training of clouds that are prepared: how often each is read."""
    config, kind = trainer.config(recipe, "", 0), _kind(recipe)
    clouds = trainer.clouds(clouds, config)
    entries = float(len(clouds)) * config.training.epochs
    if isinstance(config, FinetuneRecipe):
        entries *= config.training.repeats * (config.training.labels_fraction or 1.0)
    if clouds.scene == "room" and kind in ("pretrain", "finetune") and config.training.window != 0:
        entries *= config.training.windows
    return Plan(runs=1, seconds=OPENING + entries * TRAINING[kind])


def plan_preparing(recipe: Recipe, clouds: CloudDataset, trainer: Trainer) -> Plan:
    """Plan what clouds need before the first training of this kind."""
    kind, clouds = _kind(recipe), trainer.clouds(clouds, trainer.config(recipe, "", 0))
    each = PREPARING[kind] + (CUTTING[clouds.scene] if kind in ("pretrain", "finetune") else 0.0)
    return Plan(seconds=len(clouds) * each)


def _kind(recipe: Recipe) -> str:
    return "frames" if recipe.preset.startswith("sam-stage") else recipe.kind


def plan_table2(worlds: Worlds, methods: Sequence[Method], rows: RowCheckpoints, evaluator: Evaluator) -> Plan:
    """Plan Table 2: every checkpoint in rooms, some in whole rooms, some on objects at every scale."""
    clouds = (*worlds.rooms, worlds.shapes)
    plan, planned = Plan(seconds=STARTING + sum(len(each) * CUTTING[each.scene] for each in clouds)), set[str]()
    for method in methods:
        name = method.name
        plan = sum(_runs(rows, method, planned), plan)
        asked: list[tuple[Task, str, CloudDataset]] = [("rooms", KEPT_AS["rooms"], each) for each in worlds.rooms]
        asked.extend(("rooms", WHOLE_ROOMS, each) for each in worlds.rooms if name in WHOLE_ROOM)
        if name in OBJECTS or name == UNIVERSAL:
            asked.extend(("objects", f"-x{scale:g}", worlds.shapes) for scale in evaluator.config.scales)
        for seed in range(len(rows.found(method)) + len(rows.missing(method))):
            for task, kept_as, each in asked:
                plan += plan_result(f"{name}-{seed}", task, kept_as, each, evaluator)
    for each in clouds:
        plan += plan_vision("rooms" if each.scene == "room" else "objects", each, evaluator)
    return plan


def plan_figure(name: str, clouds: CloudDataset, evaluator: Evaluator) -> Plan:
    """Plan a figure."""
    if evaluator.kept.has(name, clouds):
        return Plan(kept=1, seconds=STARTING)
    return Plan(1, seconds=STARTING + len(clouds) * DRAWING[name])


def _runs(rows: RowCheckpoints, row: Method, planned: set[str]) -> Iterator[Plan]:
    """Give the trainings of a row and of what it begins with, and what these need; each stands once in a table."""
    missing = rows.missing(row)
    if row.recipe is None or not missing or row.names in planned:
        return
    planned.add(row.names)
    if row.recipe.begin:
        yield from _runs(rows, rows.spec.find(row.recipe.begin), planned)
    clouds = rows.worlds[row.recipe.role]
    yield from len(missing) * [plan_training(row.recipe, clouds, rows.trainer)]
    prepared = f"{_kind(row.recipe)} of {clouds.name}"
    if prepared not in planned:
        planned.add(prepared)
        yield plan_preparing(row.recipe, clouds, rows.trainer)
