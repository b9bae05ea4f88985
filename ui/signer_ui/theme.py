"""Looks: the two palettes, the type scale, the spacing, and the one style sheet. No other file names a size or colour.

UI thread. Colours are our own in both modes, because a platform's dark mode does not reach every Qt platform. Sizes
are device-independent pixels at 100 %; Qt scales them. Text never goes below 11 pt, save captions (10 pt).
"""

from dataclasses import dataclass
from enum import Enum

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

import signer_resources

FAMILY = "Be Vietnam Pro"
"""The bundled font; its Vietnamese marks stay apart at small sizes."""

_UNIT = 4


class Type(Enum):
    """The type scale: points and weight."""

    SMALL = (10.0, QFont.Weight.Normal)
    BODY = (11.0, QFont.Weight.Normal)
    STRONG = (11.0, QFont.Weight.DemiBold)
    HEADING = (13.0, QFont.Weight.DemiBold)
    TITLE = (18.0, QFont.Weight.DemiBold)
    MONO = (10.5, QFont.Weight.Normal)


class Tone(Enum):
    """What a colour is for."""

    WINDOW = "window"
    SURFACE = "surface"
    LINE = "line"
    TEXT = "text"
    MUTED = "muted"
    ACCENT = "accent"
    ON_ACCENT = "on_accent"
    ACCENT_HOVER = "accent_hover"
    HOVER = "hover"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    GOOD_SURFACE = "good_surface"
    WARN_SURFACE = "warn_surface"
    BAD_SURFACE = "bad_surface"
    SELECTION = "selection"
    FOCUS = "focus"
    TRAINING = "training"
    """The banner of the training mode; nothing else has this colour."""
    ON_TRAINING = "on_training"
    DESK = "desk"
    """What lies behind a page."""


_LIGHT = {
    Tone.WINDOW: "#f4f5f7",
    Tone.SURFACE: "#ffffff",
    Tone.LINE: "#d5d9df",
    Tone.TEXT: "#1b2430",
    Tone.MUTED: "#59636f",
    Tone.ACCENT: "#0b5cad",
    Tone.ON_ACCENT: "#ffffff",
    Tone.ACCENT_HOVER: "#094c90",
    Tone.HOVER: "#e9eef5",
    Tone.GOOD: "#17703a",
    Tone.WARN: "#8a5300",
    Tone.BAD: "#b3261e",
    Tone.GOOD_SURFACE: "#e5f4ea",
    Tone.WARN_SURFACE: "#fff2d9",
    Tone.BAD_SURFACE: "#fde8e6",
    Tone.SELECTION: "#d6e6f8",
    Tone.FOCUS: "#0b5cad",
    Tone.TRAINING: "#6a1b9a",
    Tone.ON_TRAINING: "#ffffff",
    Tone.DESK: "#dfe3e8",
}
_DARK = {
    Tone.WINDOW: "#1b1f25",
    Tone.SURFACE: "#252b33",
    Tone.LINE: "#3d4652",
    Tone.TEXT: "#e8ebef",
    Tone.MUTED: "#a7b1bd",
    Tone.ACCENT: "#6fb1f2",
    Tone.ON_ACCENT: "#0d1b2a",
    Tone.ACCENT_HOVER: "#8fc3f6",
    Tone.HOVER: "#303843",
    Tone.GOOD: "#7bd29a",
    Tone.WARN: "#f0bd6a",
    Tone.BAD: "#ff9a92",
    Tone.GOOD_SURFACE: "#1f3a2a",
    Tone.WARN_SURFACE: "#40331a",
    Tone.BAD_SURFACE: "#472523",
    Tone.SELECTION: "#2d4a69",
    Tone.FOCUS: "#8fc3f6",
    Tone.TRAINING: "#7b2cab",
    Tone.ON_TRAINING: "#ffffff",
    Tone.DESK: "#14171b",
}


@dataclass(frozen=True)
class Theme:
    """One of the two looks."""

    dark: bool

    def colour(self, tone: Tone) -> QColor:
        """The colour for a purpose."""
        return QColor((_DARK if self.dark else _LIGHT)[tone])

    def font(self, kind: Type) -> QFont:
        """A font of the type scale."""
        points, weight = kind.value
        font = QFont(FAMILY)
        font.setPointSizeF(points)
        font.setWeight(weight)
        if kind is Type.MONO:
            font.setFamilies(["DejaVu Sans Mono", "Consolas", "monospace"])
            font.setStyleHint(QFont.StyleHint.Monospace)
        return font

    @staticmethod
    def space(steps: float) -> int:
        """A distance of `steps` units, in device-independent pixels."""
        return round(steps * _UNIT)

    def apply(self, application: QApplication) -> None:
        """Gives the whole application this look."""
        application.setFont(self.font(Type.BODY))
        application.setPalette(self._palette())

    def dress(self, window: QWidget) -> None:
        """Gives a window, and all that comes to stand in it, the style sheet.

        The window and not the application: what is put together outside of it is styled once, when it comes in, and
        not at each step of its making.
        """
        window.setStyleSheet(self._sheet())

    def _palette(self) -> QPalette:
        palette = QPalette()
        roles = {
            QPalette.ColorRole.Window: Tone.WINDOW,
            QPalette.ColorRole.WindowText: Tone.TEXT,
            QPalette.ColorRole.Base: Tone.SURFACE,
            QPalette.ColorRole.AlternateBase: Tone.WINDOW,
            QPalette.ColorRole.Text: Tone.TEXT,
            QPalette.ColorRole.PlaceholderText: Tone.MUTED,
            QPalette.ColorRole.Button: Tone.SURFACE,
            QPalette.ColorRole.ButtonText: Tone.TEXT,
            QPalette.ColorRole.BrightText: Tone.BAD,
            QPalette.ColorRole.ToolTipBase: Tone.SURFACE,
            QPalette.ColorRole.ToolTipText: Tone.TEXT,
            QPalette.ColorRole.Highlight: Tone.SELECTION,
            QPalette.ColorRole.HighlightedText: Tone.TEXT,
            QPalette.ColorRole.Link: Tone.ACCENT,
            QPalette.ColorRole.LinkVisited: Tone.ACCENT,
            QPalette.ColorRole.Light: Tone.SURFACE,
            QPalette.ColorRole.Midlight: Tone.HOVER,
            QPalette.ColorRole.Mid: Tone.LINE,
            QPalette.ColorRole.Dark: Tone.LINE,
            QPalette.ColorRole.Shadow: Tone.LINE,
            QPalette.ColorRole.Accent: Tone.ACCENT,
        }
        for role, tone in roles.items():
            palette.setColor(role, self.colour(tone))
        for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, self.colour(Tone.MUTED))
        return palette

    def _sheet(self) -> str:
        names = {tone.value: self.colour(tone).name() for tone in Tone}
        points = {f"pt_{kind.name.lower()}": f"{kind.value[0]:g}pt" for kind in Type}
        tick = signer_resources.path(f"images/tick-{'dark' if self.dark else 'light'}.png").as_posix()
        return _SHEET.format(**names, **points, tick=tick)


_SHEET = """
QWidget {{ color: {text}; }}
QMainWindow, QDialog {{ background: {window}; }}
QDialog {{ dialogbuttonbox-buttons-have-icons: 0; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QToolTip {{ color: {text}; background: {surface}; border: 1px solid {line}; padding: 4px 6px; }}

QLabel[role="title"] {{ font-size: {pt_title}; font-weight: 600; }}
QLabel[role="heading"] {{ font-size: {pt_heading}; font-weight: 600; }}
QLabel[role="strong"] {{ font-weight: 600; }}
QLabel[role="muted"] {{ color: {muted}; }}
QLabel[role="small"] {{ color: {muted}; font-size: {pt_small}; }}
QLabel[role="good"], QLabel[tone="good"] {{ color: {good}; }}
QLabel[role="warn"], QLabel[tone="warn"] {{ color: {warn}; }}
QLabel[role="bad"], QLabel[tone="bad"] {{ color: {bad}; }}

QFrame[role="card"] {{ background: {surface}; border: 1px solid {line}; border-radius: 8px; }}
QFrame[role="drop"] {{ background: {surface}; border: 2px dashed {line}; border-radius: 8px; }}
QFrame[role="drop"][over="true"] {{ background: {hover}; border-color: {accent}; }}
QFrame[role="bar"] {{ background: {surface}; border: none; border-bottom: 1px solid {line}; }}
QFrame[role="notice-bad"] {{ background: {bad_surface}; border: 1px solid {bad}; border-radius: 6px; }}
QFrame[role="notice-warn"] {{ background: {warn_surface}; border: 1px solid {warn}; border-radius: 6px; }}
QFrame[role="notice-good"] {{ background: {good_surface}; border: 1px solid {good}; border-radius: 6px; }}
QFrame[role="training"] {{ background: {training}; border: none; }}
QFrame[role="training"] QLabel, QFrame[role="training"] QWidget {{ color: {on_training}; }}
QFrame[role="training"] QPushButton {{ color: {text}; }}
QFrame[role="training"] QPushButton[role="quiet"] {{ color: {on_training}; }}
QFrame[role="training"] QPushButton[role="quiet"]:hover {{ color: {text}; }}
QFrame[role="training"] QPushButton[role="quiet"]:focus {{ border-color: {on_training}; }}
QFrame[role="training-step"] {{ background: {warn_surface}; border: none; border-bottom: 1px solid {line}; }}
QFrame[role="strip"] {{ background: {bad_surface}; border: none; border-bottom: 1px solid {bad}; }}

QPushButton, QToolButton {{
    background: {surface}; border: 1px solid {line}; border-radius: 6px; padding: 5px 14px; min-height: 22px;
}}
QToolButton {{ padding: 5px 8px; }}
QPushButton:hover, QToolButton:hover {{ background: {hover}; }}
QPushButton:pressed, QToolButton:pressed, QToolButton:checked {{ background: {selection}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {muted}; background: {window}; }}
QPushButton:focus, QToolButton:focus {{ border: 2px solid {focus}; padding: 4px 13px; }}
QToolButton:focus {{ padding: 4px 7px; }}
QPushButton[role="primary"] {{ background: {accent}; color: {on_accent}; border-color: {accent}; font-weight: 600; }}
QPushButton[role="primary"]:hover {{ background: {accent_hover}; }}
QPushButton[role="primary"]:focus {{ border: 2px solid {text}; padding: 4px 13px; }}
QPushButton[role="primary"]:disabled {{ background: {line}; color: {muted}; border-color: {line}; }}
QPushButton[role="danger"] {{ color: {bad}; border-color: {bad}; }}
QPushButton[low="true"] {{ padding: 0 10px; }}
QPushButton[low="true"]:focus {{ padding: 0 9px; }}
QPushButton[role="danger"]:disabled {{ color: {muted}; border-color: {line}; }}
QPushButton[role="quiet"], QToolButton[role="quiet"] {{ background: transparent; border-color: transparent; }}
QPushButton[role="quiet"] {{ color: {accent}; }}
QPushButton[role="quiet"]:hover, QToolButton[role="quiet"]:hover {{ background: {hover}; }}
QPushButton[role="quiet"]:focus, QToolButton[role="quiet"]:focus {{ border: 2px solid {focus}; }}
QPushButton[role="light"] {{ background: transparent; border-color: transparent; padding: 5px 8px; }}
QPushButton[role="light"]:hover {{ background: {hover}; }}
QPushButton[role="light"]:focus {{ border: 2px solid {focus}; padding: 4px 7px; }}
QPushButton::menu-indicator, QToolButton::menu-indicator {{ image: none; width: 0; }}

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QDateEdit, QComboBox {{
    background: {surface}; border: 1px solid {line}; border-radius: 5px; padding: 4px 8px; min-height: 22px;
    selection-background-color: {selection}; selection-color: {text};
}}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QDateEdit:focus,
QComboBox:focus {{ border: 2px solid {focus}; padding: 3px 7px; }}
QLineEdit:disabled, QComboBox:disabled {{ color: {muted}; background: {window}; }}
QLineEdit[wrong="true"] {{ border-color: {bad}; }}
QComboBox::drop-down {{ border: none; width: 22px; }}
QComboBox QAbstractItemView {{ background: {surface}; border: 1px solid {line}; selection-background-color: {selection};
    selection-color: {text}; }}
QCheckBox, QRadioButton {{ spacing: 8px; padding: 2px; border: 2px solid transparent; border-radius: 4px; }}
QCheckBox:focus, QRadioButton:focus {{ border-color: {focus}; }}
QCheckBox::indicator, QTableView::indicator {{
    width: 14px; height: 14px; background: {surface}; border: 1px solid {muted}; border-radius: 3px;
}}
QCheckBox::indicator:checked, QTableView::indicator:checked {{
    background: {accent}; border-color: {accent}; image: url("{tick}");
}}
QRadioButton::indicator {{ width: 14px; height: 14px; background: {surface}; border: 1px solid {muted};
    border-radius: 8px; }}
QRadioButton::indicator:checked {{ width: 6px; height: 6px; background: {on_accent}; border: 5px solid {accent}; }}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ background: {window}; border-color: {line}; }}
QCheckBox::indicator:checked:disabled {{ background: {muted}; border-color: {muted}; }}

QTabBar {{ background: {surface}; }}
QTabBar::tab {{ background: {surface}; color: {muted}; padding: 10px 18px 8px 18px; border: none;
    border-bottom: 3px solid transparent; }}
QTabBar::tab:hover {{ color: {text}; background: {hover}; }}
QTabBar::tab:selected {{ color: {text}; font-weight: 600; border-bottom-color: {accent}; }}
QTabBar::tab:focus {{ background: {selection}; }}
QTabBar[away="true"]::tab:selected {{ color: {muted}; font-weight: 400; border-bottom-color: transparent; }}
QTabBar[narrow="true"]::tab {{ padding-left: 8px; padding-right: 8px; }}
QTabBar QToolButton {{ padding: 0; border: 1px solid {line}; background: {surface}; }}

QTableView, QListView, QTreeView {{
    background: {surface}; alternate-background-color: {window}; border: 1px solid {line}; border-radius: 6px;
    gridline-color: {line}; selection-background-color: {selection}; selection-color: {text}; outline: none;
}}
QTableView:focus, QListView:focus, QTreeView:focus {{ border: 2px solid {focus}; }}
QTableView::item, QListView::item {{ padding: 2px 6px; }}
QTableView QLineEdit, QTableView QComboBox, QTableView QDateEdit {{ border-radius: 0; padding: 0 5px; min-height: 0; }}
QHeaderView {{ background: {surface}; }}
QHeaderView::section {{ background: {surface}; color: {muted}; border: none; border-bottom: 1px solid {line};
    border-right: 1px solid {line}; padding: 6px 8px; font-weight: 600; }}
QTableCornerButton::section {{ background: {surface}; border: none; }}

QProgressBar {{ background: {line}; border: none; border-radius: 4px; max-height: 8px; min-height: 8px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 4px; }}

QScrollArea {{ border: none; background: transparent; }}
QScrollArea[role="told"] {{ border: 2px solid transparent; border-radius: 4px; }}
QScrollArea[role="told"]:focus {{ border-color: {focus}; }}
QScrollArea > QWidget > QWidget[role="page"] {{ background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: {line}; border-radius: 4px; margin: 2px; min-height: 32px; min-width: 32px; }}
QScrollBar::handle:hover {{ background: {muted}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{ background: none; width: 0;
    height: 0; }}
QSplitter::handle {{ background: {line}; }}
QSplitter[role="gap"]::handle {{ background: transparent; }}
QMenu {{ background: {surface}; border: 1px solid {line}; padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {selection}; }}
QMenu::separator {{ background: {line}; height: 1px; margin: 4px 8px; }}
QFrame[role="paper"] {{ background: white; border: 1px solid {line}; border-radius: 4px; }}
QFrame[role="paper"] QLabel {{ color: black; }}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{
    width: 0; height: 0; border: none; }}
QAbstractSpinBox QLineEdit {{ border: none; padding: 0; background: transparent; min-height: 0; }}
QPlainTextEdit[wrong="true"], QSpinBox[wrong="true"], QDoubleSpinBox[wrong="true"] {{ border-color: {bad}; }}
QFrame[role="line"] {{ background: {line}; border: none; min-height: 1px; max-height: 1px; }}
QTableView[role="grid"]:focus {{ border: 1px solid {focus}; }}
QTableView[role="grid"]::corner, QAbstractScrollArea::corner {{ background: transparent; border: none; }}
"""
