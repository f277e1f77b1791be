"""The W-Net of Wu, Chen and Merhof (2020): two U-Nets in a row.

The first regresses the distance of each pixel to its leaf's border; its last feature map (D-feat)
joins the image as input of the second, which gives every pixel a unit vector.

References
----------
Y. Wu, L. Chen, D. Merhof: Improving Pixel Embedding Learning through Intermediate Distance
Regression Supervision for Instance Segmentation. arXiv 2007.06660, 2020.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from phenopipe.model.presets import Preset, get_preset

#: The distance head works at ten times the target (authors' code): larger gradients.
DISTANCE_SCALE = 10.0
#: Images of less contrast than this are not stretched to unit variance (grey levels).
MIN_CONTRAST = 4.0


class Convolution(nn.Sequential):
    """3x3 convolution, batch normalisation if the preset has it, ReLU."""

    def __init__(self, inputs: int, outputs: int, normalise: bool) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=not normalise),
            *([nn.BatchNorm2d(outputs)] if normalise else []),
            nn.ReLU(inplace=True),
        ]
        super().__init__(*layers)

    def fold(self) -> None:
        """Fold the batch normalisation into the convolution."""
        if isinstance(self[1], nn.BatchNorm2d):
            conv, norm = self[0], self[1]
            assert isinstance(conv, nn.Conv2d)
            self[0] = fuse_conv_bn_eval(conv, norm)
            del self[1]


class Level(nn.Sequential):
    """Two convolutions, and dropout where the level is deep."""

    def __init__(self, inputs: int, outputs: int, preset: Preset, dropout: float = 0.0) -> None:
        layers: list[nn.Module] = [
            Convolution(inputs, outputs, preset.normalise),
            Convolution(outputs, outputs, preset.normalise),
            *([nn.Dropout(dropout)] if dropout else []),
        ]
        super().__init__(*layers)


class Upsampling(nn.Module):
    """Nearest upsampling by two with a convolution that changes the width."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding="same" if kernel > 1 else 0)

    def forward(self, x: Tensor) -> Tensor:
        """Double height and width of (N, C, H, W)."""
        if self.kernel == 1:  # commutes with nearest upsampling
            return F.interpolate(F.relu(self.conv(x)), scale_factor=2, mode="nearest")
        return F.relu(self.conv(F.interpolate(x, scale_factor=2, mode="nearest")))


class UNet(nn.Module):
    """A U-Net that keeps height and width and ends in the finest level's feature map."""

    def __init__(self, inputs: int, preset: Preset) -> None:
        super().__init__()
        widths = preset.widths
        deep = len(widths) - 2
        self.down = nn.ModuleList(
            Level(a, b, preset, preset.dropout if level >= deep else 0.0)
            for level, (a, b) in enumerate(pairwise((inputs, *widths)))
        )
        upward = list(pairwise(reversed(widths)))
        self.up = nn.ModuleList(Upsampling(a, b, preset.upsampling_kernel) for a, b in upward)
        self.merge = nn.ModuleList(Level(2 * b, b, preset) for _, b in upward)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, widths[0], H, W); H and W are multiples of the stride."""
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips[:-1]), strict=True):
            x = merge(torch.cat([skip, up(x)], dim=1))
        return x


class WNet(nn.Module):
    """Image in, distance map and pixel embedding out.

    Parameters
    ----------
    preset : str
        Name of the network's size, see :mod:`phenopipe.model.presets`.
    embedding_dim : int
        Dimensions E of the embedding.
    use_distance_features : bool
        Whether D-feat is fed to the second U-Net (the paper's claim); without it the second
        U-Net sees the image alone.
    stop_gradient : bool
        Whether the embedding's losses leave the first U-Net alone.
    """

    def __init__(
        self,
        preset: str = "small",
        embedding_dim: int = 8,
        *,
        use_distance_features: bool = True,
        stop_gradient: bool = False,
    ) -> None:
        super().__init__()
        self.preset = preset
        self.embedding_dim = embedding_dim
        self.use_distance_features = use_distance_features
        self.stop_gradient = stop_gradient
        shape = get_preset(preset)
        width, square = shape.widths[0], shape.stem**2
        self.stride, self.stem = shape.stride, shape.stem
        self.distance_unet = UNet(3 * square, shape)
        self.distance_head = nn.Conv2d(width, square, 3, padding=1)
        self.distance_features = nn.Conv2d(width, width, 3, padding=1)
        self.embedding_unet = UNet(3 * square + width * use_distance_features, shape)
        self.embedding_head = nn.Conv2d(width, embedding_dim * square, 3, padding=1)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """Predict distance and embedding.

        Parameters
        ----------
        rgb : Tensor, (N, 3, H, W), uint8 or float
            Pictures, 0..255, of any size.

        Returns
        -------
        distance : Tensor, (N, H, W), float
            Distance to the leaf's border times :data:`DISTANCE_SCALE`, at least 0.
        embedding : Tensor, (N, E, H, W), float
            Unit vectors.
        """
        height, width = rgb.shape[-2:]
        image = self._enter(rgb)
        features = self.distance_unet(image)
        distance = self._distance(features)
        second = image
        if self.use_distance_features:
            shared = features.detach() if self.stop_gradient else features
            unit = F.normalize(self.distance_features(shared), dim=1, eps=1e-6)
            second = torch.cat([image, unit.to(image.dtype)], dim=1)
        vectors = self._leave(self.embedding_head(self.embedding_unet(second)))
        embedding = F.normalize(vectors.float(), dim=1, eps=1e-6)
        return distance[:, :height, :width], embedding[:, :, :height, :width]

    def distance(self, rgb: Tensor) -> Tensor:
        """Predict the distance map alone, (N, H, W), by the first U-Net; see :meth:`forward`."""
        height, width = rgb.shape[-2:]
        return self._distance(self.distance_unet(self._enter(rgb)))[:, :height, :width]

    def _distance(self, features: Tensor) -> Tensor:
        return self._leave(F.relu(self.distance_head(features)))[:, 0].float()

    def _enter(self, rgb: Tensor) -> Tensor:
        """Standardise, pad to the stride, and make the finest level's pixels."""
        image = standardise(rgb)
        height, width = image.shape[-2:]
        right, bottom = -width % self.stride, -height % self.stride
        if right or bottom:
            image = F.pad(image, (0, right, 0, bottom), mode="replicate")
        return F.pixel_unshuffle(image, self.stem) if self.stem > 1 else image

    def _leave(self, maps: Tensor) -> Tensor:
        """Take the finest level's pixels apart into those of the picture."""
        return F.pixel_shuffle(maps, self.stem) if self.stem > 1 else maps

    def fold(self) -> WNet:
        """Fold all normalisations for inference, in place; the result cannot be trained on.

        Returns
        -------
        WNet
            Itself, in evaluation mode.
        """
        self.eval()
        for module in self.modules():
            if isinstance(module, Convolution):
                module.fold()
        return self


def standardise(rgb: Tensor) -> Tensor:
    """Give each picture zero mean and unit variance over all its pixels and channels.

    Parameters
    ----------
    rgb : Tensor, (N, 3, H, W)
        Pictures, 0..255.

    Returns
    -------
    Tensor, (N, 3, H, W), float32
        Standardised; a nearly flat picture stays nearly flat.
    """
    image = rgb.float()
    deviation, mean = torch.std_mean(image, dim=(1, 2, 3), keepdim=True, correction=0)
    return (image - mean) / deviation.clamp_min(MIN_CONTRAST)
