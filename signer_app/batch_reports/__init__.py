"""Reports on batches: what became of each file, on the screen, as CSV, as a spreadsheet and as a paper.

Main process, any thread; reads the store beside a running batch too, and writes nothing but the report. Rows are read
some at a time, so that a batch of a hundred thousand takes no more memory than one of a thousand. A secret document has
no row in the store, so nothing here can tell of one.
"""

from signer_app.batch_reports.model import EarlierBatch, ReportHead, ReportLine, Signer, Told
from signer_app.batch_reports.reading import report_lines, report_of
from signer_app.batch_reports.writing import write_report
from signer_app.paper.files import require_report_name

__all__ = [
    "EarlierBatch",
    "ReportHead",
    "ReportLine",
    "Signer",
    "Told",
    "report_lines",
    "report_of",
    "require_report_name",
    "write_report",
]
