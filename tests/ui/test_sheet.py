"""The contact sheet with thousands of pages: all of them are chosen and left out at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtGui import QRegion
from pytestqt.qtbot import QtBot

from signer_app.pages import Pages
from signer_ui.presenters.review import Cell, Doubt
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme
from signer_ui.widgets.sheet import Sheet
from signer_ui.words import Words


@pytest.fixture
def tasks(qtbot: QtBot) -> Iterator[Tasks]:
    made = Tasks(repr)
    yield made
    made.close()


def test_all_pages_are_chosen_and_left_out_without_asking_each_where_it_lies(tasks: Tasks, qtbot: QtBot) -> None:
    # Pages are drawn for a sheet that is shown; this one is not.
    sheet = Sheet(tasks, cast(Pages, None), Words("vi"), Theme(dark=False), Path)
    qtbot.addWidget(sheet)
    sheet.resize(900, 500)
    cells = [Cell(f"d{n}", f"f{n}", f"{n}/KH", "0" * 64, 0, None, Doubt.NONE) for n in range(3000)]
    sheet.put(cells, {})
    sheet.selectAll()
    drawn = sheet.visualRegionForSelection(sheet.selectionModel().selection())
    assert drawn == QRegion(sheet.viewport().rect())
    sheet.toggle()
    assert sheet.out == {cell.draft for cell in cells}
    sheet.toggle()
    assert sheet.out == frozenset()


@pytest.mark.parametrize("height", [250, 420, 700, 1200])
def test_a_whole_page_is_in_sight_where_there_is_room_for_a_readable_one(
    tasks: Tasks, qtbot: QtBot, height: int
) -> None:
    sheet = Sheet(tasks, cast(Pages, None), Words("vi"), Theme(dark=False), Path)
    qtbot.addWidget(sheet)
    sheet.resize(900, 300)
    sheet.show()
    sheet.resize(900, height)
    qtbot.waitUntil(lambda: sheet.viewport().height() > height - 20)
    assert sheet.gridSize().height() <= max(sheet.viewport().height(), Theme.space(24) + sheet._below)
    assert Theme.space(24) <= sheet.side <= Theme.space(60)
    assert (sheet.side == Theme.space(60)) == (height >= 420)
