"""The built book in a browser: fixtures for every test that looks at a page."""

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import disks
import explorables
import pytest

from lookback.doctor import BROWSERS

ROOT = Path(__file__).parents[1]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


@pytest.fixture(scope="session")
def built_book(tmp_path_factory):
    """The folder of the book's pages, built with each warning an error."""
    folder = tmp_path_factory.mktemp("book")
    command = Path(sys.executable).with_name("jupyter-book")
    began = time.perf_counter()
    done = subprocess.run(
        [command, "build", ".", "-W", "-n", "--keep-going", "--path-output", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-2000:]
    (folder / "seconds").write_text(str(time.perf_counter() - began))
    return folder / "_build/html"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def site(built_book):
    """The address of the served book."""
    handler = functools.partial(Quiet, directory=built_book)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium; the tests are skipped where there is none, but not in CI."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(
            f"no browser: install one of {', '.join(BROWSERS)} (apt-get install chromium)"
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a quarter of a megabyte; skipped where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    disks.mount(folder, "size=256k")
    yield folder
    disks.unmount(folder)


@dataclass
class Visit:
    """An open page, and what it did that it should not have done."""

    page: object
    faults: list[str] = field(default_factory=list)

    def console(self, message):
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def answer(self, response):
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")


@pytest.fixture
def visit(chromium, site):
    """visit(path, width, scheme) opens a page of the book; no other host answers."""
    contexts = []

    def open_page(path, width=1280, scheme="light", **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, **options
        )
        context.set_default_timeout(120_000)  # a busy machine is no fault of the page
        contexts.append(context)
        found = Visit(context.new_page())

        def route(request):
            if request.request.url.startswith(site):
                return request.continue_()
            found.faults.append(f"asked another host: {request.request.url}")
            return request.abort()

        context.route("**/*", route)
        found.page.on("console", found.console)
        found.page.on("pageerror", lambda error: found.faults.append(f"error: {error}"))
        found.page.on("response", found.answer)
        found.page.goto(f"{site}/{path}", wait_until="load")
        return found

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def bench():
    """The address of this checkout, served."""
    handler = functools.partial(Quiet, directory=ROOT)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def mount(chromium, bench):
    """mount(widget, width, scheme) opens a page with one explorable, without a book.

    Returns a `Visit`: `.page` is Playwright's, `.faults` what went wrong. `touch` opens
    it as on a phone; `still` asks for reduced motion; `before` is HTML in front of it.
    """
    contexts = []

    def open_page(
        widget, width=1280, scheme="light", touch=False, still=False, before=""
    ):
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            has_touch=touch,
            reduced_motion="reduce" if still else "no-preference",
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        found = Visit(context.new_page())
        html = explorables.page(widget, scheme, before)

        def route(request):
            url = request.request.url
            if url == f"{bench}/":
                return request.fulfill(body=html, content_type="text/html")
            if asked := re.fullmatch(r".*/weights/([\w-]+)\.safetensors", url):
                return request.fulfill(body=widget.asset(asked[1]))
            if url.startswith((bench, "blob:", "data:")):
                return request.continue_()
            found.faults.append(f"asked another host: {url}")
            return request.abort()

        context.route("**/*", route)
        found.page.on("console", found.console)
        found.page.on("pageerror", lambda error: found.faults.append(f"error: {error}"))
        found.page.on("response", found.answer)
        found.page.goto(f"{bench}/", wait_until="load")
        if not before:
            found.page.locator("[data-explorable][data-ready=true]").wait_for()
        return found

    yield open_page
    for context in contexts:
        context.close()
