"""Templates of a newsletter and of a weekly report as text and HTML, filled in a sandbox; they hold no fact."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from soloist.kernel.errors import BadInput

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_CHARS = 200_000
_KEPT = "\n\u00a0\u202f"
"""A line break, and spaces that hold a number together."""

NEWSLETTER_TEXT = """\
{{ title }}
{% if intro %}

{{ intro }}
{% endif %}
{% for section in sections %}

{{ section.title | upper }}
{% for item in section["items"] %}

{{ item.title }}
{% if item.text %}
{{ item.text }}
{% endif %}
{% if item.link %}
{{ item.link }}
{% endif %}
{% endfor %}
{% endfor %}
{% if closing %}

{{ closing }}
{% endif %}

--
{{ sender }}{% if postal %}, {{ postal }}{% endif %}


{{ words.why }}
{{ words.unsubscribe }}: {{ unsubscribe }}
"""

NEWSLETTER_HTML = """\
<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
</head>
<body style="margin:0 auto;max-width:36rem;padding:1rem;font-family:sans-serif;line-height:1.5;color:#1a1a1a">
<h1>{{ title }}</h1>
{% for part in intro_parts %}
<p>{{ part }}</p>
{% endfor %}
{% for section in sections %}
<h2>{{ section.title }}</h2>
{% for item in section["items"] %}
<h3>{% if item.link %}<a href="{{ item.link }}">{{ item.title }}</a>{% else %}{{ item.title }}{% endif %}</h3>
{% for part in item.parts %}
<p>{{ part }}</p>
{% endfor %}
{% endfor %}
{% endfor %}
{% for part in closing_parts %}
<p>{{ part }}</p>
{% endfor %}
<hr>
<p>{{ sender }}{% if postal %}, {{ postal }}{% endif %}</p>
<p>{{ words.why }} <a href="{{ unsubscribe }}">{{ words.unsubscribe }}</a></p>
</body>
</html>
"""

REPORT_TEXT = """\
{{ title }}
{% if figures %}

{% for one in figures %}
- {{ one.name }}: {{ one.value }}{% if one.before %} ({{ words.before }}: {{ one.before }}){% endif %}

{% endfor %}
{% endif %}
{% for part in parts %}

{{ part.title }}
{% for line in part.lines %}
- {{ line }}
{% endfor %}
{% endfor %}
"""

FOOT = {
    "en": {"why": "You receive this because you asked for it.", "unsubscribe": "Unsubscribe"},
    "de": {"why": "Sie erhalten dies, weil Sie sich angemeldet haben.", "unsubscribe": "Abmelden"},
    "fr": {"why": "Vous recevez ceci parce que vous vous êtes inscrit.", "unsubscribe": "Se désinscrire"},
    "es": {"why": "Recibe este correo porque se suscribió.", "unsubscribe": "Darse de baja"},
}
REPORT = {
    "en": {"title": "Week of {start} to {end}", "before": "week before", "done": "Done", "waiting": "Waiting for you",
           "coming": "Coming up", "troubles": "What went wrong"},
    "de": {"title": "Woche vom {start} bis {end}", "before": "Vorwoche", "done": "Erledigt",
           "waiting": "Wartet auf Sie", "coming": "Steht an", "troubles": "Was nicht ging"},
    "fr": {"title": "Semaine du {start} au {end}", "before": "semaine précédente", "done": "Fait",
           "waiting": "En attente de vous", "coming": "À venir", "troubles": "Ce qui n'a pas marché"},
    "es": {"title": "Semana del {start} al {end}", "before": "semana anterior", "done": "Hecho",
           "waiting": "Espera su respuesta", "coming": "Próximamente", "troubles": "Lo que no funcionó"},
}  # fmt: skip


@lru_cache(maxsize=2)
def _environment(html: bool) -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=html
    )


def fill(source: str, values: dict[str, Any], *, html: bool, name: str) -> str:
    """A filled template (BadInput with the template's name and line when it is broken or its text too long)."""
    from jinja2 import TemplateSyntaxError

    try:
        text = _environment(html).from_string(source).render(values)
    except TemplateSyntaxError as error:
        raise BadInput(f"The template {name} is broken in line {error.lineno}: {error.message}.", field=name) from error
    except Exception as error:  # the operator's own template: its fault is told in their words
        raise BadInput(f"The template {name} is broken: {error}.", field=name) from error
    if len(text) > MAX_CHARS:
        raise BadInput(f"The template {name} gives {len(text):,} characters, more than {MAX_CHARS:,}.", field=name)
    return text if html else tidy(text)


def tidy(text: str) -> str:
    """Plain text without control characters or more than one empty line in a row."""
    text = "".join(letter for letter in text if letter.isprintable() or letter in _KEPT)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip() + "\n"
