"""What the built site does otherwise than Jupyter Book does by itself."""

import re

UNUSED = "sphinx_thebe"  # live kernels in the page: would load code from another host


def leave_out(app, config):
    """Disconnect an extension that Jupyter Book loads and this book never uses."""
    for listeners in app.events.listeners.values():
        listeners[:] = [
            x for x in listeners if not x.handler.__module__.startswith(UNUSED)
        ]
    styles = app.registry.css_files
    styles[:] = [(name, given) for name, given in styles if name != "sphinx-thebe.css"]


def mend_tables(app, pagename, templatename, context, doctree):
    """A header cell without words is no header: tables often have one in the corner."""
    empty = r"<th([^>]*)>\s*(?:<p>\s*</p>)?\s*</th>"
    context["body"] = re.sub(empty, r"<td\1></td>", context.get("body", ""))


def note_hangul(app, pagename, templatename, context, doctree):
    """Tell the template which pages have Korean."""
    context["hangul"] = re.search("[가-힣]", context.get("body", "")) is not None


def name_the_site(app, config):
    """Where the pages will stand, from the address of the repository: GitHub Pages.

    Cards, the sitemap and the page for what is not found need full addresses.
    """
    host, owner, name = config.html_theme_options["repository_url"].rsplit("/", 2)
    if host != "https://github.com":
        return
    site = f"https://{owner}.github.io/{name}/"
    config.html_baseurl = config.ogp_site_url = site
    config.notfound_urls_prefix = f"/{name}/"


def setup(app):
    app.connect("config-inited", leave_out)
    app.connect("config-inited", name_the_site)
    app.connect("html-page-context", mend_tables)
    app.connect("html-page-context", note_hangul)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
