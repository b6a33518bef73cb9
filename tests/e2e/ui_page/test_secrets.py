"""Credentials of Git servers, and builders that are handed secrets, in a real browser."""

import json
from typing import Final

import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.support import ui_pages
from tests.support.ui_fake_node import UiFakeNode
from tests.support.ui_values import OTHER_IDS

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

_TOKEN: Final = "hunter2-glpat-Zq9"
_KEY: Final = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\n-----END OPENSSH PRIVATE KEY-----"


async def _kept_in(page: Page) -> str:
    """All that the browser keeps or shows of what was typed: markup, fields, address, storage, history."""
    fields = await page.locator("input:not([type=file]), textarea").evaluate_all("all => all.map(one => one.value)")
    kept = await page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, history.state, document.cookie])"
    )
    return "\n".join([await page.content(), page.url, json.dumps(fields), str(kept)])


def _of(page: Page, prefix: str) -> Locator:
    return page.locator(f'[data-credential="{prefix}"]')


async def test_a_token_is_put_and_leaves_no_trace_in_the_browser(page: Page, node: UiFakeNode) -> None:
    """It goes to the node as typed; the list shows whom it is for, and a fingerprint; nothing keeps what it is."""
    await page.get_by_role("button", name="Add a credential").click()
    form = page.locator("[data-credential-form]")
    await form.get_by_label("Addresses that it is for").fill("git@git.example:team")
    await expect(form).to_contain_text("begin with https://host/")
    await form.get_by_label("Addresses that it is for").fill("https://git.example/other/")
    await form.get_by_label("User", exact=True).fill("robot")
    await expect(form.get_by_role("button", name="Keep this credential")).to_be_disabled()
    token = form.get_by_label("Token or password", exact=True)
    await expect(token).to_have_attribute("type", "password")
    await token.fill(_TOKEN)
    await token.press("Enter")
    added = _of(page, "https://git.example/other/")
    await expect(added).to_contain_text("token or password of robot")
    await expect(page.get_by_text("The credential for https://git.example/other/ is kept.")).to_be_visible()
    assert node.builds.secrets.given == {"https://git.example/other/": (_TOKEN.encode(), b"")}
    await expect(form).to_have_count(0)
    assert _TOKEN not in await _kept_in(page)


async def test_a_refused_key_is_emptied_and_not_repeated(page: Page, node: UiFakeNode) -> None:
    """The node's sentence stands there without the secret; the key has to be given again, and is masked meanwhile."""
    await page.get_by_role("button", name="Add a credential").click()
    form = page.locator("[data-credential-form]")
    await form.get_by_label("SSH, with a private key").check()
    await form.get_by_label("Addresses that it is for").fill("ssh://git@git.example")
    await expect(form).to_contain_text("There is a credential for ssh://git@git.example/ already")
    await form.get_by_label("Addresses that it is for").fill("ssh://git@inner.example/")
    pasted = form.get_by_label("Text of the private key")
    assert await pasted.evaluate("one => getComputedStyle(one).webkitTextSecurity") == "disc"
    await pasted.fill(_TOKEN)
    await form.get_by_role("button", name="Keep this credential").click()
    await expect(form.get_by_role("alert")).to_have_text("that is not a private key as ssh-keygen writes it")
    await expect(form).to_contain_text("Give the secret once more")
    await expect(pasted).to_have_value("")
    assert _TOKEN not in await _kept_in(page)
    assert node.builds.secrets.given == {}

    await pasted.fill(_KEY)
    await form.get_by_label("Text of the host’s keys").fill("inner.example ssh-ed25519 AAAA")
    await form.get_by_role("button", name="Keep this credential").click()
    await expect(_of(page, "ssh://git@inner.example/")).to_contain_text("host known by the keys given with it")
    given = {"ssh://git@inner.example/": (f"{_KEY}\n".encode(), b"inner.example ssh-ed25519 AAAA\n")}
    assert node.builds.secrets.given == given
    assert "b3BlbnNzaC1rZXktdjE" not in await _kept_in(page)


async def test_a_credential_is_replaced_by_a_file_and_removed_after_a_question(page: Page, node: UiFakeNode) -> None:
    """A key from a file goes byte by byte; Enter alone removes nothing."""
    kept = _of(page, "ssh://git@git.example/")
    await page.get_by_role("button", name="Replace the credential for ssh://git@git.example/").click()
    key = _KEY.encode() + b"\n"
    await kept.get_by_label("Private key", exact=True).set_input_files(
        {"name": "id_ed25519", "mimeType": "text/plain", "buffer": key}
    )
    await expect(kept.get_by_label("Text of the private key")).to_have_count(0)
    await kept.get_by_role("button", name="Replace the credential").click()
    await expect(kept).to_contain_text("host known to the node’s own user, or not at all")
    assert node.builds.secrets.given == {"ssh://git@git.example/": (key, b"")}

    await page.get_by_role("button", name="Remove the credential for ssh://git@git.example/").press("Enter")
    await page.keyboard.press("Enter")
    await expect(kept).to_be_visible()
    await page.get_by_role("button", name="Remove the credential for ssh://git@git.example/").click()
    await kept.get_by_role("button", name="Remove it").click()
    await expect(kept).to_have_count(0)
    assert [one["prefix"] for one in node.data["credentials"]] == ["https://git.example/team/"]


@pytest.mark.parametrize("role", ["VIEWER", "DEVELOPER"])
async def test_credentials_are_neither_shown_to_others_nor_asked_for(
    context: BrowserContext, node: UiFakeNode, url: str, role: str
) -> None:
    """Who is no administrator sees who is handed secrets, with who may say so, and nothing of credentials."""
    node.data["me"] = {"name": "mia", "role": role}
    page, watched = await ui_pages.log_in(context, node.login_link(url))
    drawer = await ui_pages.open_builds(page, "shop")
    part = drawer.locator("[data-entrusted='1']")
    await expect(part).to_contain_text("said by administrators")
    await expect(part.get_by_role("button", name="Choose")).to_have_count(0)
    await expect(page.locator("#credentials, [data-credential]")).to_have_count(0)
    await expect(page.get_by_text("Git servers")).to_have_count(0)
    assert "Credentials" not in node.requests
    assert watched.errors == []


async def test_builders_are_handed_secrets_and_lose_them_again(page: Page, node: UiFakeNode) -> None:
    """They are chosen among the peers that build, with what that means; taking it back is asked for twice."""
    node.data["entrusted"][0]["builders"].append({"id": OTHER_IDS["soylent"], "name": ""})
    drawer = await ui_pages.open_builds(page, "shop")
    part = drawer.locator("[data-entrusted]")
    await expect(part).to_contain_text("Whoever runs such a node can read them")
    await expect(part).to_contain_text("no peer has this key any more")
    await part.get_by_role("button", name="Choose others").click()
    form = part.locator("[data-entrust]")
    await expect(form.get_by_label("acme")).to_be_checked()
    await expect(form).to_contain_text("Whoever has no name here is left out")
    await form.get_by_label("acme").click()
    await expect(form.get_by_role("button", name="Hand its secrets to these")).to_be_disabled()
    await form.get_by_label("hooli").click()
    await form.get_by_role("button", name="Hand its secrets to these").click()
    await expect(part.locator("li")).to_have_count(1)
    await expect(part.locator("li")).to_contain_text("hooli")
    hooli = {"id": OTHER_IDS["hooli"], "name": "hooli"}
    assert node.data["entrusted"] == [{"service": "shop", "builders": [hooli]}]
    await part.get_by_role("button", name="Take it back").click()
    await expect(part.get_by_role("button", name="Keep it")).to_be_focused()
    await part.get_by_role("button", name="Take it back").click()
    await expect(part).to_contain_text("Nobody is handed anything")
    assert node.data["entrusted"] == []
