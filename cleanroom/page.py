"""One HTML file by itself: no scripts, nothing loaded from anywhere, readable by all."""

import html

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 sans-serif; color: #111; background: #fff; margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; margin: 1rem 0; }}
th, td {{ border: 1px solid #666; padding: .3rem .5rem; text-align: left; vertical-align: top; }}
th {{ background: #eee; }}
code, pre {{ background: #f2f2f2; }}
pre {{ padding: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }}
td.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
figure {{ margin: 1rem 0; }}
svg {{ max-width: 100%; height: auto; }}
@media print {{ body {{ margin: 0; max-width: none; }} }}
</style>
</head>
<body>
<main>
"""
_FOOT = "</main>\n</body>\n</html>\n"


def document(body: str, title: str) -> str:
    """Return HTML as a page of its own; the body is trusted, so whoever writes it escapes."""
    return _HEAD.format(title=html.escape(title)) + body + _FOOT


def page(markdown: str, title: str) -> str:
    """Return a text as a page of its own; HTML inside the text is shown, never obeyed."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.type == "th_open":
            token.attrSet("scope", "col")
    return document(str(parser.renderer.render(tokens, parser.options, {})), title)
