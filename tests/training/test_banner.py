"""The window of the training mode: its banner, the exercise, and what it doesn't let through."""

import pytest
from PySide6.QtWidgets import QApplication

from signer_ui.presenters.training import COUNT, Deed, step_view
from signer_ui.theme import Theme
from signer_ui.widgets.training_banner import TrainingBanner
from signer_ui.window import Window
from signer_ui.words import Words

VI = Words("vi")


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_each_step_says_what_to_do_and_the_pin_is_shown_where_it_is_typed(lang: str) -> None:
    views = [step_view(number, "482913", Words("en" if lang == "en" else "vi")) for number in range(COUNT)]
    assert len({view.told for view in views}) == len({view.heading for view in views}) == COUNT
    assert "482913" in views[4].told
    assert [view.first for view in views] == [True, *[False] * 5]
    assert [view.last for view in views] == [*[False] * 5, True]
    assert views[0].deed is Deed.OPEN_LETTERS


def test_the_banner_stays_while_the_exercise_can_be_put_away(qapp: QApplication) -> None:
    window = Window(VI, Theme(dark=False), training=True)
    banner = window.training
    assert isinstance(banner, TrainingBanner)
    assert window.windowTitle() == VI("tr_title")
    window.show()
    banner.ready("482913")
    wanted: list[object] = []
    banner.wanted.connect(wanted.append)
    banner.act.click()
    assert wanted == [Deed.OPEN_LETTERS]
    for _step in range(COUNT - 1):
        banner.next.click()
    assert banner.step == COUNT - 1
    assert banner.act.isVisible()
    banner.next.click()
    assert not banner.act.isVisible()
    assert banner.isVisible()
    assert banner.leave.isVisible()
    banner.guide.click()
    assert (banner.step, banner.act.isVisible()) == (0, True)
    banner.leave.click()
    assert not window.isVisible()
    window.dismiss()


def test_the_real_window_has_no_banner(qapp: QApplication) -> None:
    window = Window(VI, Theme(dark=False))
    assert window.training is None
    assert window.windowTitle() == VI("ui_title")
    window.dismiss()
