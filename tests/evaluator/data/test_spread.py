"""Work on long tensors in several threads: the same as in one, whatever the order."""

import os
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelopt.evaluator.compare.scan import scan
from kernelopt.evaluator.data.spread import PIECE, copy, pieces, spread, threads
from kernelopt.evaluator.expected.sample import largest_errors, same_bits
from kernelopt.task import Tolerance


@given(st.integers(0, 40))
@settings(deadline=None)
def test_results_come_in_the_order_of_the_jobs(count):
    assert spread([lambda n=n: n * n for n in range(count)]) == [n * n for n in range(count)]


@pytest.mark.skipif(threads() < 2, reason="this process has one core")
def test_two_jobs_run_at_the_same_time():
    both = threading.Barrier(2, timeout=20)
    assert sorted(spread([both.wait, both.wait])) == [0, 1]


def test_an_error_of_a_job_is_the_caller_s():
    def broken():
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        spread([broken] * 8)


@given(st.integers(0, 5000), st.integers(1, 700))
def test_pieces_cover_everything_once(size, length):
    covered = [index for piece in pieces(size, length) for index in range(piece.start, piece.stop)]
    assert covered == list(range(size))


def test_a_forked_process_has_threads_of_its_own():
    spread([int] * 4)
    child = os.fork()
    if child == 0:
        os._exit(0 if spread([lambda: 7] * 4) == [7] * 4 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_its_threads_start_none_of_torch_s():
    found = spread([lambda: (threading.get_ident(), torch.get_num_threads())] * 64)
    assert {count for ident, count in found if ident != threading.get_ident()} <= {1}


@pytest.mark.parametrize("size", [0, 1, PIECE, 8 * PIECE + 3, 20 * PIECE])
def test_every_byte_is_copied(size):
    source = np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8)
    target = np.zeros(size, np.uint8)
    copy(target, source)
    assert (target == source).all()


@pytest.mark.parametrize("place", [0, PIECE - 1, PIECE, 3 * PIECE + 4])
def test_one_wrong_element_is_found_in_whichever_piece(place):
    want = torch.ones(3 * PIECE + 5, dtype=torch.float64)
    out = want.float()
    out[place] = 3.0
    assert scan(out, want, Tolerance(atol=0.5, rtol=0.0)) == (1, 2.0, 2.0)
    assert largest_errors(out, want, (0.0, 0.5)) == [2.0, 1.5]
    assert not same_bits(out, want.float())
    assert same_bits(out, out.clone())
