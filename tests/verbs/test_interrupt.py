"""Being asked to stop."""

import os
import signal
import threading

import pytest

from fieldcraft.verbs.interrupt import listening


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_the_handlers_come_back(which: signal.Signals) -> None:
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    with listening() as stop:
        assert not stop()
        os.kill(os.getpid(), which)
        assert stop() and stop.signal_name == which.name
    assert {one: signal.getsignal(one) for one in before} == before


def test_a_second_signal_acts() -> None:
    with pytest.raises(KeyboardInterrupt), listening() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_handlers_come_back_after_an_error() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(RuntimeError), listening():
        raise RuntimeError
    assert signal.getsignal(signal.SIGTERM) == before


def test_outside_the_main_thread_nothing_is_ever_noted() -> None:
    found: list[bool] = []

    def work() -> None:
        with listening() as stop:
            found.append(stop())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
