"""What is kept of a check: its report as a PDF where the clerk wants it, and the evidence, destroyed when asked.

UI thread; written and destroyed on the lane for documents. Never writes over another file; asks once before anything is
destroyed, for that does not come back.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from signer_app.desk.verifying import Checked
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.notice import Notice


def save_report(shell: Shell, notice: Notice, owner: QWidget, checked: tuple[Checked, ...], suggested: str) -> None:
    """Asks where, and writes what was found as a PDF (Lưu kết quả kiểm tra…)."""
    words = shell.words
    chosen, _kind = QFileDialog.getSaveFileName(
        owner,
        words("uv_save_title"),
        suggested,
        words("ut_pdf_files"),
        options=QFileDialog.Option.DontConfirmOverwrite,
    )
    if chosen:
        target = Path(chosen)
        shell.tasks.run(
            owner,
            Lane.DOCUMENTS,
            lambda _control: shell.desk.verifying.report_pdf(checked, target),
            lambda _none: notice.tell(words("ut_saved", file=chosen)),
            failed=notice.error,
        )


def ask_destroy(
    shell: Shell, notice: Notice, owner: QWidget, checked: Checked, destroyed: Callable[[Checked], None]
) -> None:
    """Asks whether the evidence about a file shall go (Xóa dữ liệu kiểm tra…); `destroyed` is told when it has gone."""
    words, sha256 = shell.words, checked.report.sha256
    if sha256 is None:
        return

    def gone(_count: int) -> None:
        notice.tell(words("uv_destroyed", name=checked.name))
        destroyed(checked)

    def destroy() -> None:
        notice.clear()
        shell.tasks.run(
            owner,
            Lane.DOCUMENTS,
            lambda _control: shell.desk.verifying.destroy_evidence(sha256),
            gone,
            failed=notice.error,
        )

    notice.tell(
        words("uv_destroy_ask", name=checked.name),
        (words("uv_destroy_yes"), destroy),
        (words("uv_destroy_no"), notice.clear),
        why=words("uv_destroy_why"),
        role="notice-warn",
        question=True,
    )
    notice.focus_action()
