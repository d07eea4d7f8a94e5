"""The distribution holds every module and every data file."""

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("agents", "memory", "orchestration", "simulations", "tools")


def settings() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        setuptools: dict[str, Any] = tomllib.load(file)["tool"]["setuptools"]
    return setuptools


def sources(*suffixes: str) -> set[Path]:
    return {
        path.relative_to(ROOT)
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts
    }


def test_every_folder_with_code_is_a_listed_package() -> None:
    folders = {path.parent for path in sources(".py")}
    assert sorted(settings()["packages"]) == sorted(
        ["paperdesk", *(".".join(("paperdesk", *f.parts)) for f in folders)]
    )
    assert [folder for folder in folders if not (ROOT / folder / "__init__.py").is_file()] == []


def test_every_data_file_is_package_data() -> None:
    shipped = set()
    for package, patterns in settings()["package-data"].items():
        folder = ROOT.joinpath(*package.split(".")[1:])
        for pattern in patterns:
            found = {path.relative_to(ROOT) for path in folder.glob(pattern)}
            assert found, f"{package}: {pattern} matches nothing"
            shipped |= found
    others = {path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file()}
    data = {path for path in others if path.suffix not in {".py", ".pyc"} and "__pycache__" not in path.parts}
    assert data | {Path("py.typed")} == shipped


@pytest.mark.slow
def test_sdist_and_wheel_hold_everything(tmp_path: Path) -> None:
    copy = tmp_path / "source"
    hidden = shutil.ignore_patterns(".venv*", ".git", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info", "runs")
    shutil.copytree(ROOT, copy, symlinks=True, ignore=hidden)
    build(copy, "sdist", tmp_path)
    archive = next(tmp_path.glob("paperdesk-*.tar.gz"))
    with tarfile.open(archive) as sdist:
        sdist.extractall(tmp_path / "unpacked", filter="data")
    build(next((tmp_path / "unpacked").iterdir()), "wheel", tmp_path)
    with zipfile.ZipFile(next(tmp_path.glob("paperdesk-*.whl"))) as wheel:
        names = set(wheel.namelist())
    wanted = {f"paperdesk/{path.as_posix()}" for path in sources(".py", ".md", ".toml")}
    wanted |= {"paperdesk/__init__.py", "paperdesk/cli.py", "paperdesk/py.typed"}
    assert wanted <= names
    beside = {name for name in names if not name.startswith("paperdesk/") and ".dist-info/" not in name}
    assert beside == set()
    assert not [name for name in names if name.startswith(("paperdesk/tests", "paperdesk/docs", "paperdesk/."))]


def build(source: Path, kind: str, into: Path) -> None:
    """One PEP 517 build with the setuptools that is installed, so that no network is needed."""
    script = f"import setuptools.build_meta as b; b.build_{kind}({str(into)!r})"
    done = subprocess.run([sys.executable, "-c", script], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
