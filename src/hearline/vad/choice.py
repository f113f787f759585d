"""Which detector a server gets: the batched model where its file is, the wheel's own elsewhere."""

from pathlib import Path
from typing import Final

from hearline.vad.detector import Detector

MODEL_FILE: Final = Path("silero-vad") / "silero_vad_16k_op15.onnx"
"""Where the Silero v6 file lies in the model folder."""


def open_detector(models: Path) -> Detector:
    """Return the best detector at hand.

    Args:
        models: The model folder; it need not exist.

    Raises:
        ConfigurationError: The model file is there, but broken.

    """
    path = models / MODEL_FILE
    if path.is_file():
        from hearline.vad.silero_onnx import SileroOnnx  # noqa: PLC0415 - only when asked for

        return SileroOnnx(path)
    from hearline.vad.pysilero import PySilero  # noqa: PLC0415 - only when asked for

    return PySilero()
