"""Every word of these pages is there in Chinese."""

import ast
import re
from pathlib import Path

import pytest
from jinja2 import Environment

import api
from api.district import company, doubt_pages, sentences, words
from api.pages import texts

HERE = Path(api.__file__).parent
TEMPLATES = sorted(
    path
    for folder in ("company", "login", "ops", "vendor")
    for path in (HERE / "templates" / folder).glob("*.html")
)


def of_templates() -> set[str]:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    found: set[str] = set()
    for path in TEMPLATES:
        for _, _, message in environment.extract_translations(path.read_text()):
            found.add(message[0] if isinstance(message, tuple) else message)
    return found


def of_tables() -> set[str]:
    tables = [
        words.ORDER,
        words.ITEM,
        words.ITEM_FOR_COMPANY,
        words.COMPARTMENT,
        words.DOOR,
        words.MACHINE,
        words.ALARM,
        words.VERDICT,
        words.COMMAND,
    ]
    found = {word.text for table in tables for word in table.values()}
    found |= {words.ITEM_ARRIVED.text}
    found |= {word.next_step for word in words.ALARM.values()}
    found |= {word.then for word in words.VERDICT.values()} | set(doubt_pages.WRONG.values())
    for plain in (
        words.SETTLED_BY,
        words.REFUSED,
        words.KIND,
        words.KIND_DETAIL,
        words.SEAL,
        words.ROLE,
    ):
        found |= set(plain.values())
    found |= set(sentences.SENTENCES.values()) | set(sentences.SEEN_BY.values())
    found |= {
        part
        for says in (*company.SAYS.values(), company.OLD_LINK)
        for part in (says.headline, says.say)
    }
    return found


def of_code() -> set[str]:
    """What the modules hand to a function named translate, gettext or ngettext."""
    found: set[str] = set()
    for path in (HERE / "district").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = ast.unparse(node.func)
            first = node.args[0]
            if re.search(r"(translate|gettext)$", name) and isinstance(first, ast.Constant):
                found.add(first.value)
    return found


@pytest.mark.parametrize("source", [of_templates, of_tables, of_code])
def test_every_message_is_there_in_chinese(source):
    chinese = texts("zh-CN")._catalog
    missing = {
        message
        for message in source()
        if message and message not in chinese and (message, 0) not in chinese
    }
    assert not missing
    assert source()


def test_placeholders_are_the_same_in_both_languages():
    form = re.compile(r"%\(\w+\)s|\{\w+\}")
    for message, translated in texts("zh-CN")._catalog.items():
        words_of = message[0] if isinstance(message, tuple) else message
        words_of = words_of.split("\x04")[-1]
        if "%(" in words_of:
            assert set(form.findall(words_of)) == set(form.findall(translated)), words_of
