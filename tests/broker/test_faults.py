"""The fault injector: what stands keeps nothing else from happening."""

from paperdesk.tools.broker.stand_in.faults import FaultInjector


def test_a_fault_that_stands_keeps_no_other_from_happening_at_its_rate():
    injector = FaultInjector({"answer_lost": 0.3}, seed=3)
    injector.standing.add("duplicate_events")
    met = [injector.next("fills") for _ in range(1000)]
    assert 250 < met.count("answer_lost") < 350
    assert met.count("duplicate_events") == 1000 - met.count("answer_lost")
    assert injector.told["answer_lost"] == met.count("answer_lost")
    injector.plan("disconnect", "fills")
    assert injector.next("fills") == "disconnect"
