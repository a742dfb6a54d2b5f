"""Compiles every `core/_*_cy.pyx`. Everything else that packaging needs stands in pyproject.toml.

CHECKED=1 turns bounds checks on, for the tests; ANNOTATE=1 writes the HTML reports to build/cython/core.
No -march: a wheel must run on any machine of its platform.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

CHECKED = os.environ.get("CHECKED") == "1"
ANNOTATE = os.environ.get("ANNOTATE") == "1"
BUILD = Path("build/cython")  # the generated C, out of the packages
MODE = BUILD / "mode"


def mode_changed() -> bool:
    """Remember how the last build was made: the same sources with other checks are another build."""
    mode = "checked" if CHECKED else "release"
    if MODE.is_file() and MODE.read_text() == mode:
        return False
    BUILD.mkdir(parents=True, exist_ok=True)
    MODE.write_text(mode)
    return True


def extensions() -> list[Extension]:
    return [
        Extension(
            f"core.{source.stem}",
            [source.as_posix()],
            depends=[MODE.as_posix()],
            # Cython's temporaries drop `const`; nothing writes through them.
            extra_compile_args=[
                "-O3",
                "-ffp-contract=off",
                "-fno-trapping-math",
                "-fno-math-errno",
                "-Wno-discarded-qualifiers",
            ],
        )
        for source in sorted(Path("core").glob("_*_cy.pyx"))
    ]


setup(
    ext_modules=cythonize(
        extensions(),
        build_dir=BUILD.as_posix(),
        force=mode_changed() or ANNOTATE,
        annotate=ANNOTATE,
        compiler_directives={
            "language_level": 3,
            "boundscheck": CHECKED,
            "wraparound": False,
            "initializedcheck": CHECKED,
            "cdivision": True,
            "embedsignature": True,
        },
    )
)
