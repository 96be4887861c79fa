"""Reads a model's file once: what is hashed is what is loaded, and another version is refused."""

from __future__ import annotations

from pathlib import Path

from ..core.errors import ConfigError
from ..core.model_settings import ModelSettings, content_version


def read_model_file(model: ModelSettings, suffix: str) -> tuple[bytes, str]:
    """The bytes of the source and their version; raises ConfigError where they are not expected."""
    path = Path(model.source)
    if path.suffix != suffix:
        raise refusal(model, f"{path} is no {suffix} file. {_cure(path, suffix)}")
    data = read_source(model, path)
    version = content_version(data)
    refuse_other_version(model, version)
    return data, version


def read_source(model: ModelSettings, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise refusal(model, f"{path} cannot be read: {fault.strerror}. Check source.") from fault


def refuse_other_version(model: ModelSettings, version: str) -> None:
    """Raise where the configuration names another version than the one that was found."""
    if not version.startswith(model.version):
        raise refusal(
            model,
            f"is version {version}, and {model.version} is expected. Was it trained again? "
            "Then change `version` too, or leave it empty.",
        )


def refusal(model: ModelSettings, text: str) -> ConfigError:
    """The error of a model that cannot be opened, under its name."""
    return ConfigError((f"model {model.name}: {text}",))


def _cure(path: Path, suffix: str) -> str:
    if path.suffix in (".pkl", ".pickle", ".joblib"):
        return "A pickle runs code when it is read: save with skops.io.dump instead."
    return f"Save it as {suffix}."
