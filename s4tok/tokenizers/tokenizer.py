"""The tokenizer: sample centres, group points around them, measure them, and read each patch into a token."""

import torch
from torch import Tensor, nn

from s4tok.config import Scene, TokenizerConfig
from s4tok.device import answers_at_once
from s4tok.errors import InputError, UsageError, choose
from s4tok.shapes import Bool, Float, Float32, Int, Real
from s4tok.tokenizers.adapter import PointNet
from s4tok.tokenizers.grouping import group_points
from s4tok.tokenizers.order import SortedClouds, sort_clouds
from s4tok.tokenizers.point_features import NO_FEATURES, PointFeatures
from s4tok.tokenizers.position import PositionEncoding, relative_positions, scaled_centers
from s4tok.tokenizers.sampling import mean_spacing, superpoint_means
from s4tok.tokenizers.table import TOKENIZERS
from s4tok.tokenizers.tokens import Patches, Tokens


class Tokenizer(nn.Module):
    """Turn clouds with superpoints into tokens (Sec. 3.2). `group` is geometry and learns nothing; `embed` learns.

    A teacher and a student that share a tokenizer's patches call `group` once and `embed` twice.
    """

    def __init__(
        self,
        config: TokenizerConfig,
        *,
        width: int,
        n_features: int = 0,
        point_features: PointFeatures = NO_FEATURES,
    ) -> None:
        """Build it for a transformer of this width.

        Args:
            config: Its settings.
            width: Of a token.
            n_features: How many numbers it reads of each point beside its place, as they are given.
            point_features: Or colours and normals, which it standardises.
        """
        super().__init__()
        self.variant = choose("tokenizer", config.tokenizer, TOKENIZERS)
        for name in ("n_tokens", "patch_size"):
            if getattr(config, name) < 1:
                raise UsageError(f"{name} must be at least 1, and is {getattr(config, name)}.")
        if config.alpha <= 0:
            raise UsageError(f"alpha must be positive, and is {config.alpha:g}.")
        self.config, self.width, self.point_features = config, width, point_features
        self.n_features = n_features or point_features.width
        self.scene: Scene = "object"  # of clouds of which nothing is said; matters with `by_scene`
        self.adapter = PointNet(
            width, self.n_features + self.variant.marks_superpoint, config.adapter_widths, by_scene=config.by_scene
        )
        hidden = config.pe_hidden if config.pe == "learned" else 0
        self.position = PositionEncoding(width, config.band, config.amplitude, hidden)

    def regroup(self, config: TokenizerConfig) -> None:
        """Group points by another configuration from here on, with the weights that are there.

        Raises:
            UsageError: Where these weights read other numbers of each point.
        """
        variant = choose("tokenizer", config.tokenizer, TOKENIZERS)
        if variant.marks_superpoint != self.variant.marks_superpoint:
            raise UsageError(
                f"{config.tokenizer} and {self.config.tokenizer} read points otherwise: one marks superpoints.",
                "group as another tokenizer does.",
            )
        self.config, self.variant = config, variant

    def forward(
        self,
        points: Real[Tensor, "b n 3"],
        superpoints: Int[Tensor, "b n"] | None = None,
        *,
        features: Float[Tensor, "b n c"] | None = None,
        is_point: Bool[Tensor, "b n"] | None = None,
        seeds: Int[Tensor, " b"] | None = None,
    ) -> Tokens:
        """Turn a batch of clouds into tokens; `group` says what the arguments mean."""
        return self.embed(self.group(points, superpoints, features=features, is_point=is_point, seeds=seeds))

    @torch.no_grad()
    def group(
        self,
        points: Real[Tensor, "b n 3"],
        superpoints: Int[Tensor, "b n"] | None = None,
        *,
        features: Float[Tensor, "b n c"] | None = None,
        is_point: Bool[Tensor, "b n"] | None = None,
        seeds: Int[Tensor, " b"] | None = None,
        n_superpoints: int | None = None,
        is_room: Bool[Tensor, " b"] | None = None,
    ) -> Patches:
        """Choose centres and the points around each.

        Args:
            points: In any unit; clouds of different sizes are padded to one.
            superpoints: Of each point, 0 .. s-1. Tokenizers that ignore superpoints do without.
            features: What else is known of each point, if the tokenizer was built with `n_features`; as
                `PointFeatures.read` gives it, if with `point_features`.
            is_point: False where a cloud is padded.
            seeds: One a cloud, so that its tokens do not depend on its batch; the configured seed for all if absent.
            n_superpoints: More than every point's superpoint; where it is known, a GPU need not be asked.
            is_room: Which clouds are rooms, or parts of some, for a tokenizer that tells them from objects; all or none
                as `scene` says if absent.
        """
        superpoints = self._check(points, superpoints, features, is_point)
        if n_superpoints is None or answers_at_once(superpoints):
            n_superpoints = _count(superpoints, is_point, n_superpoints)
        features = None if features is None else self.point_features.standardized(features)
        if is_point is None:
            is_point = torch.ones(points.shape[:2], dtype=torch.bool, device=points.device)
        if seeds is None:
            seeds = torch.full((len(points),), self.config.seed, device=points.device)
        known = superpoints if self.variant.knows_superpoints else torch.zeros_like(superpoints)
        clouds = sort_clouds(points, known, is_point, n_superpoints)
        centers, is_token, radius = self._sample(clouds, seeds)
        members, is_member = group_points(
            clouds,
            centers,
            radius,
            seeds,
            pick=self.variant.pick,
            in_superpoint=self.variant.in_superpoint,
            patch_size=self.config.patch_size,
        )
        found = self._measure(clouds, points, superpoints, features, centers, is_token, members, is_member, radius)
        if not self.config.by_scene:
            return found
        if is_room is None:
            is_room = torch.full((len(points),), self.scene == "room", device=points.device)
        return found._replace(is_room=is_room)

    def embed(self, patches: Patches) -> Tokens:
        """Read each patch and add the encoding of its place."""
        inputs = patches.offsets.to(self.adapter.token.weight.dtype)
        if patches.features is not None:
            inputs = torch.cat([inputs, patches.features.to(inputs.dtype)], dim=-1)
        count = patches.counts and patches.counts.members
        content = self.adapter(inputs, patches.is_member, count, patches.is_room)
        encodings = self.encode(patches.positions).to(content.dtype)
        return Tokens(
            tokens=content + encodings,
            encodings=encodings,
            xyz=patches.xyz,
            superpoints=patches.superpoints,
            is_token=patches.is_token,
            radius=patches.radius,
        )

    def encode(self, positions: Float32[Tensor, "b m 3"]) -> Float32[Tensor, "b m d"]:
        """Encode where patches stand, which a decoder of masked tokens may know and their content it may not."""
        encodings: Tensor = self.position(positions)
        return encodings

    def _check(
        self,
        points: Real[Tensor, "b n 3"],
        superpoints: Int[Tensor, "b n"] | None,
        features: Float[Tensor, "b n c"] | None,
        is_point: Bool[Tensor, "b n"] | None,
    ) -> Int[Tensor, "b n"]:
        if not isinstance(points, Tensor):
            raise InputError(
                f"points must be a tensor, and these are {type(points).__name__}.", "torch.as_tensor(points)"
            )
        if not points.is_floating_point():
            raise InputError(f"points must be floats, and these are {points.dtype}.")
        if points.ndim != 3 or points.shape[2] != 3 or not points.shape[1]:
            raise InputError(f"points must be (clouds, points, 3), and these are {tuple(points.shape)}.")
        if answers_at_once(points) or not self.training:
            is_bad = ~points.isfinite().all(dim=2)
            n_bad = int((is_bad if is_point is None else is_bad & is_point).sum())
            if n_bad:
                raise InputError(f"{n_bad:,} points are not finite.", "remove them before.")
        if superpoints is None:
            if self.variant.knows_superpoints:
                raise InputError(
                    f"tokenizer {self.config.tokenizer!r} needs each point's superpoint, and none was given.",
                    "cut the cloud first, or take a tokenizer without superpoints: knn, ball, knn+rpn, ball+rpn.",
                )
            superpoints = torch.zeros(points.shape[:2], dtype=torch.int64, device=points.device)
        superpoints = superpoints.to(torch.int64)
        for name, given in (("superpoints", superpoints), ("features", features), ("is_point", is_point)):
            if given is not None and given.shape[:2] != points.shape[:2]:
                raise InputError(f"{name} are {tuple(given.shape)}, and the points {tuple(points.shape)}.")
        n_features = 0 if features is None else features.shape[2]
        if n_features != self.n_features:
            raise InputError(f"the tokenizer reads {self.n_features} features a point, and was given {n_features}.")
        return superpoints

    def _sample(
        self, clouds: SortedClouds, seeds: Int[Tensor, " b"]
    ) -> tuple[Int[Tensor, "b m"], Bool[Tensor, "b m"], Float32[Tensor, " b"]]:
        config = self.config
        centers, is_token = self.variant.sample(
            clouds,
            config.n_tokens,
            seeds,
            gamma=config.gamma,
            sign=config.wfps_sign,
            smallest=config.smallest_center,
        )
        spacing = mean_spacing(_rows(clouds.xyz, centers), is_token)
        radius = torch.where(spacing > 0, config.alpha * spacing, _reach(clouds))
        return centers, is_token, radius

    def _measure(
        self,
        clouds: SortedClouds,
        points: Real[Tensor, "b n 3"],
        superpoints: Int[Tensor, "b n"],
        features: Float[Tensor, "b n c"] | None,
        centers: Int[Tensor, "b m"],
        is_token: Bool[Tensor, "b m"],
        members: Int[Tensor, "b m k"],
        is_member: Bool[Tensor, "b m k"],
        radius: Float32[Tensor, " b"],
    ) -> Patches:
        at, patches = _rows(clouds.xyz, centers), _rows(clouds.xyz, members)
        moved = torch.zeros_like(at)  # from the centre to where the patch stands
        if self.variant.stands == "mean":
            moved = _rows(superpoint_means(clouds), _rows(clouds.superpoints, centers)) - at
        at = at + moved
        offsets = relative_positions(patches, at, self._unit(clouds, radius))
        # Back from the sorted clouds to the points as they came.
        members, centers = _rows(clouds.order, members), _rows(clouds.order, centers)
        known = None if features is None else _rows(features, members)
        if self.variant.marks_superpoint:
            inside = _rows(superpoints, members) == _rows(superpoints, centers)[..., None]
            bit = inside[..., None].to(offsets.dtype)
            known = bit if known is None else torch.cat([bit, known.to(bit.dtype)], dim=-1)
        return Patches(
            offsets=offsets,
            features=known,
            is_member=is_member & is_token[:, :, None],
            members=members,
            centers=centers,
            xyz=_rows(points, centers) + moved.to(points.dtype),
            superpoints=_rows(superpoints, centers),
            positions=scaled_centers(at, is_token, self._position_unit(clouds, radius)),
            is_token=is_token,
            radius=radius,
        )

    def _unit(self, clouds: SortedClouds, radius: Float32[Tensor, " b"]) -> Float32[Tensor, " b"]:
        if self.variant.unit == "radius":
            return radius
        return _sphere(clouds) if self.variant.unit == "sphere" else torch.ones_like(radius)

    def _position_unit(self, clouds: SortedClouds, radius: Float32[Tensor, " b"]) -> Float32[Tensor, " b"]:
        scale = self.config.pe_scale
        if scale == "radius":
            return self.config.pe_radii * radius
        return _spread(clouds) if scale == "spread" else torch.ones_like(radius)


def _rows(table: Real[Tensor, "b n ..."], index: Int[Tensor, "b ..."]) -> Real[Tensor, "..."]:
    """Look up each cloud's rows in its own table."""
    clouds = torch.arange(len(table), device=table.device).view(-1, *[1] * (index.ndim - 1))
    return table[clouds, index]


def _count(superpoints: Int[Tensor, "b n"], is_point: Bool[Tensor, "b n"] | None, known: int | None) -> int:
    """Give a number above every point's superpoint, and refuse those below 0; a GPU is waited for once."""
    shown = superpoints if is_point is None else torch.where(is_point, superpoints, 0)
    lowest, highest = torch.stack(shown.aminmax()).tolist() if shown.numel() else (0, 0)
    if lowest < 0:
        raise InputError(f"superpoints count from 0, and one point has {lowest}.")
    if known is not None and highest >= known:
        raise InputError(f"a point is in superpoint {highest}, and there are {known}, from 0 on.")
    return known or int(highest) + 1


def _reach(clouds: SortedClouds) -> Float32[Tensor, " b"]:
    """Give the radius of a cloud of one token: its own, or 1 where all its points coincide."""
    radius = clouds.xyz.norm(dim=2).amax(1)
    return torch.where(radius > 0, 2 * radius, 1)


def _sphere(clouds: SortedClouds) -> Float32[Tensor, " b"]:
    """Measure the sphere around the points' mean that holds a cloud."""
    return _positive(_distances_from_mean(clouds).amax(1))


def _spread(clouds: SortedClouds) -> Float32[Tensor, " b"]:
    """Measure how far points lie from their mean, root mean square: a unit that depends on no token."""
    count = clouds.is_point.sum(1).clamp_min(1)
    return _positive((_distances_from_mean(clouds).square().sum(1) / count).sqrt())


def _distances_from_mean(clouds: SortedClouds) -> Float32[Tensor, "b n"]:
    shown = clouds.is_point[..., None]
    mean = clouds.xyz.sum(1, keepdim=True) / shown.sum(1, keepdim=True).clamp_min(1)
    distances: Tensor = ((clouds.xyz - mean) * shown).norm(dim=2)
    return distances


def _positive(length: Float32[Tensor, " b"]) -> Float32[Tensor, " b"]:
    """Give a cloud whose points all coincide the unit 1."""
    return torch.where(length > 0, length, 1)
