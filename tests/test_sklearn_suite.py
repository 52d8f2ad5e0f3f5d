"""scikit-learn's own tests of its MLP, run with our estimators; docs/estimators.md has those that fail, and why."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sklearn
from sklearn.utils.fixes import parse_version

DOCUMENT = (Path(__file__).parents[1] / "docs" / "estimators.md").read_text(encoding="utf-8")
TABLE = DOCUMENT[DOCUMENT.index("## scikit-learn's own tests") :]
SEED = """
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def the_same_numbers_each_time():  # some of the tests name no random_state
    np.random.seed(0)


@pytest.fixture
def global_random_seed():
    return 42
"""


def outcomes(folder):
    """{test: whether all its cases passed}, and the numbers of cases that passed and failed."""
    spec = find_spec("sklearn.neural_network.tests.test_mlp")
    if spec is None:
        pytest.skip("this scikit-learn came without its tests")
    tests = Path(spec.origin).read_text(encoding="utf-8")
    tests = re.sub(
        r"from sklearn.neural_network import .*", "from byhand import ByHandClassifier, ByHandRegressor", tests
    )
    tests = tests.replace("MLPClassifier", "ByHandClassifier").replace("MLPRegressor", "ByHandRegressor")
    (folder / "test_mlp.py").write_text(tests, encoding="utf-8")
    (folder / "conftest.py").write_text(SEED, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--junitxml=report.xml",
    ]
    subprocess.run([*command, "test_mlp.py"], cwd=folder, check=False, capture_output=True)
    passed, cases = {}, [0, 0]
    for case in ElementTree.parse(folder / "report.xml").iter("testcase"):
        if case.find("skipped") is None:
            right = case.find("failure") is None and case.find("error") is None
            name = case.get("name").partition("[")[0]
            passed[name] = passed.get(name, True) and right
            cases[not right] += 1
    return passed, cases


def test_what_fails_is_in_the_table_and_what_is_in_the_table_fails(tmp_path):
    version, *numbers = re.search(r"In scikit-learn ([\d.]+) (\d+) cases pass and (\d+) fail", TABLE).groups()
    if parse_version(sklearn.__version__) < parse_version(version):
        pytest.skip("an older scikit-learn has other tests")
    passed, cases = outcomes(tmp_path)
    told = set(re.findall(r"`(test_\w+)`", TABLE))
    assert len(passed) > 40
    assert {name for name, right in passed.items() if not right} == told & set(passed)
    if version == sklearn.__version__:
        assert cases == [int(number) for number in numbers]
