"""Compiles kernel/*.cpp into the extension deadband.optimize._kernel while a wheel is built.

1. setuptools finds the platform's compiler, pybind11 its headers; files compile in parallel.
2. An editable install gets the extension beside its Python files, a wheel gets it as a file of
   its own and the tag of the platform.
3. Where nothing can be compiled, one line says so and the wheel is pure: the Python paths then
   give the same answers, slower. DEADBAND_PURE=1 asks for that.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from textwrap import shorten
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULE = "deadband.optimize._kernel"
PURE = "DEADBAND_PURE"
# No flag may let two machines round differently: no fused multiply-add, no -march, no -ffast-math.
UNIX_FLAGS = ["-O3", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra"]
WINDOWS_FLAGS = ["/O2", "/fp:precise"]


class KernelHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        built = None if os.environ.get(PURE, "") not in ("", "0") else self._compiled()
        if version == "editable":
            self._put_beside(built)
            return
        if built is None:
            return
        build_data["force_include"][str(built)] = "/".join([*MODULE.split(".")[:-1], built.name])
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if hasattr(self, "_scratch"):
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _put_beside(self, built: Path | None) -> None:
        folder = Path(self.root, "src", *MODULE.split(".")[:-1])
        # One of an earlier build would go on answering for sources that have changed. A process
        # that has it loaded keeps its file.
        for stale in folder.glob("_kernel.*"):
            if stale.suffix in (".so", ".pyd"):
                stale.unlink()
        if built is not None:
            shutil.copy(built, folder)

    def _compiled(self) -> Path | None:
        """The extension's file in a scratch folder, or None where it cannot be compiled."""
        self._scratch = tempfile.mkdtemp()
        faults: tuple[type[Exception], ...] = (ImportError, OSError)
        try:
            from setuptools.errors import BaseError, CCompilerError

            faults += (BaseError, CCompilerError)
            return compile_kernel(Path(self.root), Path(self._scratch))
        except faults as fault:
            self.app.display_warning(
                f"deadband: installed without its C++ kernel, same answers but slower; "
                f"compiling failed: {shorten(str(fault), 100, placeholder=' ...')}"
            )
            return None


def compile_kernel(root: Path, scratch: Path) -> Path:
    """Compile `root`/kernel/*.cpp within `scratch`; where the extension is.

    Raises ImportError without setuptools or pybind11, the errors of setuptools.errors or OSError
    where there is no compiler or it fails.
    """
    from pybind11.setup_helpers import ParallelCompile, Pybind11Extension, build_ext
    from setuptools import Distribution

    sources = sorted(path.relative_to(root).as_posix() for path in (root / "kernel").glob("*.cpp"))
    windows = sys.platform == "win32"
    extension = Pybind11Extension(
        MODULE,
        sources,
        include_dirs=["kernel"],
        cxx_std=17,
        extra_compile_args=WINDOWS_FLAGS if windows else UNIX_FLAGS,
    )
    command = build_ext(Distribution({"name": "deadband", "ext_modules": [extension]}))
    command.build_lib, command.build_temp = str(scratch / "lib"), str(scratch / "objects")
    before = Path.cwd()
    os.chdir(root)
    try:
        command.ensure_finalized()
        with ParallelCompile():
            command.run()
    finally:
        os.chdir(before)
    return Path(command.get_ext_fullpath(MODULE))
