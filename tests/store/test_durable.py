"""Paths as Windows takes them however long they are, and folders that are made durably."""

import ntpath

import pytest

from signer_app.store.durable import extended

DEEP = "\\".join(["thư mục"] * 40)


def test_a_path_that_every_program_takes_stays_as_it_is() -> None:
    for path in ("C:\\Văn bản\\công văn.pdf", "\\\\máy chủ\\chung\\a.pdf", "C:\\" + "a" * 244):
        assert extended(path) == path


def test_a_longer_one_gets_the_extended_form_once() -> None:
    assert extended(f"C:\\{DEEP}\\a.pdf") == f"\\\\?\\C:\\{DEEP}\\a.pdf"
    assert extended(f"\\\\máy chủ\\chung\\{DEEP}\\a.pdf") == f"\\\\?\\UNC\\máy chủ\\chung\\{DEEP}\\a.pdf"
    once = extended(f"C:\\{DEEP}")
    assert extended(once) == once
    assert extended("C:\\a", longest=0) == "\\\\?\\C:\\a"


def test_what_nobody_puts_right_behind_the_prefix_is_put_right_before() -> None:
    assert extended(f"C:/{DEEP}/../công văn.pdf") == "\\\\?\\C:\\" + ntpath.dirname(DEEP) + "\\công văn.pdf"


@pytest.mark.parametrize("path", [DEEP, "\\" + DEEP, "C:" + DEEP])
def test_a_path_that_depends_on_where_one_stands_can_not_be_extended(path: str) -> None:
    assert extended(path) == path
