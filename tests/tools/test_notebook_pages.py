import base64
import json
from pathlib import Path

from tools.pages.notebook_pages import notebook_page


def test_a_page_has_the_words_the_code_and_what_it_printed_and_drew(tmp_path: Path) -> None:
    picture = base64.b64encode(b"picture").decode()
    cells = [
        {"cell_type": "markdown", "source": ["# Title"]},
        {
            "cell_type": "code",
            "source": ["print(1)\n", "draw()"],
            "outputs": [
                {"output_type": "stream", "text": ["1\n"]},
                {"output_type": "display_data", "data": {"image/png": picture, "text/plain": ["<Image>"]}},
                {"output_type": "execute_result", "data": {"text/plain": ["(3, 4)"]}},
            ],
        },
    ]
    path = tmp_path / "lesson.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    page = notebook_page(path)
    assert page.text.split("\n\n") == [
        "# Title",
        "```python\nprint(1)\ndraw()\n```",
        "```text\n1\n```",
        "![What the code above draws](lesson-0.png)",
        "```text\n(3, 4)\n```\n",
    ]
    assert page.pictures == {"lesson-0.png": b"picture"}
