"""Winners for a GPU are judged on it, one user at a time; those for the CPU know of none."""

import pytest

from kernelopt.errors import MissingTool
from kernelopt.export.examine import Examiner
from kernelopt.gpu.lease import lease
from kernelopt.sandboxes.process import ProcessSandbox


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_their_sandbox_passes_the_gpu_on_while_it_is_leased():
    with Examiner("process") as examiner:
        examiner._language("cuda")
        assert examiner._plugin().keywords == {"gpu": "0"}
        with pytest.raises(MissingTool), lease("0"):
            pass
    with lease("0"):
        pass


def test_kernels_of_the_cpu_lease_nothing():
    with Examiner("process") as examiner:
        examiner._language("cpp")
        assert examiner._plugin() is ProcessSandbox
        with lease("0"):
            pass
