"""Site files in the worst layout that the language takes: the same statements, and comments in every place."""

from __future__ import annotations

import re
from random import Random

NOISE = ("", " text", " ; } {", ' "', ", ,\t", " # x", " \u00e9", " director lb1 {")


class Mangler:
    """Mangles one text; `comments` are those that it has put in, in their order, none equal to another."""

    def __init__(self, rng: Random):
        self.rng = rng
        self.comments: list[str] = []

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def comment(self) -> str:
        self.comments.append(f"#{len(self.comments)}{self.rng.choice(NOISE)}".rstrip())
        return self.comments[-1] + self.rng.choice(("", "", "  ", "\t"))

    def blank(self) -> str:
        return self.rng.choice((" ", " ", "  ", "\t", " \t "))

    def line_break(self) -> str:
        """The end of a line, and what may stand between it and the next."""
        text = (self.rng.choice(("", " ")) + self.comment() if self.chance(0.3) else self.rng.choice(("", " "))) + "\n"
        while self.chance(0.25):
            text += self.blank() + self.comment() + "\n" if self.chance(0.5) else self.rng.choice(("\n", " \t\n"))
        return text

    def words(self, line: str) -> str:
        """A statement; strings stay in one piece."""
        text = ""
        for piece in re.findall(r'"(?:\\.|[^"\\])*"|, *| +|[^ ,"]+', line):
            if piece.startswith(","):
                text += self.rng.choice(("", " ")) + "," + (self.line_break() if self.chance(0.2) else "")
                text += self.rng.choice(("", " ", "\t"))
            else:
                text += self.blank() if piece.isspace() else piece
        return text

    def end(self) -> str:
        """The end of a statement."""
        if self.chance(0.3):
            return self.rng.choice(("", " ")) + ";" * self.rng.randint(1, 2) + self.rng.choice(("", " ", "\n\n", "\n;\n"))
        return self.rng.choice(("", " ;")) + self.line_break()

    def text(self, source: str) -> str:
        """`source` has one statement a line, and no comment."""
        text = "\ufeff" if self.chance(0.2) else ""
        if self.chance(0.3):
            text += self.line_break()
        for line in filter(None, map(str.strip, source.splitlines())):
            if line == "}":
                text += self.blank() + "}" + (self.line_break() if self.chance(0.7) else " ")
            elif line.endswith("{"):
                text += self.words(line[:-1].rstrip()) + self.rng.choice(("", " ", "\t")) + "{"
                text += self.line_break() if self.chance(0.6) else self.rng.choice(("", " ", ";"))
            else:
                text += self.rng.choice(("", "\t", "      ")) + self.words(line) + self.end()
        return text.replace("\n", "\r\n") if self.chance(0.2) else text
