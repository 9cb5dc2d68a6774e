"""A browser's view of the achievement editor: its form as it would be sent, and people who edit."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client

from accounts.models import Game
from achievements.models import Achievement
from tests.accounts.visitors import member

Fields = dict[str, list[str]]


class _Form(HTMLParser):
    """Collects what a browser would send of the form `edit-form`, its buttons left out."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: Fields = {}
        self._is_inside = False
        self._select = self._textarea = ""
        self._options: list[tuple[str, bool]] = []
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = dict(attributes)
        name = said.get("name") or ""
        if tag == "form":
            self._is_inside = said.get("id") == "edit-form"
        elif not self._is_inside:
            return
        elif tag == "input" and name and (said.get("type") != "checkbox" or "checked" in said):
            self._add(name, said.get("value") or ("on" if said.get("type") == "checkbox" else ""))
        elif tag == "select":
            self._select, self._options = name, []
        elif tag == "option" and self._select:
            self._options.append((said.get("value") or "", "selected" in said))
        elif tag == "textarea":
            self._textarea, self._text = name, []

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "select" and self._select:
            chosen = [value for value, is_chosen in self._options if is_chosen]
            self._add(self._select, (chosen or [self._options[0][0]])[-1])
            self._select = ""
        elif tag == "textarea" and self._textarea:
            # As browsers do: the first line break is the markup's, and all are sent as two characters.
            text = "".join(self._text).removeprefix("\n").replace("\n", "\r\n")
            self._add(self._textarea, text)
            self._textarea = ""

    def _add(self, name: str, value: str) -> None:
        self.fields.setdefault(name, []).append(value)


def visitor(game: Game, role: str = "developer") -> Client:
    """Return a browser of a member of the game's studio."""
    return member(game.studio, role, f"{role}-{game.pk}@example.com").client


def fields_of(page: Any) -> Fields:
    """Return the editor's form as a browser would send it untouched."""
    form = _Form()
    form.feed(page.text)
    return form.fields


def pages(game: Game) -> str:
    """Return the address of a game's achievements."""
    return f"/portal/{game.studio.uuid}/games/{game.uuid}/achievements"


class Editor:
    """Somebody who edits an achievement in a browser."""

    def __init__(
        self, game: Game, key: str = "a", role: str = "developer", client: Client | None = None
    ) -> None:
        self.client = client or visitor(game, role)
        self.url = f"{pages(game)}/{Achievement.objects.get(game=game, key=key).uuid}"
        self.fields: Fields = {}

    def open(self) -> "Editor":
        """Look at the form."""
        page = self.client.get(self.url)
        assert page.status_code == 200
        self.fields = fields_of(page)
        return self

    def save(self, **typed: Any) -> Any:
        """Send the form, with something typed."""
        return self.client.post(self.url, {**self.fields, **typed})

    def keep(self, **typed: Any) -> Any:
        """Send the form as a script does while somebody types, and go on from what is answered."""
        answer = self.save(**typed, then="keep")
        self.fields["base"] = [answer.context["base"]]
        return answer

    def token(self) -> str:
        """Return what a page carries that is looked at now."""
        token: str = self.client.get(f"{self.url}/publish").context["now"].token
        return token

    def act(self, act: str, token: str | None = None, **typed: Any) -> Any:
        """Send one of the other pages' forms, as it is shown now or was at a token."""
        return self.client.post(
            f"{self.url}/{act}", {"token": self.token() if token is None else token, **typed}
        )
