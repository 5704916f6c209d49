"""The papers' numbers, one frozen dataclass a stage, each field with its reason.

Equation and section numbers are those of the S4Token paper. "Silent" marks a number that the paper does not print.
Defaults live here and nowhere else: the command line and the library both read them from these classes.
"""

from s4tok.config.detection import BoxLossConfig as BoxLossConfig
from s4tok.config.detection import DetectConfig as DetectConfig
from s4tok.config.detection import DetectorConfig as DetectorConfig
from s4tok.config.detection import GroupFreeLossConfig as GroupFreeLossConfig
from s4tok.config.detection_presets import detection_recipe as detection_recipe
from s4tok.config.finetune import FinetuneConfig as FinetuneConfig
from s4tok.config.finetune import FinetuneRecipe as FinetuneRecipe
from s4tok.config.finetune import HeadConfig as HeadConfig
from s4tok.config.inference import BoxConfig as BoxConfig
from s4tok.config.inference import SegmentConfig as SegmentConfig
from s4tok.config.inference import ZeroShotConfig as ZeroShotConfig
from s4tok.config.kinds import CALIBRATING as CALIBRATING
from s4tok.config.kinds import CALIBRATION_SHARE as CALIBRATION_SHARE
from s4tok.config.kinds import DATA_ROOT as DATA_ROOT
from s4tok.config.kinds import DEFAULT_CHECKPOINT as DEFAULT_CHECKPOINT
from s4tok.config.kinds import DEFAULT_DETECTOR as DEFAULT_DETECTOR
from s4tok.config.kinds import DETECTOR_FOLDER as DETECTOR_FOLDER
from s4tok.config.kinds import LARGEST_IN_METRES as LARGEST_IN_METRES
from s4tok.config.kinds import NO_CHECKPOINT as NO_CHECKPOINT
from s4tok.config.kinds import PROMPTS as PROMPTS
from s4tok.config.kinds import ROOM_FROM as ROOM_FROM
from s4tok.config.kinds import ROOM_WINDOW as ROOM_WINDOW
from s4tok.config.kinds import SHIPPED_FOLDER as SHIPPED_FOLDER
from s4tok.config.kinds import SURFACE_POINTS as SURFACE_POINTS
from s4tok.config.kinds import AtLeastTwo as AtLeastTwo
from s4tok.config.kinds import Axis as Axis
from s4tok.config.kinds import Band as Band
from s4tok.config.kinds import Count as Count
from s4tok.config.kinds import DetectionPreset as DetectionPreset
from s4tok.config.kinds import FinetunePreset as FinetunePreset
from s4tok.config.kinds import FinetuneTask as FinetuneTask
from s4tok.config.kinds import NotNegative as NotNegative
from s4tok.config.kinds import PointKind as PointKind
from s4tok.config.kinds import Preset as Preset
from s4tok.config.kinds import PretrainPreset as PretrainPreset
from s4tok.config.kinds import Protocol as Protocol
from s4tok.config.kinds import Scene as Scene
from s4tok.config.kinds import Share as Share
from s4tok.config.kinds import SuperpointPreset as SuperpointPreset
from s4tok.config.kinds import Task as Task
from s4tok.config.kinds import Unit as Unit
from s4tok.config.pretrain import RunConfig as RunConfig
from s4tok.config.superpoints import SuperpointConfig as SuperpointConfig
from s4tok.config.tokens import BackboneConfig as BackboneConfig
from s4tok.config.tokens import ClusterConfig as ClusterConfig
from s4tok.config.tokens import EncoderConfig as EncoderConfig
from s4tok.config.tokens import PropagationConfig as PropagationConfig
from s4tok.config.tokens import TokenizerConfig as TokenizerConfig
from s4tok.config.training import LoopConfig as LoopConfig
from s4tok.config.training import PretrainConfig as PretrainConfig
from s4tok.config.training import RegionConfig as RegionConfig
from s4tok.config.training import Speedups as Speedups
from s4tok.config.vision import FrameConfig as FrameConfig
from s4tok.config.vision import GraphMaskConfig as GraphMaskConfig
from s4tok.config.vision import SamMaskConfig as SamMaskConfig
from s4tok.config.vision import ViewConfig as ViewConfig
from s4tok.config.vision import VirtualConfig as VirtualConfig
from s4tok.config.vision import VisionConfig as VisionConfig
from s4tok.config.worlds import ReproduceConfig as ReproduceConfig
from s4tok.config.worlds import WorldConfig as WorldConfig
