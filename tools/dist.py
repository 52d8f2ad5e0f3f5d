"""Lint what the public host reads, build the sdist and the wheel, and try them as a stranger would: `make dist`.

What is built is checked (metadata, contents, size). The wheel is installed bare: each verb says what it lacks, the
command that it names is run as it stands, and then the verb runs. The same with all extras on every other Python that
is on this machine, and with the lowest versions of the libraries that the package says it takes.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
MOST = {".whl": 1_500_000, ".gz": 4_000_000}  # bytes
IN_WHEEL = ("byhand/py.typed", "byhand/report.css", "byhand/lab/td1.py", "byhand/play/static/index.html")
IN_SDIST = ("LICENSE", "CHANGELOG.md", "pyproject.toml", "tools/metadata.py", "tests/conftest.py", "docs/why.md")

VERBS = {  # a verb's run, the exit code that is right, and what is written
    "check": (["check", ROOT / "tests/solutions/class_network.py"], 0, None),
    "why": (["why", ROOT / "tests/scripts/sign-flipped/bias.py"], 3, None),
    "study": (["study", "xor", "--seeds", "20", "--epochs", "100", "--out", "study", "--yes"], 0, "study/report.html"),
    "play": (["play", "--export", "run.html"], 0, "run.html"),
    "lab": (["lab", "--out", "practical"], 0, "practical/td1_report.html"),
}


def run(*command: object, **options: object) -> None:
    print("  $", *[str(c).replace(str(ROOT), ".") for c in command], flush=True)
    subprocess.run([str(c) for c in command], check=True, **options)


def lint() -> None:
    """What the public host reads: workflows, issue forms, the citation."""
    tools, forms = Path(sys.executable).parent, ROOT / ".github/ISSUE_TEMPLATE"
    run(tools / "zizmor", "--offline", "--no-progress", ROOT / ".github")
    for schema, files in {
        "github-workflows": (ROOT / ".github/workflows").glob("*.yml"),
        "github-issue-forms": set(forms.glob("*.yml")) - {forms / "config.yml"},
        "github-issue-config": [forms / "config.yml"],
        "dependabot": [ROOT / ".github/dependabot.yml"],
        "citation-file-format": [ROOT / "CITATION.cff"],
    }.items():
        run(tools / "check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files)


def check_links() -> None:
    """On the public host, the README that goes to the index has no link that only works in the repository."""
    host = {"GITHUB_SERVER_URL": "https://host.example", "GITHUB_REPOSITORY": "some/where", "GITHUB_SHA": "abc"}
    command = [sys.executable, "-m", "hatchling", "metadata"]
    told = json.loads(subprocess.check_output(command, cwd=ROOT, env=os.environ | host))
    assert told["urls"]["Source"] == "https://host.example/some/where"
    assert "](https://host.example/some/where/raw/abc/docs/images/" in told["readme"]["text"]
    assert not re.findall(r"\]\((?!https:|#)", told["readme"]["text"])


def build() -> Path:
    """The wheel, made from the sdist, in an empty dist/."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--installer", "uv", ROOT)
    (wheel,) = DIST.glob("*.whl")
    (sdist,) = DIST.glob("*.tar.gz")
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    run(Path(sys.executable).with_name("check-wheel-contents"), wheel)
    run(Path(sys.executable).with_name("validate-pyproject"), ROOT / "pyproject.toml")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert all(n.startswith(("byhand/", "byhand-")) and "__pycache__" not in n for n in names)
        assert set(IN_WHEEL) <= set(names), set(IN_WHEEL) - set(names)
    with tarfile.open(sdist) as archive:
        names = [n.partition("/")[2] for n in archive.getnames()]
        assert set(IN_SDIST) <= set(names), set(IN_SDIST) - set(names)
        assert not [n for n in names if n.startswith((".venv", ".ci", "notebooks", "docs/_build"))]
    for file in (wheel, sdist):
        assert file.stat().st_size <= MOST[file.suffix], f"{file.name} has {file.stat().st_size:,} bytes"
        print(f"  {file.name}: {file.stat().st_size / 1000:.0f} kB")
    return wheel


def pythons() -> list[str]:
    """Each minor version that byhand takes and that uv or pyenv has on this machine, the oldest first."""
    of_pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin")
    on_path = [place for place in os.environ["PATH"].split(os.pathsep) if not place.endswith("shims")]
    places = os.pathsep.join([*map(str, of_pyenv), *on_path])
    command = [sys.executable, "-m", "uv", "python", "list", "--only-installed", "--output-format", "json", ">=3.11"]
    listed = json.loads(subprocess.check_output(command, env=os.environ | {"PATH": places}, stderr=subprocess.DEVNULL))
    by_minor = {python["version_parts"]["minor"]: python["path"] for python in listed}
    return [by_minor[minor] for minor in sorted(by_minor)]


def environment(folder: Path, python: str, *requirements: object) -> dict[str, str]:
    """A new environment, and the variables with which its commands are found."""
    run(sys.executable, "-m", "uv", "venv", "-q", "--seed", "--python", python, folder)
    run(sys.executable, "-m", "uv", "pip", "install", "-q", "--python", folder / "bin/python", *requirements)
    return {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "VIRTUAL_ENV": str(folder)}


def try_verbs(folder: Path, variables: dict[str, str], *, install: bool) -> None:
    """Each verb runs; where it says what it lacks, what it names is installed, if that is asked for."""
    for verb, (arguments, code, written) in VERBS.items():
        command = [folder / "bin/byhand", *arguments]
        for _ in range(3):
            done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
            told = re.search(r"to get it: (pip install .*)", done.stderr)
            if not (install and done.returncode == 1 and told):
                break
            print(f"  byhand {verb}: {told[1]}", flush=True)
            quietly = f"{told[1]} -q --disable-pip-version-check"
            subprocess.run(quietly, shell=True, cwd=folder, env=variables, check=True)
        if done.returncode != code or (written and not (folder / written).exists()):
            sys.exit(f"byhand {verb} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        print(f"  byhand {verb}: runs", flush=True)


def main() -> None:
    """All of it; the first thing that is not as it should be ends it."""
    lint()
    check_links()
    wheel = build()
    first, *others = pythons()
    tries = [("bare", first, [wheel]), ("lowest", first, [f"{wheel}[all]", "--resolution", "lowest-direct"])]
    tries += [("all", python, [f"{wheel}[all]"]) for python in others]
    with tempfile.TemporaryDirectory() as scratch:
        for name, python, requirements in tries:
            print(f"{python}, {name}:", flush=True)
            folder = Path(scratch) / f"{Path(python).name}-{name}"
            try_verbs(folder, environment(folder, python, *requirements), install=name == "bare")
            shutil.rmtree(folder)
    print("dist/ can be released.")


if __name__ == "__main__":
    main()
