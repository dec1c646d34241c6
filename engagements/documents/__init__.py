"""Documents: a page of HTML and the files it brings with it become a PDF.

    pdf       render_pdf(html, assets) -> bytes, in a locked process of its own; start() it early
    render    that process; the only module that imports WeasyPrint
    bundle    the files every document brings with it: style sheet, fonts, draft mark
    palette   colours that follow from one accent
    style     the rule that sets colours, paper and draft mark
    charts    vector charts as geometry

The look is in `templates/documents/print.css`.
"""
