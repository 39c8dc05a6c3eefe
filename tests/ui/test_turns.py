"""Who computes first when a search and a drag want the processor at once."""

import threading
import time

from explorer.types import Silent
from explorer.ui.turns import Turns


def test_a_search_lets_a_waiting_caller_go_first():
    turns, order, inside = Turns(), [], threading.Event()

    def look():
        inside.wait()
        with turns.first():
            order.append("first")

    caller = threading.Thread(target=look)
    caller.start()
    with turns.search():
        inside.set()
        while not order:
            time.sleep(0.001)
            turns.step_aside()
        order.append("search")
    caller.join()
    assert order == ["first", "search"]


def test_a_search_that_nobody_waits_for_goes_on():
    turns = Turns()
    with turns.search():
        turns.step_aside()


def test_an_error_of_the_first_does_not_hold_up_a_search():
    turns = Turns()
    try:
        with turns.first():
            raise ValueError
    except ValueError:
        pass
    with turns.search():
        turns.step_aside()


def test_a_search_still_hears_that_it_is_cancelled():
    from explorer.ui.turns import TURNS, Aside

    outer = Silent()
    with TURNS.search():
        assert not Aside(outer).cancelled
        outer.cancelled = True
        assert Aside(outer).cancelled
